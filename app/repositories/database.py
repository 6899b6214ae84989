"""The database: write transactions one at a time and retried, read snapshots, page reads, and its health."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import URL, column, inspect, select, table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, async_sessionmaker
from sqlmodel.ext.asyncio.session import AsyncSession

from app.models.connection import (
    SQLITE,
    DatabaseProblem,
    DatabaseUnmigrated,
    DatabaseUnreachable,
    DatabaseUnsuitable,
    parse_url,
    place_of,
)
from app.repositories.account_changes import AccountChanges
from app.repositories.availability import BUSY_CODES, is_away, reason_of, sqlite_code
from app.repositories.bulk import Upsert, execute_many, upsert
from app.repositories.change_signals import open_signal
from app.repositories.drivers import ReadTimedOut, open_driver
from app.repositories.engines import read_engine, write_engine
from app.repositories.reader import Reader, load_within

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

    from sqlalchemy import Connection

__all__ = [
    "Database",
    "DatabaseProblem",
    "DatabaseUnmigrated",
    "DatabaseUnreachable",
    "DatabaseUnsuitable",
    "ReadTimedOut",
    "Upsert",
    "execute_many",
    "is_transient",
    "load_within",
    "upsert",
]

T = TypeVar("T")

MOST_ATTEMPTS = 8
FIRST_PAUSE_SECONDS = 0.02
LONGEST_PAUSE_SECONDS = 1.0

_SERIALIZATION_FAILURE, _DEADLOCK = "40001", "40P01"


class Database:
    """One database, whichever engine it is; opening it connects to nothing yet."""

    def __init__(self, url: URL, revision: str | None, begins_within_seconds: float | None = None) -> None:
        self._url = url
        self._revision = revision
        self._begins_within_seconds = begins_within_seconds
        self._is_sqlite = url.get_backend_name() == SQLITE
        self._writing = write_engine(url)
        self._reading = read_engine(url)
        self._write_sessions = _sessions(self._writing)
        self._read_sessions = _sessions(self._reading)
        self._gates: WeakKeyDictionary[asyncio.AbstractEventLoop, _Gate] = WeakKeyDictionary()
        self.reader = Reader(open_driver(url))
        self.changes = AccountChanges(self.reader, open_signal(url))

    @classmethod
    def open(cls, url: str, *, revision: str | None = None, begins_within_seconds: float | None = None) -> Database:
        """Open the database of a URL; `revision` is the one `check` asks for, from `app.migrations.upgrade`.

        `begins_within_seconds` is how long a write transaction may wait until it can begin: a server has somebody who
        waits for its answer. A command waits as long as it takes.
        :raises DatabaseUnsuitable: when the URL can never work.
        """
        return cls(parse_url(url), revision, begins_within_seconds)

    async def run_tx(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` in a write transaction, and again from the start when the database asks for a retry.

        It commits when `work` returns and rolls back when it raises or is cancelled. `work` must be free of effects
        outside the database, for it may run several times.
        :raises DatabaseUnreachable: when there is no connection, it breaks, or the file stays locked.
        :raises RuntimeError: inside another `run_tx` of the same task, which would wait for itself.
        """
        within = self._begins_within_seconds
        begins_by = None if within is None else asyncio.get_running_loop().time() + within
        with self._reached():
            for attempt in range(MOST_ATTEMPTS - 1):
                try:
                    return await self._run_once(work, begins_by)
                except DBAPIError as error:
                    if not is_transient(error):
                        raise
                await asyncio.sleep(_pause_seconds(attempt))
            return await self._run_once(work, begins_by)

    async def read_tx(self, work: Callable[[AsyncSession], Awaitable[T]]) -> T:
        """Run `work` on one snapshot of the database, which refuses its writes.

        :raises DatabaseUnreachable: when there is no connection, or it breaks.
        """
        with self._reached():
            async with self._read_sessions() as session, session.begin():
                return await work(session)

    async def check(self) -> None:
        """Make sure that the database answers, is set up as needed and has this program's tables.

        :raises DatabaseUnreachable: when it does not answer.
        :raises DatabaseUnmigrated: when its tables are missing or of another revision.
        :raises DatabaseUnsuitable: when SQLite refuses a durable set-up.
        """
        place = place_of(self._url)
        if self._is_missing_file():
            raise DatabaseUnmigrated(place, None, self._revision)
        try:
            async with self._writing.connect() as connection:
                found = await connection.run_sync(_find_revision)
        except (DBAPIError, OSError) as error:
            raise DatabaseUnreachable(place, reason_of(error)) from error
        if found is None or self._revision not in {None, found}:
            raise DatabaseUnmigrated(place, found, self._revision)

    async def close(self) -> None:
        """Close every connection."""
        await self.changes.close()
        await self.reader.close()
        await self._reading.dispose()
        await self._writing.dispose()

    def _is_missing_file(self) -> bool:
        return self._is_sqlite and not Path(place_of(self._url)).exists()

    async def _run_once(self, work: Callable[[AsyncSession], Awaitable[T]], begins_by: float | None) -> T:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.timeout_at(begins_by):
                    await stack.enter_async_context(self._gate().entered())
                    session = await stack.enter_async_context(self._write_sessions())
                    await stack.enter_async_context(session.begin())
                    await session.connection()  # BEGIN is sent now, so that waiting for a lock counts too
            except TimeoutError as error:
                raise DatabaseUnreachable(place_of(self._url), "no write could begin in time") from error
            result = await work(session)
        self.changes.announce()
        return result

    @contextmanager
    def _reached(self) -> Iterator[None]:
        """Say in our own words that the database is away; every other error of a driver passes as it is."""
        try:
            yield
        except (DBAPIError, NoConnectionFree) as error:
            if not is_away(error):
                raise
            raise DatabaseUnreachable(place_of(self._url), reason_of(error)) from error

    def _gate(self) -> _Gate:
        loop = asyncio.get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            gate = self._gates[loop] = _Gate(is_shut=self._is_sqlite)
        return gate


class _Gate:
    """Lets writers of SQLite through one at a time, in order: its own waiting is a lottery that some lose for seconds.

    PostgreSQL's writers pass side by side.
    """

    def __init__(self, *, is_shut: bool) -> None:
        self._lock = asyncio.Lock() if is_shut else None
        self._inside: set[asyncio.Task[object] | None] = set()

    @asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        task = asyncio.current_task()
        if task in self._inside:
            raise RuntimeError("run_tx was called inside run_tx: pass the session on instead")
        if self._lock is not None:
            await self._lock.acquire()
        self._inside.add(task)
        try:
            yield
        finally:
            self._inside.discard(task)
            if self._lock is not None:
                self._lock.release()


def is_transient(error: DBAPIError) -> bool:
    """Tell whether the same transaction may succeed when run again: after a conflict, a deadlock or a busy file."""
    if isinstance(error.orig, sqlite3.Error):
        return sqlite_code(error.orig) in BUSY_CODES
    return getattr(error.orig, "sqlstate", None) in {_SERIALIZATION_FAILURE, _DEADLOCK}


def _sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    # A value read in a transaction must outlive it: nothing is loaded again after the commit.
    return async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)


def _pause_seconds(attempt: int) -> float:
    longest = min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS)
    return random.uniform(longest / 2, longest)  # noqa: S311 -- spreads retries, guards nothing


def _find_revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(select(column("version_num")).select_from(table("alembic_version"))).scalar()
    return found
