"""Which errors of a driver mean that the database is away, rather than that a statement is wrong."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

if TYPE_CHECKING:
    from pathlib import Path

PRIMARY_CODE = 0xFF  # SQLite's extended codes say more in the bits above

BUSY_CODES = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_AWAY_CODES = BUSY_CODES | {
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_CORRUPT,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_NOTADB,
}

_AWAY_CLASSES = frozenset({"08", "53", "58"})
"""PostgreSQL's classes of states: no connection, no resources, a fault of the machine."""

_AWAY_STATES = frozenset({"57P01", "57P02", "57P03", "57P05"})
"""A server that shuts down, has crashed, or starts; a session that it ended."""


def sqlite_code(error: sqlite3.Error) -> int:
    """Return SQLite's primary code of an error; 0 when it has none."""
    return getattr(error, "sqlite_errorcode", 0) & PRIMARY_CODE


def is_away(error: Exception) -> bool:
    """Tell whether an error says that the database cannot be worked with now, whatever the statement was.

    `error` is one of a driver, or one of SQLAlchemy's.
    """
    if isinstance(error, NoConnectionFree):
        return True
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return sqlite_code(cause) in _AWAY_CODES
    state = getattr(cause, "sqlstate", None)
    if isinstance(state, str):
        return state[:2] in _AWAY_CLASSES or state in _AWAY_STATES
    # Without a state there was nobody to give one: the connection broke, or none came about.
    return isinstance(error, InterfaceError | OperationalError) or getattr(error, "connection_invalidated", False)


def reason_of(error: Exception) -> str:
    """Return what a driver says is wrong, on one line."""
    return str(getattr(error, "orig", None) or error).partition("\n")[0]


def identity_of(path: Path) -> tuple[int, int] | None:
    """Return what tells a file from another at the same path; None when there is none.

    A connection whose file was removed or replaced goes on writing to the old one, where nobody would find it.
    """
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino
