"""Money that goes back, notices and a restore, on both engines: the rows of each take part once."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.collection import AttemptState
from app.domain.refunds import WebhookEventState
from app.repositories.database import Database
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.refund_steps import settle_refunds
from app.services.operations.process_webhook_events import process_webhook_events
from app.services.operations.reconcile import reconcile
from app.services.operations.report_month import report_month
from app.services.operations.report_reconcile import report_reconcile
from app.services.operations.restore_database import mark_restored
from app.services.operations.sweep_gateway import sweep_if_due
from tests.inbox import Inbox
from tests.services.staff import WHY, by_ann
from tests.till import Till
from tests.world import World, pacific

FIRST = 100_001


@pytest.fixture
async def till(migrated_url, gateway):
    """An account whose first invoice was paid by card and is settled."""
    database = Database.open(migrated_url)
    till = Till(await World.create(database, payments=gateway.payments()), gateway)
    await till.world.add_account()
    await till.add_card()
    await till.world.close_now()
    await till.collect()
    gateway.settle()
    yield till
    assert await till.world.differences() == []
    await database.close()


async def test_a_refund_whose_answer_was_lost_is_found_once(till):
    given = {"invoice_number": FIRST, "amount_cents": 39_00, "reference": "R1", **WHY}
    till.gateway.faults({"match": "refund", "when": "after", "action": "reset"})
    assert not (await refund_payment(till.world.services, by_ann(), **given)).is_known
    till.world.clock.instant = pacific(2026, 7, 1, 13)
    await asyncio.gather(*(settle_refunds(till.world.services) for _ in range(3)))
    (attempt,) = await till.attempts()
    (refund,) = await till.read(lambda uow: uow.refunds.list_of_attempt(attempt.account_id, attempt.id))
    assert (refund.state, await till.read(lambda uow: uow.refunds.gone_back_cents(attempt.id))) == (
        AttemptState.SUCCEEDED,
        39_00,
    )
    assert await till.read(lambda uow: uow.refunds.list_open()) == []
    assert (await till.read(lambda uow: uow.refunds.find_by_transaction(refund.transaction_id))) == refund


async def test_the_same_notice_at_the_same_time_is_kept_once_and_has_one_effect(till):
    inbox, (attempt,) = Inbox(till), await till.attempts()
    told = till.gateway.dispute(transaction_id=attempt.transaction_id, status="lost")["webhook_id"]
    for statuses in await asyncio.gather(*(inbox.post(told) for _ in range(5))):
        assert statuses == [200]
    await asyncio.gather(*(process_webhook_events(till.world.services) for _ in range(3)))
    kept = await till.read(lambda uow: uow.webhook_events.list_all())
    assert [(each.notice.name, each.state) for each in kept] == [("dispute_lost", WebhookEventState.DONE)]
    assert (await till.kinds()).count("dispute.lost") == 1


async def test_sweep_report_and_restore(till):
    report = await sweep_if_due(till.world.services)
    assert report is not None
    assert report.settled == 1
    assert await sweep_if_due(till.world.services) is None
    month = await report_month(till.world.services, month="2026-07")
    assert (month.settlements.matched_count, month.settlements.matched_cents) == (1, 139_00)
    world = till.world
    await mark_restored(world.services, next_number=100_010, actor="cli:test")
    result = await reconcile(world.services, since=pacific(2026, 7, 1), actor="cli:test")
    assert (result.known, result.problems, result.is_lifted) == (1, (), True)
    world.clock.instant = pacific(2026, 8, 1, 7)
    await world.close_now()
    assert [invoice.number for invoice in await world.issued()] == [FIRST, 100_010]


async def test_the_gateway_s_month_is_ours(till):
    (attempt,) = await till.attempts()
    await refund_payment(till.world.services, by_ann(), invoice_number=FIRST, amount_cents=9_00, reference="R1", **WHY)
    told = till.gateway.dispute(transaction_id=attempt.transaction_id, amount_cents=30_00, status="lost")["webhook_id"]
    await Inbox(till).post(told)
    await process_webhook_events(till.world.services)
    found = await report_reconcile(till.world.services, month="2026-07")
    assert found.differences == ()
    assert [(each.theirs_cents, each.ours_cents, each.posted_cents) for each in found.totals] == [
        (139_00, 139_00, 139_00),
        (0, 0, 0),
        (9_00, 9_00, 9_00),
        (30_00, 30_00, 30_00),
        (30_00, 30_00, 0),
    ]
