"""Collecting through the real adapter and a gateway of this machine: rules 29 to 31."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.payment_methods import MethodStatus
from app.messages.invoice_words import invoice_words
from app.repositories import unit_of_work
from app.repositories.pages.invoices import INVOICE
from app.repositories.reader import load_within
from app.repositories.webhook_events import COLLECTION, Hold
from app.services.payments.collect_invoice import collect_invoice
from tests.till import MASTERCARD, VISA, Till
from tests.world import ACCOUNT, pacific

JULY = pacific(2026, 7, 1, 12)
HARD, SOFT, NETWORK = "2005", "2001", "3000"


@pytest.fixture
async def july(till: Till):
    """An account with a Visa by default and a Mastercard as a back-up; July's invoice is issued, not collected yet."""
    await till.world.add_account()
    await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    yield till
    assert await till.world.differences() == []
    assert await till.disagreements() == []


async def status(till: Till) -> InvoiceStatus:
    return (await till.world.issued())[0].status


async def states(till: Till) -> list[AttemptState]:
    return [attempt.state for attempt in await till.attempts()]


class TestPaid:
    async def test_rule_29_the_default_pays(self, july):
        await july.collect()
        assert await status(july) is InvoiceStatus.PAID
        (attempt,) = await july.attempts()
        assert (attempt.state, attempt.amount_cents, attempt.round_no) == (AttemptState.SUCCEEDED, 139_00, 1)
        assert july.gateway.captured(attempt.id) == (1, 139_00)
        assert (await july.collection()).status is CollectionStatus.DONE

    async def test_the_trail_says_which_card_paid(self, july):
        await july.collect()
        event = next(event for event in await july.world.trail() if event.kind == "payment.received")
        assert event.data["method_name"] == "Visa ending in 1881"
        assert event.data["is_backup"] is False

    async def test_the_invoice_names_the_card_as_the_portal_does(self, july):
        await july.collect()
        invoice = (await july.world.issued())[0]
        request = INVOICE.request(account=ACCOUNT, invoice_id=invoice.id)
        (shown,) = await july.read(lambda uow: load_within(uow.session, request))
        notes = [each.note for each in invoice_words(shown).sums if each.label == "Payment"]
        assert notes == ["Visa ending in 1881, received July 1, 2026"]

    async def test_nothing_is_done_twice(self, july):
        await july.collect()
        assert await july.collect() == 0
        assert len(await july.attempts()) == 1

    async def test_what_a_check_has_paid_is_not_charged(self, july):
        await july.world.pay(139_00)
        await july.collect()
        assert await july.attempts() == []
        assert (await july.collection()).status is CollectionStatus.DONE

    async def test_only_what_is_left_is_charged(self, july):
        await july.world.pay(39_00)
        await july.collect()
        assert [attempt.amount_cents for attempt in await july.attempts()] == [100_00]
        assert await status(july) is InvoiceStatus.PAID


