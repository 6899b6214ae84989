"""Copies of rows in bulk, for histories that would take the services hours to make."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator, Mapping

TAG_LETTERS = 6
"""Each copied name has so many digits instead of letters of its own: of our ids, these are random ones."""

_NAMED = "CASE WHEN {0} IN (SELECT name FROM copied_name) THEN {1} ELSE {0} END"
_AT_THE_END = "substr({0}, 1, length({0}) - 6) || tag"
_BEFORE_THE_END = "substr({0}, 1, length({0}) - 12) || tag || substr({0}, -6)"


class RowCopier:
    """Copies rows with new names in place of those that belong to what is copied.

    A name is any text that has to be another in each copy, such as an id; all its occurrences change alike. Foreign
    keys are not looked at meanwhile, and the guards that keep issued documents from changing are off.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._tags = 0
        self._renamed = _AT_THE_END
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("CREATE TEMP TABLE copied_name (name TEXT PRIMARY KEY)")
        connection.execute("CREATE TEMP TABLE copy_tag (n INTEGER PRIMARY KEY, tag TEXT)")

    def begin(self, names: Iterable[str], copies: int, *, are_copied_again: bool = False) -> None:
        """Say what is to be renamed, and how many copies of each row `copy` makes from now on; `n` counts from 1.

        What is copied again with its account later is told apart by other letters than those that change then.
        """
        self._renamed = _BEFORE_THE_END if are_copied_again else _AT_THE_END
        for table in ("copied_name", "copy_tag"):
            self._connection.execute(f"DELETE FROM {table}")
        self._connection.executemany("INSERT OR IGNORE INTO copied_name VALUES (?)", ((name,) for name in names))
        first, self._tags = self._tags, self._tags + copies
        tags = ((n, f"{first + n:0{TAG_LETTERS}}") for n in range(1, copies + 1))
        self._connection.executemany("INSERT INTO copy_tag VALUES (?, ?)", tags)

    def copy(self, table: str, condition: str, **columns: str) -> None:
        """Copy the rows that a condition chooses; `columns` are expressions for what is to be other than it was."""
        names, values = [], []
        for _, name, kind, *_ in self._connection.execute(f'PRAGMA table_info("{table}")'):
            column = f'source."{name}"'
            names.append(f'"{name}"')
            renamed = _NAMED.format(column, self._renamed.format(column)) if kind == "TEXT" else column
            values.append(columns.get(name, renamed))
        self._connection.execute(
            f'INSERT INTO "{table}" ({", ".join(names)}) SELECT {", ".join(values)} '
            f'FROM "{table}" AS source, copy_tag WHERE {condition} ORDER BY n'
        )

    def tables_with(self, column: str) -> list[str]:
        """Return the tables that have a column of that name."""
        statement = (
            "SELECT name FROM sqlite_master WHERE type = 'table' "
            "AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_master.name) AS one WHERE one.name = ?)"
        )
        return [name for (name,) in self._connection.execute(statement, (column,))]

    def names(self, select: str, *values: object) -> list[str]:
        """Return the texts of a statement's first column."""
        return [row[0] for row in self._connection.execute(select, values)]


@contextmanager
def without_triggers(connection: sqlite3.Connection) -> Iterator[None]:
    """Take the triggers away and put them back: copies come in any order."""
    triggers: Mapping[str, str] = dict(
        connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    )
    for name in triggers:
        connection.execute(f'DROP TRIGGER "{name}"')
    yield
    for statement in triggers.values():
        connection.execute(statement)
