"""Months closed on PostgreSQL while another transaction holds some of the accounts: each is claimed once."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.invoice_drafts import InvoiceKind
from app.repositories import unit_of_work
from app.repositories.cycles import CycleRepository
from app.repositories.database import Database
from app.services.cycle.close_periods import close_periods
from tests.factories.calls import a_call
from tests.services.beside import held
from tests.world import World, pacific

pytestmark = pytest.mark.postgres

MINUTE = 60
ACCOUNTS = ("AA0101", "AA0102", "AA0103")
OUTGROWN = [
    (InvoiceKind.CYCLE, "2026-07", [("BASE", "2026-07", 139_00)]),
    (InvoiceKind.PLAN_UPGRADE, "2026-07", [("BASE", "2026-07", 239_00), ("BASE_REVERSAL", "2026-07", -139_00)]),
    (InvoiceKind.CYCLE, "2026-08", [("BASE", "2026-08", 139_00)]),
]
"""200 minutes on a plan of 100: $129.00 of overage are dearer than the next plan."""


@pytest.fixture
async def world(postgres_database: Database) -> World:
    """Three accounts whose July has outgrown its plan, and is due to close."""
    world = await World.create(postgres_database)
    for name in ACCOUNTS:
        await world.add_account(name, paid_since_on=date(2026, 7, 1))
    await world.close_now()
    world.clock.instant = pacific(2026, 8, 1, 7)
    await world.add_calls(
        *(
            a_call(event_id=name, account=name, started_at=pacific(2026, 7, 20), script_seconds=200 * MINUTE)
            for name in ACCOUNTS
        )
    )
    return world


async def issued(world: World, account: str) -> list[tuple]:
    return [
        (each.kind, each.period.month, [(str(line.kind), line.period.month, line.amount_cents) for line in each.lines])
        for each in await world.issued(account)
    ]


async def test_rule_19_an_account_let_go_after_the_claim_is_evaluated_before_it_closes(world, monkeypatch):
    """Rules 12, 19, 20: of three due accounts two are held elsewhere, and let go as the first is being upgraded."""
    claim_due, claims = CycleRepository.claim_due, []

    with held(world.database, *ACCOUNTS[1:]) as other:

        async def claim_then_let_go(self, now, limit):
            claimed = await claim_due(self, now, limit)
            claims.append([account.external_id for account in claimed])
            other.rollback()
            return claimed

        monkeypatch.setattr(CycleRepository, "claim_due", claim_then_let_go)
        assert await close_periods(world.services) == 3

    assert {name: await issued(world, name) for name in ACCOUNTS} == dict.fromkeys(ACCOUNTS, OUTGROWN)
    assert claims == [["AA0101"], ["AA0102", "AA0103"], []]
    assert await world.differences() == []


async def test_rule_12_an_account_that_stays_held_is_left_to_the_next_run(world):
    with held(world.database, "AA0102"):
        assert await close_periods(world.services) == 2

    assert await close_periods(world.services) == 1
    assert {name: await issued(world, name) for name in ACCOUNTS} == dict.fromkeys(ACCOUNTS, OUTGROWN)


async def test_a_second_claim_in_one_transaction_is_refused(world):
    async def claim_twice(uow: unit_of_work.UnitOfWork) -> None:
        await uow.cycles.claim_due(world.clock.now(), 1)
        await uow.cycles.claim_due(world.clock.now(), 1)

    with pytest.raises(RuntimeError, match="claims due accounts once"):
        await unit_of_work.write(world.database, claim_twice)
