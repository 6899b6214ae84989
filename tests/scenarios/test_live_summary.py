"""Summaries that stay up to date: a real server streams what this process, or another server, writes."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from app.domain.accounts import Role
from app.repositories.database import Database
from tests.factories.calls import a_call
from tests.fakes.event_stream import COMPLETE, Event
from tests.scenarios.live_run import Served, served
from tests.world import ACCOUNT, World, pacific

OTHER = "BB0202"
NOON = pacific(2026, 7, 14, 12)


async def a_world(database: Database) -> World:
    world = await World.create(database)
    for account in (ACCOUNT, OTHER):
        await world.add_account(account, name=f"Account {account}")
    await world.advance_to(NOON)
    return world


async def add_call(world: World, account: str = ACCOUNT) -> None:
    call = a_call(account=account, event_id=account, started_at=NOON, script_seconds=60, recording_seconds=60)
    await world.add_calls(call._replace(started_at=pacific(2026, 7, 13, 9)))


def live_seconds(event: Event) -> int:
    found: int = event.data["data"]["billingSummaryUpdated"]["usage"]["live"]["seconds"]
    return found


async def tell(world: World, server: Served) -> None:
    """Calls come in elsewhere, of two accounts: each stream hears of its own alone; then the server stops."""
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(server.follow(subject=Role.ADMIN))
        others = await stack.enter_async_context(server.follow(subject=Role.ADMIN, account=OTHER))
        assert [live_seconds(await anext(ours)), live_seconds(await anext(others))] == [0, 0]
        await add_call(world, OTHER)
        seen = await events_until(others, 60)
        await add_call(world)
        assert {summary_id(event) for event in await events_until(ours, 60)}.isdisjoint(map(summary_id, seen))
        server.stop()
        ends = [[event async for event in stream if event.kind != "next"] for stream in (ours, others)]
        assert ends == [[COMPLETE], [COMPLETE]]
    assert server.exit_code() == -signal.SIGTERM


async def events_until(events: AsyncIterator[Event], seconds: int) -> list[Event]:
    """The events up to that with so many seconds of usage; what the server did at its start may come before."""
    seen: list[Event] = []
    while not seen or live_seconds(seen[-1]) != seconds:
        seen.append(await anext(events))
    return seen


def summary_id(event: Event) -> str:
    found: str = event.data["data"]["billingSummaryUpdated"]["id"]
    return found


async def test_on_sqlite(database: Database, tmp_path: Path):
    world = await a_world(database)
    with served(tmp_path, f"sqlite:///{tmp_path}/flex-billing.db", NOON) as server:
        await tell(world, server)


@pytest.mark.postgres
async def test_on_postgresql(postgres_database: Database, postgres_url: str, tmp_path: Path):
    world = await a_world(postgres_database)
    with served(tmp_path, postgres_url, NOON) as server:
        await tell(world, server)
