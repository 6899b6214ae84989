"""The banner above every page: what happened last to an invoice that is open, and nothing once credit covers it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.accounts import Role
from app.graphql.types.viewer import PAST_DUE
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.refund_payment import refund_payment
from app.services.operations.sweep_gateway import sweep_gateway
from app.views.viewer import PastDue
from tests.graphql.test_payments import pay
from tests.inbox import Inbox
from tests.services.staff import WHY, by_ann
from tests.till import MASTERCARD, VISA, Till
from tests.trips import counted_trips
from tests.world import pacific

QUERY = "{ viewer { banner } }"
FIRST, FULL = 100_001, 139_00


async def banner(till):
    return (await till.world.data(QUERY, by=Role.MEMBER))["viewer"]["banner"]


async def refund(till, cents=FULL, reference="R1"):
    await refund_payment(
        till.world.services, by_ann(), invoice_number=FIRST, amount_cents=cents, reference=reference, **WHY
    )


async def take_back(till, cents=FULL):
    """The bank takes a disputed payment back."""
    (charge,) = [each for each in await till.attempts() if each.transaction_id]
    inbox = Inbox(till)
    told = till.gateway.dispute(transaction_id=charge.transaction_id, status="lost", amount_cents=cents)
    await inbox.take(told["webhook_id"])


async def goodwill(till, cents):
    await grant_goodwill(till.world.services, by_ann(), amount_cents=cents, reference="T1", **WHY)


@pytest.fixture
async def july(till: Till):
    """A Visa and a Mastercard on file; July's invoice is issued and nothing is charged yet."""
    await till.world.add_account()
    await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    yield till
    assert await till.world.differences() == []


@pytest.fixture
async def paid(july):
    """July is paid and settled."""
    await july.collect()
    return july


def test_every_reason_has_words():
    assert set(PAST_DUE) == set(PastDue)
    assert len(set(PAST_DUE.values())) == len(PastDue)


class TestReasons:
    async def test_nothing_while_all_is_paid(self, paid):
        assert await banner(paid) is None

    async def test_a_decline(self, july):
        july.gateway.force("*", "2001")
        await july.collect()
        assert await banner(july) == PAST_DUE[PastDue.DECLINED]

    async def test_a_refund(self, paid):
        paid.gateway.settle()
        await refund(paid)
        assert await banner(paid) == PAST_DUE[PastDue.REFUNDED]

    async def test_a_charge_taken_back_before_it_was_settled_is_a_refund_too(self, paid):
        await refund(paid)
        assert await banner(paid) == PAST_DUE[PastDue.REFUNDED]

    async def test_a_disputed_payment(self, paid):
        paid.gateway.settle()
        await take_back(paid)
        assert await banner(paid) == PAST_DUE[PastDue.CHARGED_BACK]

    async def test_a_payment_returned_by_the_bank(self, paid):
        paid.gateway.settle(status="settlement_declined")
        await sweep_gateway(paid.world.services)
        assert await banner(paid) == PAST_DUE[PastDue.RETURNED]

    async def test_a_suspension_that_is_announced(self, till):
        """Nobody ever gave a card, so that nothing was declined."""
        await till.world.add_account()
        await till.world.close_now()
        seen = set()
        for day in range(1, 31):
            await till.advance_to(pacific(2026, 7, day, 12))
            seen.add(await banner(till))
        assert PAST_DUE[PastDue.SUSPENSION_ANNOUNCED] in seen
        assert PAST_DUE[PastDue.DECLINED] not in seen


class TestWhatHappenedLast:
    async def test_a_decline_after_a_refund(self, paid):
        paid.gateway.settle()
        await refund(paid)
        paid.gateway.force("*", "2001")
        paid.world.clock.instant += timedelta(hours=1)
        await pay(paid, (await paid.world.issued())[0].id)
        assert await banner(paid) == PAST_DUE[PastDue.DECLINED]

    async def test_a_refund_after_a_decline(self, july):
        """The Visa declines and the Mastercard pays; what went back of that is what is open."""
        july.gateway.force("*", "2001", 1)
        await july.collect()
        july.gateway.settle()
        july.world.clock.instant += timedelta(hours=1)
        await refund(july)
        assert await banner(july) == PAST_DUE[PastDue.REFUNDED]

    async def test_a_refund_of_more_after_a_decline_of_what_was_open(self, paid):
        paid.gateway.settle()
        await refund(paid, 39_00)
        paid.gateway.force("*", "2001")
        paid.world.clock.instant += timedelta(hours=1)
        await pay(paid, (await paid.world.issued())[0].id)
        paid.world.clock.instant += timedelta(hours=1)
        await refund(paid, 50_00, "R2")
        assert await banner(paid) == PAST_DUE[PastDue.REFUNDED]

    async def test_a_disputed_payment_after_a_refund_of_a_part_of_it(self, paid):
        paid.gateway.settle()
        await refund(paid, 39_00)
        await take_back(paid, 100_00)
        assert await banner(paid) == PAST_DUE[PastDue.CHARGED_BACK]

    async def test_a_refund_after_a_part_was_taken_back(self, paid):
        paid.gateway.settle()
        await take_back(paid, 100_00)
        await refund(paid, 39_00)
        assert await banner(paid) == PAST_DUE[PastDue.REFUNDED]


class TestCredit:
    async def test_that_covers_what_is_owed_there_is_nothing_to_say(self, paid):
        """What was refunded is paid by hand: the credit waits beside it, and is as much."""
        paid.gateway.settle()
        await refund(paid)
        await goodwill(paid, FULL)
        summary = (await paid.world.data("{ billingSummary { openBalance { amount } creditBalance { amount } } }"))[
            "billingSummary"
        ]
        assert summary == {"openBalance": {"amount": "139.00"}, "creditBalance": {"amount": "139.00"}}
        assert await banner(paid) is None

    async def test_of_a_cent_less_leaves_it(self, paid):
        paid.gateway.settle()
        await refund(paid)
        await goodwill(paid, FULL - 1)
        assert await banner(paid) == PAST_DUE[PastDue.REFUNDED]

    async def test_that_pays_what_was_declined_at_once_takes_it_away(self, july):
        july.gateway.force("*", "2001")
        await july.collect()
        await goodwill(july, FULL)
        assert await banner(july) is None


async def test_it_takes_one_trip(paid):
    await refund(paid)
    async with counted_trips() as trips:
        await banner(paid)
    assert trips.count == 1, trips.statements
