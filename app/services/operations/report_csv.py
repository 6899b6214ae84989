"""The CSV form that all reports share: a header, then rows that each end with whether their figures are final."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.messages.tables import END_OF_LINE_ON_A_TERMINAL, write_rows

if TYPE_CHECKING:
    from collections.abc import Iterable

IS_CLOSED = "is_closed"
"""The last column: `no` while the month's figures can still change.

A column, for a note above the header would stand where programs look for the header, and would not stay with its rows
where the reports of several months are put together.
"""


def csv_header(*columns: str) -> str:
    """Return the first line of a report."""
    return write_rows([(*columns, IS_CLOSED)], end_of_line=END_OF_LINE_ON_A_TERMINAL)


def csv_rows(rows: Iterable[tuple[str, ...]], *, is_closed: bool) -> str:
    """Return rows of a report, any number at a time; every cell but a `Figure` is guarded."""
    cell = "yes" if is_closed else "no"
    return write_rows(((*row, cell) for row in rows), end_of_line=END_OF_LINE_ON_A_TERMINAL)
