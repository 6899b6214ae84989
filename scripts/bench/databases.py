"""Databases for the benches: made once by the product, copied for every run, and compared table by table after it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from app.domain.seed_catalogue import SEED_CATALOGUE
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.engines import DURABLE_PRAGMAS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

Value: TypeAlias = "str | int | float | bytes | None"
"""What a column of SQLite holds."""

_MINTED = re.compile(r"(?:evt|qua|inv)_[0-9a-z]{26}")


class TablesDiffer(Exception):
    """The two sides have not done the same work, so their times say nothing."""

    def __init__(self, tables: list[str]) -> None:
        super().__init__(f"The baseline wrote other rows than the product into {', '.join(tables)}: mend it first.")
        self.tables = tables


class FixedClock:
    """A clock that stands still, so that both sides write the same instants."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        """Return the instant it was set to."""
        return self._now


def url_of(path: Path) -> str:
    """Return the address of a database file."""
    return f"sqlite+aiosqlite:///{path}"


async def open_new(path: Path) -> Database:
    """Make a database with tables and the catalogue, and open it."""
    database = Database.open(url_of(path))
    await unit_of_work.write(database, lambda uow: uow.plans.add_all(SEED_CATALOGUE.versions))
    return database


def make_tables(path: Path) -> None:
    """Make an empty database file."""
    upgrade(url_of(path))


def connect(path: Path) -> sqlite3.Connection:
    """Open a database file as the product does, with the same durability."""
    connection = sqlite3.connect(path, isolation_level=None)
    for name, value in DURABLE_PRAGMAS.items():
        connection.execute(f"PRAGMA {name}={value}")
    return connection


def copy(source: Path, target: Path) -> Path:
    """Copy a closed database file and return the copy; what an earlier run left at its place goes."""
    for suffix in ("", "-wal", "-shm"):
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copyfile(source, target)
    return target


def contents(path: Path, tables: Iterable[str]) -> dict[str, list[tuple[Value, ...]]]:
    """Return all rows of the tables, sorted, with invoices called by their numbers and other minted ids left out.

    Messages to people are left out too: each side may put them in its own words.
    """
    with closing(sqlite3.connect(path)) as connection:
        numbers = dict(connection.execute("SELECT id, 'invoice ' || number FROM invoice"))
        return {table: sorted(_rows(connection, table, numbers), key=repr) for table in tables}


def _rows(connection: sqlite3.Connection, table: str, numbers: dict[str, str]) -> Iterator[tuple[Value, ...]]:
    cursor = connection.execute(f'SELECT * FROM "{table}"')  # noqa: S608 -- a name of our own
    compared = [place for place, column in enumerate(cursor.description) if column[0] != "message"]
    for row in cursor:
        yield tuple(_known(row[place], numbers) for place in compared)


def _known(value: Value, numbers: dict[str, str]) -> Value:
    if isinstance(value, str) and _MINTED.fullmatch(value):
        return numbers.get(value, "minted")
    return value


def check_equal(one: Path, other: Path, tables: Iterable[str]) -> None:
    """Compare two database files.

    :raises TablesDiffer: when they do not hold the same.
    """
    left, right = (contents(path, tables) for path in (one, other))
    differing = [table for table in left if left[table] != right[table]]
    if differing:
        raise TablesDiffer(differing)


def instant_text(instant: datetime) -> str:
    """Return an instant as the product stores it in SQLite."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
