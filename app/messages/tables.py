"""Tables for spreadsheets: CSV that no spreadsheet takes for a formula, whatever a customer or a caller is called.

Every CSV of the product is written here, so that nothing leaves it unguarded.
"""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from itertools import takewhile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

MEDIA_TYPE = "text/csv; charset=utf-8; header=present"

BYTE_ORDER_MARK = "\N{BYTE ORDER MARK}"
"""Stands before the header, for without it Excel takes UTF-8 for something else."""

END_OF_LINE_IN_A_FILE = "\r\n"
"""As RFC 4180 has it, for tables that are downloaded."""

END_OF_LINE_ON_A_TERMINAL = "\n"
"""For tables that a command writes: what reads them there counts a carriage return to the last cell."""

BEGINS_A_FORMULA = frozenset(
    "=+-@\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
)
"""Characters that a spreadsheet reads as the beginning of a formula, also behind blanks."""

MOVES_ON = frozenset("\t\r\n")
"""Characters that carry what follows them into a cell or a line of its own, where text is split once more."""


class Figure(str):
    """A number, a date or an instant that we wrote ourselves: a minus at its beginning is a minus."""

    __slots__ = ()


def plain_dollars(cents: int) -> Figure:
    """Return cents as dollars without a sign of currency and without separators, such as -1234.50."""
    return Figure(Decimal(cents).scaleb(-2))


def guarded(text: str) -> str:
    """Return text that begins no formula: behind an apostrophe where it would, blanks before it or not."""
    if text[:1].isalnum():  # most are, and long tables have many
        return text
    blanks = "".join(takewhile(_is_blank, text))
    begins = text[len(blanks) : len(blanks) + 1]
    return f"'{text}" if begins in BEGINS_A_FORMULA or not MOVES_ON.isdisjoint(blanks) else text


def _is_blank(character: str) -> bool:
    """Tell whether a character shows nothing: spaces of any width, control characters, marks of direction."""
    return character.isspace() or not character.isprintable()


def write_rows(rows: Iterable[Iterable[str]], *, end_of_line: str = END_OF_LINE_IN_A_FILE) -> str:
    """Return rows as CSV; every cell but a `Figure` is guarded."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator=end_of_line)
    writer.writerows([cell if isinstance(cell, Figure) else guarded(cell) for cell in row] for row in rows)
    return out.getvalue()
