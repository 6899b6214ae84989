"""Tables for spreadsheets: CSV that no spreadsheet takes for a formula, whatever a customer or a caller is called."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

BYTE_ORDER_MARK = "\N{BYTE ORDER MARK}"
"""Stands before the header, for without it Excel takes UTF-8 for something else."""

BEGINS_A_FORMULA = (
    "=",
    "+",
    "-",
    "@",
    "\t",
    "\r",
    "\n",
    "\N{FULLWIDTH EQUALS SIGN}",
    "\N{FULLWIDTH PLUS SIGN}",
    "\N{FULLWIDTH HYPHEN-MINUS}",
    "\N{FULLWIDTH COMMERCIAL AT}",
)


class Figure(str):
    """A number, a date or an instant that we wrote ourselves: a minus at its beginning is a minus."""

    __slots__ = ()


def guarded(text: str) -> str:
    """Return text that begins no formula: behind an apostrophe where it would."""
    return f"'{text}" if text.startswith(BEGINS_A_FORMULA) else text


def write_rows(rows: Iterable[Iterable[str]]) -> str:
    """Return rows as CSV with CRLF line ends (RFC 4180); every cell but a `Figure` is guarded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerows([cell if isinstance(cell, Figure) else guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
