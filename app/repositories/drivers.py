"""One statement, one row, one driver call: the Reader's way to SQLite by aiosqlite and to PostgreSQL by psycopg."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol
from weakref import WeakKeyDictionary, WeakSet

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app.models.connection import POSTGRESQL, SQLITE, DatabaseUnreachable, place_of
from app.repositories.availability import identity_of, is_away, reason_of
from app.repositories.engines import connect_sqlite_reader, reader_engine

if TYPE_CHECKING:
    from collections.abc import Sequence

    import aiosqlite
    from sqlalchemy import URL

LONGEST_READ_SECONDS = 10.0
# How soon an interrupt is repeated when it came while another statement was running.
INTERRUPT_AGAIN_SECONDS = 0.05


class ReadTimedOut(Exception):
    """A read took longer than the reader allows, and was stopped."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(f"The database took longer than {seconds:g} seconds to answer. Ask for less, or try again.")


class Driver(Protocol):
    """Runs a reading statement and gives its first row."""

    dialect_name: str

    async def fetch_row(self, sql: str, parameters: Sequence[object]) -> Sequence[str]:
        """Return the only row of a statement, in one trip.

        :raises ReadTimedOut: when it ran too long; the driver can be used again.
        :raises DatabaseUnreachable: when there is no connection.
        """

    async def close(self) -> None:
        """Give all connections back."""


def open_driver(url: URL, *, timeout_seconds: float = LONGEST_READ_SECONDS) -> Driver:
    """Return the driver of a database; it connects with its first statement."""
    if url.get_backend_name() == SQLITE:
        return SqliteDriver(url, timeout_seconds)
    return PostgresDriver(url, timeout_seconds)


class SqliteDriver:
    """One read-only connection for each running loop; its statements run one after the other on its thread."""

    dialect_name = SQLITE

    def __init__(self, url: URL, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._connections: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Task[aiosqlite.Connection]] = (
            WeakKeyDictionary()
        )
        self._closed_in: WeakSet[asyncio.AbstractEventLoop] = WeakSet()
        self._path = Path(str(url.database))
        self._files: WeakKeyDictionary[asyncio.AbstractEventLoop, tuple[int, int] | None] = WeakKeyDictionary()

    async def fetch_row(self, sql: str, parameters: Sequence[object]) -> Sequence[str]:
        """Run the statement; when its time is over, interrupt the connection until it has given up."""
        loop = asyncio.get_running_loop()
        connection = await self._connection(loop)
        deadline = loop.time() + self._timeout_seconds
        while True:
            stop = _Interrupter(loop, connection, deadline)
            try:
                (row,) = await connection.execute_fetchall(sql, parameters)
            except sqlite3.Error as error:
                if is_away(error):
                    raise DatabaseUnreachable(place_of(self._url), str(error)) from error
                if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_INTERRUPT:
                    raise
                if loop.time() >= deadline:
                    raise ReadTimedOut(self._timeout_seconds) from error
                # The interrupt was meant for the statement before this one: run it again.
                continue
            finally:
                stop.cancel()
            return row

    async def close(self) -> None:
        """Close the connections of all loops; a read that comes too late in one finds the database unreachable."""
        self._closed_in.update(self._connections)
        tasks, self._connections = list(self._connections.values()), WeakKeyDictionary()
        for task in tasks:
            with suppress(DatabaseUnreachable):
                await (await task).close()

    async def _connection(self, loop: asyncio.AbstractEventLoop) -> aiosqlite.Connection:
        file = identity_of(self._path)
        task = self._connections.get(loop)
        if task is not None and self._files[loop] != file:
            await self._forget(loop)
            return await self._connection(loop)
        if task is None:
            if loop in self._closed_in:
                raise DatabaseUnreachable(place_of(self._url), "it is closed")
            self._files[loop] = file
            task = self._connections[loop] = loop.create_task(connect_sqlite_reader(self._url))
        elif task.done() and not task.cancelled() and task.exception() is None:
            return task.result()
        try:
            # Shielded, for others wait for the same connection.
            return await asyncio.shield(task)
        except DatabaseUnreachable:
            # The next read tries again: the file may be there by then.
            self._connections.pop(loop, None)
            raise

    async def _forget(self, loop: asyncio.AbstractEventLoop) -> None:
        """Close the connection of a file that was removed or replaced."""
        task = self._connections.pop(loop)
        with suppress(DatabaseUnreachable):
            await (await task).close()


class _Interrupter:
    """Interrupts a connection at a deadline, and again until it is cancelled: statements queue before it runs."""

    def __init__(self, loop: asyncio.AbstractEventLoop, connection: aiosqlite.Connection, deadline: float) -> None:
        self._loop = loop
        self._connection = connection
        self._timer = loop.call_at(deadline, self._fire)
        self._interrupt: asyncio.Task[None] | None = None

    def cancel(self) -> None:
        """Leave the connection alone from now on."""
        self._timer.cancel()

    def _fire(self) -> None:
        self._interrupt = self._loop.create_task(self._connection.interrupt())
        self._timer = self._loop.call_later(INTERRUPT_AGAIN_SECONDS, self._fire)


class PostgresDriver:
    """A pool of autocommitting read-only connections; the driver's own connection runs the statement."""

    dialect_name = POSTGRESQL

    def __init__(self, url: URL, timeout_seconds: float) -> None:
        self._url = url
        self._timeout_seconds = timeout_seconds
        self._engine = reader_engine(url)

    async def fetch_row(self, sql: str, parameters: Sequence[object]) -> Sequence[str]:
        """Run the statement; when its time is over, psycopg cancels it on the server."""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await self._fetch_row(sql, parameters)
        except TimeoutError as error:
            raise ReadTimedOut(self._timeout_seconds) from error
        except (DBAPIError, NoConnectionFree) as error:
            if not is_away(error):
                raise
            raise DatabaseUnreachable(place_of(self._url), reason_of(error)) from error

    async def close(self) -> None:
        """Close the pool."""
        await self._engine.dispose()

    async def _fetch_row(self, sql: str, parameters: Sequence[object]) -> Sequence[str]:
        try:
            return await self._fetch_once(sql, parameters)
        except _ConnectionDropped:
            # The server has restarted, or ended an idle session. A read may be asked again, on a pool without old ones.
            await self._engine.dispose()
        try:
            return await self._fetch_once(sql, parameters)
        except _ConnectionDropped as error:
            raise DatabaseUnreachable(place_of(self._url), "it ended the connection") from error

    async def _fetch_once(self, sql: str, parameters: Sequence[object]) -> Sequence[str]:
        async with self._engine.connect() as connection:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            try:
                cursor = await driver.execute(sql, parameters)
                row: Sequence[str] = await cursor.fetchone()
            except Exception as error:
                if not (driver.closed or is_away(error)):
                    raise
                await connection.invalidate(error)
                raise _ConnectionDropped from error
            return row


class _ConnectionDropped(Exception):
    """The server has ended the connection that a read was sent on."""
