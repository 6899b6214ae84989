"""The audit log on both engines: written once, read back typed or as it is."""

from __future__ import annotations

import pytest

from app.domain.events.invoices import InvoiceIssued, LateFeeAdded
from app.models.events import EventRow
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.events import Entry
from tests.world import World, pacific

NOON = pacific(2026, 7, 1, 12)
LATE_FEE = LateFeeAdded(number=100_001, amount_cents=5_00, charge="chg_1")


@pytest.fixture
async def world(migrated_url):
    database = Database.open(migrated_url)
    yield await World.create(database)
    await database.close()


class TestEvents:
    async def test_come_back_typed_with_who_and_when(self, world):
        owner = await world.add_account()

        async def work(uow):
            entry_id = await uow.events.record(
                LATE_FEE,
                ids=world.ids,
                actor="user:ann",
                at=NOON,
                account_id=owner.id,
                subject_id="inv_1",
                request_id="req_1",
            )
            return entry_id, await uow.events.list_of(LateFeeAdded, owner.id)

        entry_id, found = await unit_of_work.write(world.database, work)
        assert found == [
            Entry(
                LATE_FEE,
                id=entry_id,
                actor="user:ann",
                occurred_at=NOON,
                account_id=owner.id,
                subject_id="inv_1",
                request_id="req_1",
            )
        ]

    async def test_are_found_by_their_account_kind_and_subject(self, world):
        owner = await world.add_account()
        other = await world.add_account("BB0202")

        async def work(uow):
            for account_id in (owner.id, None):
                await uow.events.record(
                    LATE_FEE, ids=world.ids, actor="system", at=NOON, account_id=account_id, subject_id="inv_1"
                )
            return (
                [entry.account_id for entry in await uow.events.list_of(LateFeeAdded)],
                await uow.events.list_of(InvoiceIssued, owner.id),
                await uow.events.has_happened(owner.id, LateFeeAdded, "inv_1"),
                await uow.events.has_happened(owner.id, LateFeeAdded, "inv_2"),
                await uow.events.has_happened(owner.id, InvoiceIssued, "inv_1"),
                await uow.events.has_happened(other.id, LateFeeAdded, "inv_1"),
            )

        assert await unit_of_work.write(world.database, work) == ([None], [], True, False, False, False)

    async def test_an_unknown_kind_is_read_as_it_is(self, world):
        owner = await world.add_account()

        async def work(uow):
            uow.session.add(
                EventRow(
                    id="evt_z",
                    account_id=owner.id,
                    kind="crystal_ball.polished",
                    actor="system",
                    data={"a": 1},
                    occurred_at=NOON,
                )
            )
            await uow.session.flush()
            return await uow.events.list_for_account(owner.id)

        assert [(event.kind, event.data) for event in await unit_of_work.write(world.database, work)][-1] == (
            "crystal_ball.polished",
            {"a": 1},
        )
