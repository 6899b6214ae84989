"""Which database a URL means, and what can be wrong on the way to it, for repositories and migrations alike."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

if TYPE_CHECKING:
    from pathlib import Path

SQLITE = "sqlite"
POSTGRESQL = "postgresql"

# How long SQLite waits for another process that writes, before it gives up.
BUSY_TIMEOUT_MILLISECONDS = 5_000


class DatabaseProblem(Exception):
    """The database cannot be used as it is; the message says what to do."""


class DatabaseUnsuitable(DatabaseProblem):
    """The address or the set-up of the database can never work."""


class DatabaseUnreachable(DatabaseProblem):
    """No connection comes about."""

    def __init__(self, place: str, reason: str) -> None:
        self.place = place
        super().__init__(f"The database {place} does not answer ({reason}). Start it, or correct FLEX_DATABASE_URL.")


class DatabaseUnmigrated(DatabaseProblem):
    """The tables are missing or older or newer than the program."""

    def __init__(self, place: str, found: str | None, wanted: str | None) -> None:
        self.place, self.found, self.wanted = place, found, wanted
        state = "has no tables yet" if found is None else f"is at revision {found}, but this program needs {wanted}"
        super().__init__(f"The database {place} {state}. Run `flex-billing migrate`.")


def parse_url(url: str) -> URL:
    """Read a database URL and name its asynchronous driver: aiosqlite, or psycopg 3.

    :raises DatabaseUnsuitable: when it is no SQLite file and no PostgreSQL database, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise DatabaseUnsuitable("FLEX_DATABASE_URL is no database URL; it looks like sqlite:///flex.db.") from error
    match parsed.get_backend_name():
        case "sqlite":
            _refuse_memory(parsed)
            return parsed.set(drivername="sqlite+aiosqlite")
        case "postgresql" | "postgres":
            _require_psycopg()
            return parsed.set(drivername="postgresql+psycopg")
        case other:
            raise DatabaseUnsuitable(f"FLEX_DATABASE_URL names {other}; only sqlite and postgresql are supported.")


def place_of(url: URL) -> str:
    """The database's name for people, without its password."""
    if url.get_backend_name() == SQLITE:
        return str(url.database)
    return url.render_as_string(hide_password=True).replace("+psycopg", "")


def sqlite_uri(path: Path, *, create: bool) -> str:
    """The SQLite URI of a file, that makes a missing file only when told to."""
    return f"{path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"


def _refuse_memory(url: URL) -> None:
    name = url.database or ""
    if name in {"", ":memory:"} or name.startswith("file:"):
        raise DatabaseUnsuitable(
            "A SQLite database must be a plain file: connections share no memory database. "
            "Give FLEX_DATABASE_URL a path, such as sqlite:///flex.db.",
        )


def _require_psycopg() -> None:
    try:
        import_module("psycopg")
    except ImportError as error:
        raise DatabaseUnsuitable("PostgreSQL needs an extra: pip install 'flex-billing[postgres]'.") from error
