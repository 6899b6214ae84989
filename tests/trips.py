"""Counts trips to a SQLite database by the driver's own trace, which no layer above the driver can fool."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock
from weakref import WeakSet

import aiosqlite

# Not trips of their own: what brackets a transaction, and what sets a new connection up.
_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


_CONNECTIONS: WeakSet[aiosqlite.Connection] = WeakSet()


def note_connections() -> None:
    """Know every connection from here on: among all objects of a long run it takes longer to find them than a test."""
    connect = aiosqlite.Connection.__init__

    def noting(connection: aiosqlite.Connection, *args: Any, **kwargs: Any) -> None:
        connect(connection, *args, **kwargs)
        _CONNECTIONS.add(connection)

    aiosqlite.Connection.__init__ = noting  # type: ignore[method-assign]


@dataclass
class Trips:
    """The statements that reached the database, in order, with their values filled in."""

    statements: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.statements)

    def record(self, statement: str) -> None:
        # What a trigger or a virtual table runs inside a statement is reported as a comment.
        text = statement.lstrip()
        if not text.startswith("--") and not text.upper().startswith(_FRAME):
            self.statements.append(text)


@asynccontextmanager
async def counted_trips() -> AsyncIterator[Trips]:
    """Count the statements of every aiosqlite connection of this process: of those open now, and of those opened
    meanwhile.
    """
    trips = Trips()
    connect = sqlite3.connect

    def traced_connect(*args: Any, **kwargs: Any) -> sqlite3.Connection:
        connection = connect(*args, **kwargs)
        connection.set_trace_callback(trips.record)
        return connection

    for connection in filter(_is_open, list(_CONNECTIONS)):
        await connection.set_trace_callback(trips.record)
    try:
        with mock.patch.object(sqlite3, "connect", traced_connect):
            yield trips
    finally:
        for connection in filter(_is_open, list(_CONNECTIONS)):
            await connection.set_trace_callback(None)


def _is_open(connection: aiosqlite.Connection) -> bool:
    return connection._running and connection._connection is not None
