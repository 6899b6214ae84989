"""Notices of the payment service, in any order and however often: one effect, and the gateway has the last word."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import permutations

import pytest

from app.domain.collection import CollectionStatus
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.payment_gateway import Customer, VaultRequest
from app.domain.payment_methods import MethodStatus
from app.services.adjustments.refund_payment import refund_payment
from app.services.common.caller import Caller
from app.services.operations.process_webhook_events import process_webhook_events
from app.services.payments.customer_charges import Outcome
from app.services.payments.pay_invoice import pay_invoice
from tests.inbox import Inbox
from tests.services.books import rows
from tests.services.staff import WHY, balances, by_ann, check_books
from tests.till import MASTERCARD, Till
from tests.world import ACCOUNT, pacific

FIRST = 100_001
FULL = 139_00
PAYPAL = "fake-paypal-billing-agreement-nonce"


@pytest.fixture
async def inbox(till: Till):
    """An account whose first invoice was paid by its Visa, and is settled; a Mastercard is the back-up."""
    await till.world.add_account()
    await till.add_card()
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    await till.collect()
    till.gateway.settle()
    yield Inbox(till)
    assert await till.world.differences() == []
    check_books(till.world.database)


async def charge(inbox: Inbox):
    return (await inbox.till.attempts())[0]


async def transaction(inbox: Inbox) -> str:
    return (await charge(inbox)).transaction_id


async def count(inbox: Inbox, kind: str) -> int:
    return (await inbox.till.kinds()).count(kind)


async def failures_told(inbox: Inbox) -> list[str]:
    """Why each charge failed that the admin was told of."""
    return [
        json.loads(facts)["reason"]
        for (facts,) in rows(
            inbox.world.database, "SELECT facts FROM notification WHERE kind = 'PAYMENT_FAILED' AND user_id IS NOT NULL"
        )
    ]


class TestDisputes:
    async def test_an_open_one_is_told_and_moves_nothing(self, inbox):
        told = inbox.till.gateway.dispute(transaction_id=await transaction(inbox))
        assert await inbox.take(told["webhook_id"]) == [("dispute_opened", "DONE")]
        event = (await inbox.world.trail())[-1]
        assert (event.kind, event.data["amount_cents"], event.data["number"]) == ("dispute.opened", FULL, FIRST)
        assert balances(inbox.world.database) == {FIRST: ("PAID", 0)}

    async def test_a_lost_one_opens_the_balance_and_nothing_is_charged_by_itself(self, inbox):
        told = inbox.till.gateway.dispute(transaction_id=await transaction(inbox), status="lost")
        await inbox.take(told["webhook_id"])
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}
        assert rows(inbox.world.database, "SELECT kind FROM ledger_posting ORDER BY seq DESC LIMIT 1") == [
            ("CHARGED_BACK",)
        ]
        await inbox.till.advance_to(pacific(2026, 7, 31, 12))
        assert len(await inbox.till.attempts()) == 1
        assert "account.suspended" not in await inbox.till.kinds()

    async def test_a_part_of_the_charge(self, inbox):
        told = inbox.till.gateway.dispute(transaction_id=await transaction(inbox), status="lost", amount_cents=39_00)
        await inbox.take(told["webhook_id"])
        assert balances(inbox.world.database) == {FIRST: ("OPEN", 39_00)}

    async def test_a_won_one_changes_nothing(self, inbox):
        opened = inbox.till.gateway.dispute(transaction_id=await transaction(inbox))
        won = inbox.till.gateway.dispute(dispute_id=opened["dispute_id"], status="won")
        await inbox.take(opened["webhook_id"], won["webhook_id"])
        assert await count(inbox, "dispute.won") == 1
        assert balances(inbox.world.database) == {FIRST: ("PAID", 0)}

    async def test_one_that_is_won_after_it_was_lost_is_paid_again(self, inbox):
        lost = inbox.till.gateway.dispute(transaction_id=await transaction(inbox), status="lost")
        await inbox.take(lost["webhook_id"])
        won = inbox.till.gateway.dispute(dispute_id=lost["dispute_id"], status="won")
        await inbox.take(won["webhook_id"])
        assert balances(inbox.world.database) == {FIRST: ("PAID", 0)}
        assert (await inbox.till.collection()).status is CollectionStatus.DONE

    async def test_rule_33_one_that_is_won_leaves_nothing_open_and_brings_service_back(self, inbox):
        """August was paid after service was suspended; what is open then is July, which the bank took back."""
        world, gateway = inbox.world, inbox.till.gateway
        lost = gateway.dispute(transaction_id=await transaction(inbox), status="lost")
        await inbox.take(lost["webhook_id"])
        gateway.force("*", "2001")
        await inbox.till.advance_to(pacific(2026, 8, 9, 12))
        gateway.force("*", None)
        (_, august) = await world.issued()
        assert (
            await pay_invoice(
                world.services,
                Caller(ACCOUNT, "user:ann"),
                payment_runner=world.payment_runner,
                idempotency_key="K1",
                invoice_id=august.id,
            )
            is Outcome.APPLIED
        )
        assert await count(inbox, "account.suspended") == 1
        assert await count(inbox, "account.reactivated") == 0

        won = gateway.dispute(dispute_id=lost["dispute_id"], status="won")
        await inbox.take(won["webhook_id"])

        assert set(balances(world.database).values()) == {("PAID", 0)}
        assert await count(inbox, "account.reactivated") == 1

    @pytest.mark.parametrize("order", list(permutations(range(3))))
    async def test_in_any_order_and_twice_there_is_one_effect(self, inbox, order):
        gateway = inbox.till.gateway
        opened = gateway.dispute(transaction_id=await transaction(inbox))
        steps = [opened, *(gateway.dispute(dispute_id=opened["dispute_id"], status=s) for s in ("disputed", "lost"))]
        ids = [steps[place]["webhook_id"] for place in order]
        for webhook_id in [*ids, *ids]:
            await inbox.take(webhook_id)
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}
        assert await count(inbox, "dispute.lost") == 1
        assert len(inbox.kept()) == 3
        assert await failures_told(inbox) == ["The bank took the payment back, because it was disputed."]
        assert (await inbox.world.data("{ viewer { banner } }"))["viewer"]["banner"] is not None


class TestSettlement:
    async def test_settled_is_remembered(self, inbox):
        told = inbox.till.gateway.webhook("transaction_settled", transaction_id=await transaction(inbox))
        await inbox.take(told)
        assert rows(inbox.world.database, "SELECT settled_at IS NOT NULL FROM payment_attempt") == [(1,)]

    async def test_rule_30_a_late_decline_opens_the_balance_and_the_next_slot_charges(self, inbox):
        at = await transaction(inbox)
        inbox.till.gateway.settle(at, status="settlement_declined")
        told = inbox.till.gateway.webhook("transaction_settlement_declined", transaction_id=at)
        inbox.world.clock.instant = pacific(2026, 7, 4, 12)
        await inbox.take(told)
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}
        collection = await inbox.till.collection()
        assert (collection.status, collection.next_attempt_at) == (CollectionStatus.WAITING, pacific(2026, 7, 6, 6))
        assert collection.late_fee_at == pacific(2026, 7, 11, 6)
        assert await failures_told(inbox) == ["The bank did not pay it after all."]
        assert (await inbox.world.data("{ viewer { banner } }"))["viewer"]["banner"] is not None
        await inbox.till.advance_to(pacific(2026, 7, 6, 12))
        assert (await inbox.world.issued())[0].status is InvoiceStatus.PAID
        assert await count(inbox, "payment.returned") == 1

    async def test_a_notice_that_says_otherwise_than_the_gateway_is_not_believed(self, inbox):
        told = inbox.till.gateway.webhook("transaction_settlement_declined", transaction_id=await transaction(inbox))
        await inbox.take(told)
        assert balances(inbox.world.database) == {FIRST: ("PAID", 0)}

    async def test_twice_and_after_settled_there_is_one_effect(self, inbox):
        gateway, at = inbox.till.gateway, await transaction(inbox)
        settled = gateway.webhook("transaction_settled", transaction_id=at)
        await inbox.take(settled)
        gateway.settle(at, status="settlement_declined")
        declined = [gateway.webhook("transaction_settlement_declined", transaction_id=at) for _ in range(2)]
        inbox.world.clock.instant += timedelta(days=1)
        late = gateway.webhook("transaction_settlement_declined", transaction_id=at)
        await inbox.take(late, *declined, settled)
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}
        assert await count(inbox, "payment.returned") == 1


class TestMethods:
    async def test_revoked_it_needs_attention_and_the_default_stays(self, inbox):
        paypal = await inbox.till.add_card(PAYPAL, is_default=True)
        told = inbox.till.gateway.revoke(paypal)
        await inbox.take(told)
        method = next(each for each in await inbox.till.methods() if each.id == paypal)
        assert (method.status, method.is_default) == (MethodStatus.NEEDS_ATTENTION, True)
        assert await count(inbox, "payment_method.revoked") == 1
        await inbox.take(told)
        assert await count(inbox, "payment_method.revoked") == 1

    async def test_an_updated_card_is_read_again(self, inbox):
        visa, mastercard = await inbox.till.methods()
        told = inbox.till.gateway.update_card(visa.id, expiration_month="11", expiration_year="2031", last_4="4242")
        await inbox.take(told)
        after = await inbox.till.methods()
        assert (after[0].expiry_month, after[0].expiry_year, after[0].last4) == (11, 2031, "4242")
        assert after[1] == mastercard
        event = (await inbox.world.trail())[-1]
        assert (event.kind, event.data["last4"]) == ("payment_method.updated_by_bank", ["1881", "4242"])

    async def test_rule_29_a_refused_card_that_its_bank_has_updated_is_tried_again(self, inbox):
        visa, _ = await inbox.till.methods()
        inbox.till.gateway.force(visa.id, "2005")
        await inbox.till.advance_to(pacific(2026, 8, 1, 12))
        assert (await inbox.till.methods())[0].status is MethodStatus.NEEDS_ATTENTION
        await inbox.take(inbox.till.gateway.update_card(visa.id, expiration_year="2035"))
        assert (await inbox.till.methods())[0].status is MethodStatus.ACTIVE

    async def test_a_card_that_the_vault_lost_needs_attention(self, inbox):
        visa, mastercard = await inbox.till.methods()
        await inbox.world.services.payments.remove_method(visa.id)
        await inbox.take(inbox.till.gateway.update_card(mastercard.id, last_4="9999"))
        after = await inbox.till.methods()
        assert [(each.status, each.last4) for each in after] == [
            (MethodStatus.NEEDS_ATTENTION, "1881"),
            (MethodStatus.ACTIVE, "9999"),
        ]


class TestRefunds:
    async def test_a_failed_refund_is_ours_again_and_staff_hear_of_it(self, inbox):
        given = {"invoice_number": FIRST, "amount_cents": 39_00, "reference": "R1", **WHY}
        await refund_payment(inbox.world.services, by_ann(), **given)
        ((at,),) = rows(inbox.world.database, "SELECT transaction_id FROM refund")
        early = inbox.till.gateway.webhook("refund_failed", transaction_id=at)
        await inbox.take(early)
        assert balances(inbox.world.database) == {FIRST: ("OPEN", 39_00)}
        inbox.till.gateway.settle(at, status="settlement_declined")
        inbox.world.clock.instant += timedelta(minutes=1)
        late = inbox.till.gateway.webhook("refund_failed", transaction_id=at)
        await inbox.take(late, early)
        assert balances(inbox.world.database) == {FIRST: ("PAID", 0)}
        assert await count(inbox, "refund.failed") == 1
        await refund_payment(inbox.world.services, by_ann(), **{**given, "reference": "R2", "amount_cents": FULL})
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}


class TestNotOurs:
    async def test_what_we_do_not_know_is_put_in_quarantine(self, inbox):
        gateway = inbox.till.gateway
        before = rows(inbox.world.database, "SELECT * FROM collection"), await inbox.till.kinds()
        stranger = gateway.webhook("transaction_settled", subject={"transaction": {"id": "nobody", "amount": "1.00"}})
        request = VaultRequest(Customer("acc_nobody", "Nobody"), "pm_nobody", PAYPAL)
        await inbox.world.services.payments.vault(request)
        revoked = gateway.revoke("pm_nobody")
        kept = await inbox.take(stranger, revoked)
        assert {state for _, state in kept} == {"QUARANTINED"}
        reasons = rows(inbox.world.database, "SELECT reason FROM gateway_notice ORDER BY id")
        assert reasons == [("the gateway has no such transaction",), ("no payment method of ours",)]
        assert (rows(inbox.world.database, "SELECT * FROM collection"), await inbox.till.kinds()) == before

    async def test_what_we_have_no_use_for_is_kept(self, inbox):
        told = inbox.till.gateway.webhook("disbursement")
        assert await inbox.take(told) == [("disbursement", "DONE")]

    async def test_a_gateway_that_cannot_be_asked_is_asked_later(self, inbox):
        told = inbox.till.gateway.dispute(transaction_id=await transaction(inbox), status="lost")
        inbox.till.gateway.faults({"match": "find_dispute", "action": "reset", "times": 3})
        assert await inbox.take(told["webhook_id"]) == [("dispute_lost", "RECEIVED")]
        assert await process_webhook_events(inbox.world.services) == 0
        inbox.till.gateway.faults()
        inbox.world.clock.instant += timedelta(minutes=1)
        assert await process_webhook_events(inbox.world.services) == 1
        assert balances(inbox.world.database) == {FIRST: ("OPEN", FULL)}
