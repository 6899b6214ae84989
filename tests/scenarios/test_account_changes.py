"""Who watches an account hears of what changes its Summary, from whichever connection, and of nothing else."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import psycopg
import pytest
from sqlmodel import col, update

from app.domain.accounts import AccountStatus
from app.models.accounts import AccountRow
from app.models.connection import parse_url
from app.repositories import account_changes
from app.repositories.account_changes import AccountChanges
from app.repositories.change_signals import SqliteSignal
from app.repositories.database import Database, DatabaseUnreachable
from tests.factories.calls import a_call
from tests.world import ACCOUNT, World, pacific

OTHER = "BB0202"
HEARD_WITHIN_SECONDS = 30


@dataclass
class Ear:
    """Hears of changes."""

    heard: asyncio.Event = field(default_factory=asyncio.Event)
    times: int = 0

    def tell(self) -> None:
        self.times += 1
        self.heard.set()

    async def hears(self) -> None:
        async with asyncio.timeout(HEARD_WITHIN_SECONDS):
            await self.heard.wait()
        self.heard.clear()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def migrated(request: pytest.FixtureRequest) -> Database:
    """An open database of the product, on each engine."""
    return request.getfixturevalue("database" if request.param == "sqlite" else "postgres_database")


@pytest.fixture
def url(migrated: Database) -> str:
    return migrated._url.render_as_string(hide_password=False)


@pytest.fixture
async def world(migrated: Database) -> World:
    world = await World.create(migrated)
    for account in (ACCOUNT, OTHER):
        await world.add_account(account, name=account)
    await world.advance_to(pacific(2026, 7, 14, 12))
    return world


@pytest.fixture
async def another(migrated: Database, url: str) -> AsyncIterator[AccountChanges]:
    """The changes as another process sees them."""
    database = Database.open(url)
    yield database.changes
    await database.close()


def calls(account: str, number: int = 1) -> Any:
    return a_call(account=account, event_id=f"{account}/{number}", started_at=pacific(2026, 7, 13, 9, number))


class TestWatching:
    async def test_a_change_is_heard_of_in_every_process_and_by_who_watches_that_account_alone(self, world, another):
        here, there, others = Ear(), Ear(), Ear()
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(world.database.changes.watch(ACCOUNT, here.tell))
            await stack.enter_async_context(another.watch(ACCOUNT, there.tell))
            await stack.enter_async_context(another.watch(OTHER, others.tell))
            await world.add_calls(calls(ACCOUNT))
            await here.hears(), await there.hears()
            assert others.times == 0
            await world.add_calls(calls(OTHER))
            await others.hears()
            assert (here.times, there.times, others.times) == (1, 1, 1)

    async def test_a_change_between_two_looks_is_not_missed(self, world, another):
        ear = Ear()
        async with another.watch(ACCOUNT, ear.tell):
            for number in range(1, 4):
                await world.add_calls(calls(ACCOUNT, number))
                await ear.hears()

    async def test_one_look_serves_all_who_watch(self, world, monkeypatch):
        looks = []
        load = world.database.reader.load

        async def counted(*requests):
            looks.append(requests[0].parameters["accounts"])
            return await load(*requests)

        monkeypatch.setattr(world.database.reader, "load", counted)
        ears = [Ear() for _ in range(5)]
        async with AsyncExitStack() as stack:
            for ear in ears:
                await stack.enter_async_context(world.database.changes.watch(ACCOUNT, ear.tell))
            await stack.enter_async_context(world.database.changes.watch(OTHER, Ear().tell))
            assert looks[0] == [ACCOUNT]
            await world.add_calls(calls(ACCOUNT))
            for ear in ears:
                await ear.hears()
        assert looks[-1] == [ACCOUNT, OTHER]
        assert looks.count([ACCOUNT]) < len(ears)

    async def test_many_are_looked_at_in_parts(self, world, monkeypatch):
        monkeypatch.setattr(account_changes, "ACCOUNTS_A_LOOK", 1)
        first, second = Ear(), Ear()
        changes = world.database.changes
        async with changes.watch(ACCOUNT, first.tell), changes.watch(OTHER, second.tell):
            await world.add_calls(calls(ACCOUNT), calls(OTHER))
            await first.hears(), await second.hears()

    async def test_who_has_left_hears_nothing(self, world):
        gone, ear = Ear(), Ear()
        async with world.database.changes.watch(ACCOUNT, ear.tell):
            async with world.database.changes.watch(ACCOUNT, gone.tell):
                pass
            await world.add_calls(calls(ACCOUNT))
            await ear.hears()
        assert gone.times == 0

    async def test_an_account_that_comes_to_be_is_a_change(self, world):
        ear = Ear()
        async with world.database.changes.watch("CC0303", ear.tell):
            await world.add_account("CC0303", name="New")
            await ear.hears()

    async def test_after_a_failure_it_looks_again(self, world, monkeypatch):
        monkeypatch.setattr(account_changes, "RETRY_SECONDS", 0.01)
        load, failures = world.database.reader.load, iter([DatabaseUnreachable("the database", "it restarts")] * 2)

        async def fail_twice(*requests):
            failure = next(failures, None)
            if failure is not None:
                raise failure
            return await load(*requests)

        ear = Ear()
        async with world.database.changes.watch(ACCOUNT, ear.tell):
            monkeypatch.setattr(world.database.reader, "load", fail_twice)
            await world.add_calls(calls(ACCOUNT))
            await ear.hears()


class TestSqlite:
    async def test_a_file_that_is_not_there_is_looked_for_again(self, migrated_file, tmp_path):
        path = tmp_path / "later.db"
        signal = SqliteSignal(parse_url(f"sqlite:///{path}"))
        with pytest.raises(DatabaseUnreachable, match="later"):
            await signal.wait()
        shutil.copyfile(migrated_file, path)
        await signal.wait()
        await signal.close()


@pytest.mark.postgres
class TestPostgres:
    async def test_a_lost_connection_is_made_anew(self, postgres_database, postgres_url, monkeypatch):
        monkeypatch.setattr(account_changes, "RETRY_SECONDS", 0.01)
        world = await World.create(postgres_database)
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 14, 12))
        ear = Ear()
        async with postgres_database.changes.watch(ACCOUNT, ear.tell):
            await listening(postgres_url)
            await asyncio.to_thread(end_listeners, postgres_url)
            await world.add_calls(calls(ACCOUNT))
            await ear.hears()

    async def test_what_nobody_announced_is_seen_after_a_while(self, postgres_database, postgres_url, monkeypatch):
        monkeypatch.setattr("app.repositories.change_signals.UNHEARD_SECONDS", 0.05)
        world = await World.create(postgres_database)
        await world.add_account()
        ear = Ear()
        async with postgres_database.changes.watch(ACCOUNT, ear.tell):
            await asyncio.to_thread(execute, postgres_url, "UPDATE account SET usage_seq = usage_seq + 1")
            await ear.hears()

    async def test_what_a_command_did_is_announced_before_it_ends(self, postgres_database, postgres_url):
        world = await World.create(postgres_database)
        await world.add_account()
        ear = Ear()
        async with postgres_database.changes.watch(ACCOUNT, ear.tell):
            await listening(postgres_url)
            command = Database.open(postgres_url)
            suspend = update(AccountRow).values(status=AccountStatus.SUSPENDED).where(col(AccountRow.name) != "")
            await command.run_tx(lambda session: session.exec(suspend))
            await command.close()
            await ear.hears()


def execute(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


LISTENERS = "FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%'"


def end_listeners(url: str) -> None:
    execute(url, f"SELECT pg_terminate_backend(pid) {LISTENERS}")


async def listening(url: str) -> None:
    """Wait until somebody listens."""
    async with asyncio.timeout(HEARD_WITHIN_SECONDS):
        while True:
            if await asyncio.to_thread(execute, url, f"SELECT pid {LISTENERS}"):
                return
