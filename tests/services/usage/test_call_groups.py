"""Calls that come in one by one share transactions: each has its own result, and none takes another with it."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.metering import MeteringResult, Outcome
from app.repositories.database import DatabaseUnreachable
from app.services.usage import call_groups
from app.services.usage.call_groups import CallGroups
from app.services.usage.record_calls import BATCH_SIZE, Item
from tests.factories.calls import a_call
from tests.services.books import differences, rows
from tests.services.usage.test_record_calls import ACCEPTED, DUPLICATE
from tests.world import World, pacific

NOON = pacific(2026, 7, 14, 12)


@pytest.fixture
async def groups(world: World) -> CallGroups:
    await world.add_account()
    await world.advance_to(NOON)
    return CallGroups(world.services)


async def record(groups: CallGroups, *names: str, source: str = "east") -> list[MeteringResult]:
    items = [Item(at, a_call(event_id=name, started_at=NOON)._replace(source=source)) for at, name in enumerate(names)]
    return await groups.record(source=source, items=items, actor=f"key:{source}")


def transactions(world: World) -> list[int]:
    """How many calls each transaction recorded: it leaves one event for an account."""
    return [
        calls
        for (calls,) in rows(
            world.database, "SELECT data ->> 'calls' FROM event WHERE kind = 'usage.recorded' ORDER BY id"
        )
    ]


class TestGroups:
    async def test_what_arrives_while_one_is_written_shares_the_next_transaction(self, world, groups):
        found = await asyncio.gather(*(record(groups, f"e-{at}") for at in range(50)))

        assert found == [[ACCEPTED]] * 50
        assert transactions(world) == [50]
        assert await differences(world.database) == []

        first, *later = await asyncio.gather(record(groups, "f-0"), *(_after_a_moment(groups, at) for at in range(9)))

        assert [first, *later] == [[ACCEPTED]] * 10
        assert sum(transactions(world)) == 60
        assert len(transactions(world)) <= 4

    async def test_each_request_has_its_own_results_in_its_order(self, world, groups):
        found = await asyncio.gather(
            record(groups, "1", "2"), record(groups), record(groups, "2", "3"), record(groups, "1")
        )

        assert found == [[ACCEPTED, ACCEPTED], [], [DUPLICATE, ACCEPTED], [DUPLICATE]]
        assert sum(transactions(world)) == 3

    async def test_a_transaction_takes_no_more_than_a_batch(self, world, groups):
        most = [f"e-{at}" for at in range(BATCH_SIZE)]

        await asyncio.gather(record(groups, *most), record(groups, "f"), record(groups, "g"))

        assert transactions(world) == [BATCH_SIZE, 2]

    async def test_senders_are_told_apart(self, world, groups):
        found = await asyncio.gather(record(groups, "1"), record(groups, "1"), record(groups, "1", source="west"))

        assert found == [[ACCEPTED], [DUPLICATE], [ACCEPTED]]
        told = rows(world.database, "SELECT actor FROM event WHERE kind = 'usage.recorded' ORDER BY id")
        assert told == [("key:east",), ("key:west",)]

    async def test_one_that_cannot_be_recorded_fails_alone(self, world, groups, monkeypatch):
        honest = call_groups.record_within

        async def refuses_west(uow, clock, ids, source, items, actor):
            if source == "west":
                raise RuntimeError("west cannot be recorded")
            return await honest(uow, clock, ids, source, items, actor)

        monkeypatch.setattr(call_groups, "record_within", refuses_west)

        found = await asyncio.gather(
            record(groups, "1"), record(groups, "1", source="west"), record(groups, "2"), return_exceptions=True
        )

        assert found[0] == found[2] == [ACCEPTED]
        assert str(found[1]) == "west cannot be recorded"
        assert sum(transactions(world)) == 2

    async def test_without_a_database_all_are_told_at_once(self, groups, monkeypatch):
        tries = []

        async def away(*_):
            tries.append(1)
            raise DatabaseUnreachable("the database", "gone")

        monkeypatch.setattr(call_groups.unit_of_work, "write", away)

        found = await asyncio.gather(*(record(groups, f"e-{at}") for at in range(9)), return_exceptions=True)

        assert {type(each) for each in found} == {DatabaseUnreachable}
        assert len(tries) == 1

    async def test_whoever_leaves_takes_nobody_along(self, world, groups):
        leaving = asyncio.create_task(record(groups, "1"))
        staying = asyncio.create_task(record(groups, "2"))
        await asyncio.sleep(0)
        leaving.cancel()

        assert await staying == [ACCEPTED]
        assert leaving.cancelled() or leaving.cancelling()
        assert await record(groups, "1") in ([MeteringResult(Outcome.DUPLICATE)], [ACCEPTED])


async def _after_a_moment(groups: CallGroups, at: int) -> list[MeteringResult]:
    await asyncio.sleep(0)
    return await record(groups, f"g-{at}")
