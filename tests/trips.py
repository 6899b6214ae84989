"""Counts trips to a SQLite database by the driver's own trace, which no layer above the driver can fool."""

from __future__ import annotations

import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import aiosqlite

# Not trips of their own: what brackets a transaction, and what sets a new connection up.
_FRAME = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "SAVEPOINT", "RELEASE")


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

    open_now = [thing for thing in gc.get_objects() if isinstance(thing, aiosqlite.Connection) and _is_open(thing)]
    for connection in open_now:
        await connection.set_trace_callback(trips.record)
    try:
        with mock.patch.object(sqlite3, "connect", traced_connect):
            yield trips
    finally:
        for connection in gc.get_objects():
            if isinstance(connection, aiosqlite.Connection) and _is_open(connection):
                await connection.set_trace_callback(None)


def _is_open(connection: aiosqlite.Connection) -> bool:
    return connection._running and connection._connection is not None
