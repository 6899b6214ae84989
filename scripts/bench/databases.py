"""Databases for the benches: made once by the product, copied for every run, and compared table by table after it."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

from app.domain.seed_catalogue import SEED_CATALOGUE
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.engines import DURABLE_PRAGMAS

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_MINTED = re.compile(r"(?:evt|qua|inv)_[0-9a-z]{26}")


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


def contents(path: Path, tables: Iterable[str]) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of the tables, sorted, with invoices called by their numbers and other minted ids left out."""
    with closing(sqlite3.connect(path)) as connection:
        numbers = dict(connection.execute("SELECT id, 'invoice ' || number FROM invoice"))

        def known(value: Any) -> Any:  # noqa: ANN401 -- any column
            is_minted = isinstance(value, str) and _MINTED.fullmatch(value)
            return numbers.get(value, "minted") if is_minted else value

        return {
            table: sorted(
                (tuple(map(known, row)) for row in connection.execute(f'SELECT * FROM "{table}"')),  # noqa: S608 -- ours
                key=repr,
            )
            for table in tables
        }


def differing(one: Path, other: Path, tables: Iterable[str]) -> list[str]:
    """Return the tables whose contents differ between two database files."""
    left, right = (contents(path, tables) for path in (one, other))
    return [table for table in left if left[table] != right[table]]


def instant_text(instant: datetime) -> str:
    """Return an instant as the product stores it in SQLite."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


def day_text(on: date) -> str:
    """Return a date as the product stores it in SQLite."""
    return on.isoformat()