class TestDeclines:
    async def test_rule_29_golden_a_hard_decline_exactly_one_back_up_is_charged_and_the_default_stays(self, july):
        visa, mastercard = await july.methods()
        july.gateway.force(visa.id, HARD)
        await july.collect()
        assert await status(july) is InvoiceStatus.PAID
        assert await states(july) == [AttemptState.DECLINED, AttemptState.SUCCEEDED]
        visa, mastercard = await july.methods()
        assert (visa.is_default, visa.status) == (True, MethodStatus.NEEDS_ATTENTION)
        assert (mastercard.is_default, mastercard.status) == (False, MethodStatus.ACTIVE)
        paid = [event for event in await july.world.trail() if event.kind == "payment.received"]
        assert [(event.data["is_backup"], event.data["method"]) for event in paid] == [(True, mastercard.id)]

    async def test_a_soft_decline_leaves_the_method_as_it_is(self, july):
        visa, _ = await july.methods()
        july.gateway.force(visa.id, SOFT)
        await july.collect()
        assert (await july.methods())[0].status is MethodStatus.ACTIVE
        assert await states(july) == [AttemptState.DECLINED, AttemptState.SUCCEEDED]

    async def test_rule_30_after_a_failed_round_the_next_is_two_days_later(self, july):
        july.gateway.force("*", SOFT)
        await july.collect()
        collection = await july.collection()
        assert (collection.status, collection.next_attempt_at) == (CollectionStatus.WAITING, pacific(2026, 7, 3, 6))
        assert (await july.kinds()).count("payment.failed") == 1
        assert await july.collect() == 0

    async def test_rule_30_a_soft_decline_is_tried_again_in_the_next_round_a_hard_one_is_not(self, july):
        visa, mastercard = await july.methods()
        july.gateway.force(visa.id, HARD)
        july.gateway.force(mastercard.id, SOFT)
        await july.advance_to(pacific(2026, 7, 3, 12))
        assert [attempt.method_id for attempt in await july.attempts()] == [visa.id, mastercard.id, mastercard.id]

    async def test_trouble_of_the_network_is_not_the_card_s(self, july):
        july.gateway.force("*", NETWORK)
        await july.collect()
        assert [method.status for method in await july.methods()] == [MethodStatus.ACTIVE] * 2
        assert (await july.collection()).status is CollectionStatus.WAITING

    async def test_the_bank_s_words_are_kept_for_staff(self, july):
        july.gateway.force("*", "2001")
        await july.collect()
        assert {attempt.decline.code for attempt in await july.attempts()} == {"2001"}


class TestUnknown:
    async def test_rule_31_no_back_up_is_charged_while_an_outcome_is_unknown(self, july):
        july.gateway.faults({"match": "sale", "when": "after", "action": "reset", "times": 1})
        await july.collect()
        assert await states(july) == [AttemptState.UNKNOWN]
        assert (await july.collection()).status is CollectionStatus.UNKNOWN
        assert "payment.failed" not in await july.kinds()
        await july.advance_to(JULY + timedelta(minutes=1))
        assert await states(july) == [AttemptState.SUCCEEDED]
        assert july.gateway.captured((await july.attempts())[0].id) == (1, 139_00)

    async def test_what_was_not_carried_out_is_charged_once(self, july):
        july.gateway.faults({"match": "sale", "when": "before", "action": "status", "status": 503, "times": 3})
        await july.advance_to(JULY + timedelta(minutes=5))
        assert await states(july) == [AttemptState.SUCCEEDED]

    async def test_without_request_keys_it_is_looked_for_after_the_gateway_s_deadline(self, july):
        july.gateway.settings(request_keys=False)
        july.gateway.faults({"match": "sale", "when": "after", "action": "reset", "skip": 1, "times": 1})
        await july.collect()
        (attempt,) = await july.attempts()
        assert (attempt.state, attempt.uses_key) == (AttemptState.UNKNOWN, False)
        await july.advance_to(JULY + timedelta(seconds=70))
        assert await states(july) == [AttemptState.UNKNOWN]
        await july.advance_to(JULY + timedelta(minutes=3))
        assert await states(july) == [AttemptState.SUCCEEDED]
        assert july.gateway.captured(attempt.id) == (1, 139_00)

    async def test_a_second_sending_that_is_refused_is_settled_by_the_absence_of_the_first(self, july):
        july.gateway.faults(
            {"match": "sale", "when": "before", "action": "reset", "times": 1},
            {"match": "sale", "when": "before", "action": "status", "status": 403, "times": 100},
        )
        await july.collect()
        assert await states(july) == [AttemptState.UNKNOWN]
        await july.advance_to(JULY + timedelta(minutes=3))
        assert (await states(july))[0] is AttemptState.DECLINED
        july.gateway.faults()
        await july.advance_to(JULY + timedelta(minutes=30))
        assert await status(july) is InvoiceStatus.PAID

    async def test_a_gateway_that_nobody_reaches_is_asked_again(self, july):
        payments = july.gateway.payments(port=1)
        broken = type(july.world.services)(
            july.world.database,
            july.world.clock,
            july.world.ids,
            payments,
            july.world.services.real_clock,
        )
        invoice = (await july.world.issued())[0]
        assert await collect_invoice(broken, invoice.id)
        assert await states(july) == [AttemptState.PLANNED]
        await july.advance_to(JULY + timedelta(minutes=1))
        assert await states(july) == [AttemptState.SUCCEEDED]


