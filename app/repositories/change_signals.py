"""How a process hears that something was committed, by itself or by another: SQLite's data version, which is asked for
again and again, or PostgreSQL's LISTEN and NOTIFY.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.models.connection import SQLITE, DatabaseUnreachable, place_of
from app.repositories.availability import reason_of
from app.repositories.engines import connect_sqlite_reader, reader_engine

if TYPE_CHECKING:
    import aiosqlite
    from sqlalchemy import URL
    from sqlalchemy.ext.asyncio import AsyncConnection

CHANNEL = "flex_billing_changed"

ASKED_EVERY_SECONDS = 0.2
"""How often SQLite is asked for its data version, which takes it some microseconds."""

ANNOUNCED_AFTER_SECONDS = 0.05
"""How soon after a commit it is announced, together with those that follow it closely."""

UNHEARD_SECONDS = 15.0
"""After so long without an announcement something may have changed all the same: a process that was killed between its
commit and its announcement, a statement by hand, or a pooler between us that passes none on.
"""


class ChangeSignal(Protocol):
    """Hears of commits."""

    async def wait(self) -> None:
        """Return when something may have been committed since the last call, and at once when that is not known.

        :raises DatabaseUnreachable: when there is no connection.
        """
        ...

    def announce(self) -> None:
        """Let all processes know that this one has committed something."""
        ...

    async def close(self) -> None:
        """Announce what is still to be announced, and give the connections back."""
        ...


def open_signal(url: URL) -> ChangeSignal:
    """Return the signal of a database; it connects when it is first used."""
    return SqliteSignal(url) if url.get_backend_name() == SQLITE else PostgresSignal(url)


class SqliteSignal:
    """A connection of its own, whose data version moves when any other connection has committed."""

    def __init__(self, url: URL) -> None:
        self._url = url
        self._connecting: asyncio.Task[aiosqlite.Connection] | None = None
        self._version: int | None = None

    async def wait(self) -> None:
        """Ask until the data version is another one."""
        seen = self._version
        while True:
            self._version = await self._read_version()
            if self._version != seen:
                return
            await asyncio.sleep(ASKED_EVERY_SECONDS)

    def announce(self) -> None:
        """Do nothing: the file itself tells."""

    async def close(self) -> None:
        """Close the connection."""
        connecting, self._connecting, self._version = self._connecting, None, None
        if connecting is not None:
            with suppress(DatabaseUnreachable):
                await (await connecting).close()

    async def _read_version(self) -> int:
        if self._connecting is None:
            self._connecting = asyncio.get_running_loop().create_task(connect_sqlite_reader(self._url))
        try:
            # Shielded, so that a connection is never left behind half made.
            connection = await asyncio.shield(self._connecting)
            ((version,),) = await connection.execute_fetchall("PRAGMA data_version")
        except (sqlite3.Error, DatabaseUnreachable) as error:
            await self.close()
            raise DatabaseUnreachable(place_of(self._url), str(error)) from error
        return int(version)


class PostgresSignal:
    """One connection that listens, and short ones that announce.

    An announcement is made after the commit, not within it: NOTIFY holds a lock of the whole database until its
    transaction is on disk, and no payment should wait for another's.
    """

    def __init__(self, url: URL) -> None:
        self._url = url
        self._engine = reader_engine(url)
        self._listening: AsyncConnection | None = None
        self._is_owed = False
        self._announcing: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Listen until somebody announces a commit, or long enough."""
        if self._listening is None:
            await self._listen()
            return
        try:
            driver: Any = (await self._listening.get_raw_connection()).driver_connection
            async for _ in driver.notifies(timeout=UNHEARD_SECONDS, stop_after=1):
                pass
        except BaseException as error:
            await self._hang_up()
            if isinstance(error, Exception):
                raise DatabaseUnreachable(place_of(self._url), reason_of(error)) from error
            raise

    def announce(self) -> None:
        """Announce soon, with whatever else is committed until then."""
        self._is_owed = True
        if self._announcing is None or self._announcing.done():
            self._announcing = asyncio.get_running_loop().create_task(self._announce())

    async def close(self) -> None:
        """Announce what is owed, and close the connections."""
        announcing, self._announcing = self._announcing, None
        if announcing is not None and not announcing.done():
            announcing.cancel()
            with suppress(asyncio.CancelledError):
                await announcing
            await self._notify()
        await self._hang_up()
        await self._engine.dispose()

    async def _listen(self) -> None:
        try:
            self._listening = await self._engine.connect()
            await self._listening.execute(text(f"LISTEN {CHANNEL}"))
        except (DBAPIError, OSError) as error:
            await self._hang_up()
            raise DatabaseUnreachable(place_of(self._url), reason_of(error)) from error

    async def _hang_up(self) -> None:
        connection, self._listening = self._listening, None
        if connection is not None:
            # It listens still: nobody else may get it from the pool.
            with suppress(DBAPIError, OSError):
                await connection.invalidate()
            await connection.close()

    async def _announce(self) -> None:
        while self._is_owed:
            await asyncio.sleep(ANNOUNCED_AFTER_SECONDS)
            self._is_owed = False
            await self._notify()

    async def _notify(self) -> None:
        with suppress(DBAPIError, OSError):  # who listens looks by itself after a while
            async with self._engine.connect() as connection:
                await connection.execute(text(f"NOTIFY {CHANNEL}"))
