"""A migrated database of the test's own: made once, then copied file by file. Fixtures for `tests/conftest.py`."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import aiosqlite
import pytest

from tests.postgres import fresh_database

if TYPE_CHECKING:
    from app.repositories.database import Database
    from tests.gateway import LocalGateway
    from tests.till import Till
    from tests.wallet import Wallet
    from tests.world import World

# What the product needs is imported on use: tests of the core alone load no database and no web.


def share_compiled_statements() -> None:
    """Let the SQLite engines of all tests share compiled statements.

    Each test opens engines of its own, and a fifth of its time went into compiling the same statements again.
    """
    from app.repositories import engines

    make, first = engines._sqlite_engine, {}

    def sharing(url, *, begin):
        engine = make(url, begin=begin)
        shared = first.setdefault(begin, engine).sync_engine
        engine.sync_engine.dialect = engine.sync_engine.pool._dialect = shared.dialect
        engine.sync_engine._compiled_cache = shared._compiled_cache
        return engine

    engines._sqlite_engine = sharing


@contextmanager
def driver_in_this_thread() -> Iterator[None]:
    """Let SQLite connections that are opened within do their work in the calling thread.

    Where one actor does one thing after another nothing ever waits for another thread, and handing every statement to
    one took a third of the time.
    """
    connection = aiosqlite.Connection

    async def execute(self, function, *args, **options):
        return function(*args, **options)

    async def connect(self):
        self._connection = self._connector()
        return self

    def stop(self):
        self._running = False
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        stopped = asyncio.get_running_loop().create_future()
        stopped.set_result(None)
        return stopped

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "_execute", execute)
        patch.setattr(connection, "__await__", lambda self: connect(self).__await__())
        patch.setattr(connection, "stop", stop)
        yield


@pytest.fixture(scope="session")
async def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A SQLite file with every table and no row; copy it, never open it."""
    from app.migrations.upgrade import upgrade

    share_compiled_statements()
    path = tmp_path_factory.mktemp("migrated") / "template.db"
    await asyncio.to_thread(upgrade, f"sqlite:///{path}")
    return path


@asynccontextmanager
async def copied_database(migrated_file: Path, folder: Path) -> AsyncIterator[Database]:
    """Open a copy of the template; for property tests, which need one for each example."""
    from app.repositories.database import Database

    path = folder / "flex-billing.db"
    shutil.copyfile(migrated_file, path)
    database = Database.open(f"sqlite+aiosqlite:///{path}")
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def database(migrated_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    """An open database with every table and no row."""
    async with copied_database(migrated_file, tmp_path) as database:
        yield database


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """The name of a database on PostgreSQL with every table and no row; copy it, never open it."""
    from app.migrations.upgrade import upgrade

    with fresh_database(postgres_server) as url:
        upgrade(url)
        yield url.partition("?")[0].rpartition("/")[2]


@pytest.fixture
def postgres_url(postgres_server: str, migrated_postgres: str) -> Iterator[str]:
    """The URL of a database with every table and no row, on PostgreSQL; mark its tests with `postgres`."""
    with fresh_database(postgres_server, migrated_postgres) as url:
        yield url


@pytest.fixture
async def postgres_database(postgres_url: str) -> AsyncIterator[Database]:
    """The same, open."""
    from app.repositories.database import Database

    database = Database.open(postgres_url)
    try:
        yield database
    finally:
        await database.close()


@pytest.fixture
async def world(database: Database, tmp_path: Path) -> World:
    """The product over an empty database, with a catalogue on sale and no account yet."""
    from tests.world import World

    return await World.create(database)


@pytest.fixture
async def till(database: Database, gateway: LocalGateway) -> Till:
    """A world whose payments go to the local gateway; no account yet."""
    from tests.till import Till
    from tests.world import World

    return Till(await World.create(database, payments=gateway.payments()), gateway)


@pytest.fixture
async def wallet(till: Till) -> AsyncIterator[Wallet]:
    """A till whose customers change their payment methods themselves; no account yet."""
    from tests.wallet import Wallet

    wallet = Wallet(till)
    yield wallet
    await wallet.vault.close()