class TestDuplicates:
    """A rejection as a duplicate is looked up, and settled as what became of the charge before it (rule 31)."""

    @pytest.mark.parametrize("has_keys", [True, False])
    async def test_of_a_charge_that_went_through_it_is_paid_at_once(self, july, has_keys):
        july.gateway.settings(request_keys=has_keys)
        july.gateway.faults({"match": "sale", "when": "after", "action": "twice", "skip": 0 if has_keys else 1})
        await july.collect()
        (attempt,) = await july.attempts()
        statuses = july.gateway.ledger()[attempt.id]["transactions"]
        assert (attempt.state, await status(july)) == (AttemptState.SUCCEEDED, InvoiceStatus.PAID)
        assert (attempt.decline, len(statuses)) == (None, 2)
        assert july.gateway.captured(attempt.id) == (1, 139_00)

    async def test_of_a_charge_that_is_found_late_nothing_else_is_charged_before(self, july):
        july.gateway.faults(
            {"match": "sale", "when": "after", "action": "twice"},
            {"match": "search_ids", "when": "before", "action": "status", "status": 503, "times": 3},
        )
        await july.collect()
        (attempt,) = await july.attempts()
        assert (attempt.state, attempt.is_duplicate) == (AttemptState.UNKNOWN, True)
        await july.advance_to(JULY + timedelta(minutes=10))
        assert await states(july) == [AttemptState.SUCCEEDED]
        assert july.gateway.captured(attempt.id) == (1, 139_00)

    async def test_of_a_charge_that_was_never_made_it_is_a_decline_and_the_back_up_is_charged(self, july):
        july.gateway.force("*", "duplicate", 1)
        await july.collect()
        assert await states(july) == [AttemptState.UNKNOWN]
        await july.advance_to(JULY + timedelta(seconds=70))
        assert await states(july) == [AttemptState.UNKNOWN]
        await july.advance_to(JULY + timedelta(minutes=5))
        first, second = await july.attempts()
        assert (first.state, first.decline.code, first.sends) == (AttemptState.DECLINED, "duplicate", 1)
        assert (second.state, await status(july)) == (AttemptState.SUCCEEDED, InvoiceStatus.PAID)
        assert july.gateway.captured(first.id) == (0, 0)


class TestOurFault:
    async def test_a_gateway_that_refuses_us_costs_the_customer_nothing_and_is_parked_in_the_end(self, july):
        july.gateway.faults({"match": "sale", "when": "before", "action": "status", "status": 403, "times": 1_000})
        await july.advance_to(pacific(2026, 7, 1, 18))
        collection = await july.collection()
        assert collection.status is CollectionStatus.PARKED
        assert "payment.failed" not in await july.kinds()
        assert [method.status for method in await july.methods()] == [MethodStatus.ACTIVE] * 2


class TestHold:
    async def test_nothing_is_charged_under_a_hold(self, july):
        now = july.world.clock.now()
        await unit_of_work.write(july.world.database, lambda uow: uow.holds.put(Hold(COLLECTION, now, "restored")))
        assert await july.collect() == 0
        assert not await collect_invoice(july.world.services, (await july.world.issued())[0].id)
        await unit_of_work.write(july.world.database, lambda uow: uow.holds.lift(COLLECTION))
        await july.collect()
        assert await status(july) is InvoiceStatus.PAID
