"""Collecting on each engine: paid, declined, unknown, by many hands at once, and changes that are paid first."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.domain.collection import AttemptState
from app.domain.invoice_drafts import InvoiceStatus
from app.repositories.database import Database
from app.services.common.caller import Caller
from app.services.payments.pay_invoice import NothingToPay, pay_invoice
from tests.graphql.test_plan_changes import PLAN_220, confirm, preview
from tests.till import MASTERCARD, VISA, Till
from tests.world import ACCOUNT, World, pacific

SOFT = "2001"


@pytest.fixture
async def till(migrated_url: str, gateway):
    """An account with two cards and July's invoice, not collected yet; in the end all agrees."""
    database = Database.open(migrated_url)
    till = Till(await World.create(database, payments=gateway.payments()), gateway)
    await till.world.add_account()
    await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    yield till
    assert await till.world.differences() == []
    assert await till.disagreements() == []
    await database.close()


async def press(till: Till, number: int) -> str:
    invoice = (await till.world.issued())[0]
    try:
        return await pay_invoice(
            till.world.services,
            Caller(ACCOUNT, "user:test"),
            payment_runner=till.world.payment_runner,
            invoice_id=invoice.id,
            idempotency_key=f"press-{number}",
        )
    except NothingToPay:
        return "PAID_BEFORE"


class TestCollecting:
    async def test_from_declines_to_suspension_and_back(self, till):
        till.gateway.force("*", SOFT)
        await till.advance_to(pacific(2026, 7, 9))
        assert "account.suspended" in await till.kinds()
        till.gateway.force("*", None)
        assert await press(till, 1) == "APPLIED"
        assert "account.reactivated" in await till.kinds()

    async def test_many_hands_make_one_charge(self, till):
        outcomes = await asyncio.gather(*(press(till, n) for n in range(12)), *(till.collect() for _ in range(4)))
        assert {each for each in outcomes if isinstance(each, str)} <= {"APPLIED", "PAID_BEFORE"}
        assert [attempt.state for attempt in await till.attempts()] == [AttemptState.SUCCEEDED]

    async def test_an_unknown_outcome_is_found_out(self, till):
        till.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        await till.collect()
        assert [attempt.state for attempt in await till.attempts()] == [AttemptState.UNKNOWN]
        await till.advance_to(till.world.clock.now() + timedelta(minutes=1))
        assert (await till.world.issued())[0].status is InvoiceStatus.PAID

    async def test_a_change_waits_for_its_payment_takes_effect_or_is_dropped(self, till):
        await till.collect()
        till.gateway.force("*", SOFT, 2)
        assert (await confirm(till.world, await preview(till.world, PLAN_220)))["code"] == "PAYMENT_DECLINED"
        till.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        quote = await preview(till.world, PLAN_220)
        assert (await confirm(till.world, quote, key="again"))["status"] == "PAYMENT_PENDING"
        await till.advance_to(till.world.clock.now() + timedelta(minutes=1))
        assert (await confirm(till.world, quote, key="again"))["status"] == "APPLIED"
