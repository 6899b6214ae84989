"""Paying over HTTP: pay now, changes that are paid first, and what an invoice says of its collection (rules 17, 30)."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.domain.accounts import AccountStatus, Role
from app.domain.invoice_drafts import InvoiceStatus
from app.ports import came_from
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION, Hold
from app.services.adjustments.refund_payment import refund_payment
from app.services.common.caller import Caller
from app.services.payments.payment_runner import PaymentRunner
from tests.graphql.test_plan_changes import PLAN_100, PLAN_220, PLAN_500, confirm, preview
from tests.till import MASTERCARD, VISA, Till
from tests.trips import counted_trips
from tests.world import pacific

PAY = """mutation ($invoiceId: ID!, $key: String!) {
  payInvoice(input: {invoiceId: $invoiceId, idempotencyKey: $key}) {
    __typename
    ... on InvoicePaid {
      status
      invoice { id status collection { status nextAttemptAt attempts { state message displayName amount { amount } } } }
      billingSummary { openBalance { amount } }
    }
    ... on PaymentDeclined { invoiceId }
    ... on UserError { code message }
  }
}"""

PAY_ALL = """mutation ($key: String!) {
  payOpenBalance(input: {idempotencyKey: $key}) {
    __typename
    ... on OpenBalancePaid { outcomes { result invoice { number status } } billingSummary { openBalance { amount } } }
    ... on UserError { code message }
  }
}"""

SHOW = """query ($id: ID!) { invoice(id: $id) {
  status collection { status message nextAttemptAt lateFeeAt suspendsAt attempts { state message displayName } } } }"""

REVERSALS = """query ($id: ID!) { invoice(id: $id) {
  status balance { amount } reversals { reason reasonDisplayName amount { amount } reversedAt kind reference } } }"""

BUY_PREVIEW = "query ($id: ID!) { addOnChangePreview(addOnId: $id) { ... on AddOnQuote { id terms { version } } } }"
BUY = """mutation ($quoteId: ID!, $terms: String!) {
  activateAddOn(input: {quoteId: $quoteId, termsVersion: $terms, idempotencyKey: "buy"}) {
    __typename ... on AddOnActivated { status invoice { status } } ... on UserError { code }
  }
}"""


async def pay(till, invoice_id, key="press-1", **options):
    return (await till.world.data(PAY, variables={"invoiceId": invoice_id, "key": key}, **options))["payInvoice"]


async def pay_all(till, key="press-1"):
    return (await till.world.data(PAY_ALL, variables={"key": key}))["payOpenBalance"]


async def newest(till):
    return (await till.world.issued())[-1]


@pytest.fixture
async def july(till: Till):
    """A Visa and a Mastercard on file; July's invoice is issued and nothing is charged yet. In the end all agrees."""
    await till.world.add_account()
    await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    yield till
    assert await till.world.differences() == []
    assert await till.disagreements() == []


@pytest.fixture
async def paid(july):
    """July is paid."""
    await july.collect()
    return july


class TestPayInvoice:
    async def test_rule_30_charges_at_once_and_uses_no_slot(self, july):
        july.gateway.force("*", "2001", 2)
        await july.collect()
        answer = await pay(july, (await newest(july)).id)
        assert (answer["__typename"], answer["status"]) == ("InvoicePaid", "APPLIED")
        assert answer["invoice"]["status"] == "PAID"
        assert [each["state"] for each in answer["invoice"]["collection"]["attempts"]] == [
            "DECLINED",
            "DECLINED",
            "SUCCEEDED",
        ]
        assert answer["billingSummary"]["openBalance"] == {"amount": "0.00"}

    async def test_a_decline_of_every_method_says_so_and_the_schedule_goes_on(self, july):
        july.gateway.force("*", "2001")
        await july.collect()
        answer = await pay(july, (await newest(july)).id)
        assert (answer["__typename"], answer["code"]) == ("PaymentDeclined", "PAYMENT_DECLINED")
        assert (await july.collection()).slots_used == 1
        assert (await july.collection()).next_attempt_at == pacific(2026, 7, 3, 6)

    async def test_the_same_key_returns_the_same_answer_and_charges_nothing_more(self, july):
        july.gateway.force("*", "2001")
        invoice = await newest(july)
        first = await pay(july, invoice.id)
        assert await pay(july, invoice.id) == first
        assert len(await july.attempts()) == 2

    async def test_the_same_key_for_another_invoice_is_a_conflict(self, july):
        july.gateway.force("*", "2001")
        await july.advance_to(pacific(2026, 8, 2))
        first, second = await july.world.issued()
        july.gateway.force("*", None)
        await pay(july, second.id)
        answer = await pay(july, first.id)
        assert answer["code"] == "IDEMPOTENCY_CONFLICT"

    async def test_what_is_paid_is_not_paid_again(self, paid):
        answer = await pay(paid, (await newest(paid)).id)
        assert answer["code"] == "NOTHING_TO_PAY"

    async def test_an_unknown_or_foreign_invoice_is_not_found(self, july):
        await july.world.add_account("BB0202")
        await july.add_card(account="BB0202")
        await july.world.close_now()
        (foreign,) = await july.world.issued("BB0202")
        for invoice_id in ("inv_none", foreign.id, "4111"):
            assert (await pay(july, invoice_id, key=invoice_id))["code"] == "NOT_FOUND"
        assert await july.attempts(account="BB0202") == []

    async def test_without_a_method_one_is_asked_for(self, till):
        await till.world.add_account()
        await till.world.close_now()
        assert (await pay(till, (await newest(till)).id))["code"] == "PAYMENT_METHOD_REQUIRED"

    async def test_under_a_hold_nothing_is_charged(self, july):
        now = july.world.clock.now()
        await unit_of_work.write(july.world.database, lambda uow: uow.holds.put(Hold(COLLECTION, now, "restored")))
        assert (await pay(july, (await newest(july)).id))["code"] == "PAYMENTS_PAUSED"
        assert await july.attempts() == []

    async def test_a_member_may_not_pay(self, july):
        variables = {"invoiceId": (await newest(july)).id, "key": "press-1"}
        answer = await july.world.graphql(PAY, variables=variables, by=Role.MEMBER)
        assert answer["errors"][0]["extensions"]["code"] == "FORBIDDEN"

    async def test_many_presses_at_once_charge_once(self, july):
        invoice = await newest(july)
        answers = await asyncio.gather(*(pay(july, invoice.id, key=f"press-{n}") for n in range(20)))
        kinds = {answer["__typename"] for answer in answers}
        assert kinds <= {"InvoicePaid", "NothingToPay"}
        assert [attempt.amount_cents for attempt in await july.attempts()] == [139_00]

    async def test_an_outcome_that_takes_longer_is_pending_and_known_later(self, july):
        impatient = PaymentRunner(july.world.services, answers_within_seconds=0.05)
        july.gateway.faults({"match": "sale", "when": "after", "action": "slow", "seconds": 0.4})
        from app.services.payments.pay_invoice import pay_invoice

        outcome = await pay_invoice(
            july.world.services,
            Caller("AA0101", "user:test"),
            payment_runner=impatient,
            invoice_id=(await newest(july)).id,
            idempotency_key="press-1",
        )
        assert outcome == "PAYMENT_PENDING"
        await impatient.close()
        assert (await pay(july, (await newest(july)).id))["status"] == "APPLIED"

    async def test_an_unknown_outcome_is_pending_and_nothing_else_is_charged(self, july):
        july.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        answer = await pay(july, (await newest(july)).id)
        assert answer["status"] == "PAYMENT_PENDING"
        assert answer["invoice"]["collection"]["status"] == "UNKNOWN"
        await july.advance_to(july.world.clock.now() + timedelta(minutes=1))
        assert (await pay(july, (await newest(july)).id))["status"] == "APPLIED"


class TestReversals:
    async def test_an_invoice_says_what_went_back_and_why(self, paid):
        invoice, (charge,) = await newest(paid), await paid.attempts()
        paid.gateway.settle()
        given = {"invoice_number": invoice.number, "amount_cents": 39_00, "reference": "R1"}
        await refund_payment(paid.world.services, Caller("AA0101", "staff:ann"), **given, reason="agreed")
        (back,) = (shown := (await paid.world.data(REVERSALS, variables={"id": invoice.id}))["invoice"])["reversals"]
        assert (shown["status"], shown["balance"]) == ("OPEN", {"amount": "39.00"})
        assert (back["reason"], back["reasonDisplayName"], back["amount"]) == (
            "REFUNDED",
            "Refunded",
            {"amount": "39.00"},
        )
        assert (back["kind"], back["reference"]) == ("CARD", charge.transaction_id)


class TestPayOpenBalance:
    async def test_pays_the_oldest_first_and_says_what_became_of_each(self, july):
        july.gateway.force("*", "2001")
        await july.advance_to(pacific(2026, 8, 2))
        july.gateway.force("*", None)
        answer = await pay_all(july)
        numbers = [(each["invoice"]["number"], each["result"]) for each in answer["outcomes"]]
        assert numbers == [("100001", "PAID"), ("100002", "PAID")]
        assert answer["billingSummary"]["openBalance"] == {"amount": "0.00"}

    async def test_rule_33_reactivates_a_suspended_account(self, july):
        july.gateway.force("*", "2001")
        await july.advance_to(pacific(2026, 7, 9))
        assert (await status_of(july)) is AccountStatus.SUSPENDED
        july.gateway.force("*", None)
        await pay_all(july)
        assert (await status_of(july)) is AccountStatus.ACTIVE
        assert "account.reactivated" in await july.kinds()

    async def test_with_nothing_open_says_so(self, paid):
        assert (await pay_all(paid))["code"] == "NOTHING_TO_PAY"


async def status_of(till):
    return (await till.read(lambda uow: uow.accounts.get_by_external_id("AA0101"))).status


class TestChargeFirst:
    async def test_rule_17_an_upgrade_takes_effect_when_it_is_paid(self, paid):
        changed = await confirm(paid.world, await preview(paid.world, PLAN_220))
        assert (changed["__typename"], changed["status"]) == ("PlanChanged", "APPLIED")
        assert changed["billingSummary"]["currentPlan"] == {"id": PLAN_220}
        assert changed["billingSummary"]["openBalance"] == {"amount": "0.00"}
        assert [invoice.status for invoice in await paid.world.issued()] == [InvoiceStatus.PAID] * 2

    async def test_rule_17_on_a_decline_nothing_changes_and_the_invoice_is_void(self, paid):
        paid.gateway.force("*", "2001")
        quote = await preview(paid.world, PLAN_220)
        declined = await confirm(paid.world, quote)
        assert (declined["__typename"], declined["code"]) == ("PaymentDeclined", "PAYMENT_DECLINED")
        assert [attempt.state for attempt in await paid.attempts()] == ["DECLINED"] * 2
        assert (await newest(paid)).status is InvoiceStatus.VOID
        summary = await paid.world.data("{ billingSummary { currentPlan { id } openBalance { amount } } }")
        assert summary["billingSummary"] == {"currentPlan": {"id": PLAN_100}, "openBalance": {"amount": "0.00"}}
        assert await confirm(paid.world, quote) == declined

    async def test_rule_17_all_methods_are_tried(self, paid):
        visa, _ = await paid.methods()
        paid.gateway.force(visa.id, "2001")
        assert (await confirm(paid.world, await preview(paid.world, PLAN_220)))["status"] == "APPLIED"

    @pytest.mark.parametrize("status", [403, 426])
    async def test_where_no_bank_could_be_asked_nobody_s_card_is_blamed(self, paid, status):
        refused = {"match": "sale", "when": "before", "action": "status", "status": status, "times": 10}
        paid.gateway.faults(refused)
        answer = await confirm(paid.world, await preview(paid.world, PLAN_220))
        assert answer["code"] == "PAYMENT_GATEWAY_UNAVAILABLE"
        assert (await newest(paid)).status is InvoiceStatus.VOID
        assert [method.status for method in await paid.methods()] == ["ACTIVE"] * 2
        paid.gateway.faults()
        again = await confirm(paid.world, await preview(paid.world, PLAN_220), key="press-2")
        assert again["status"] == "APPLIED"

    async def test_the_trail_names_the_customer_s_place_whoever_completes_a_change(self, paid):
        paid.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        assert (await confirm(paid.world, await preview(paid.world, PLAN_220)))["status"] == "PAYMENT_PENDING"
        with came_from("command line"):
            await paid.advance_to(paid.world.clock.now() + timedelta(minutes=30))
        found = (await paid.world.data("{ activity(first: 9) { nodes { kind origin } } }"))["activity"]["nodes"]
        origins = {entry["kind"]: entry["origin"] for entry in found}
        assert (origins["plan.changed"], origins["payment.received"]) == ("127.0.0.1", None)

    async def test_a_card_that_the_vault_lacks_is_for_its_customer_to_replace(self, paid):
        for method in await paid.methods():
            await paid.world.services.payments.remove_method(method.id)
        answer = await confirm(paid.world, await preview(paid.world, PLAN_220))
        assert answer["code"] == "PAYMENT_DECLINED"
        assert [method.status for method in await paid.methods()] == ["NEEDS_ATTENTION"] * 2

    async def test_credit_that_a_dropped_change_had_used_comes_back(self, paid):
        await paid.world.pay(30_00)
        paid.gateway.force("*", "2001")
        assert (await confirm(paid.world, await preview(paid.world, PLAN_220)))["code"] == "PAYMENT_DECLINED"
        summary = await paid.world.data("{ billingSummary { creditBalance { amount } } }")
        assert summary["billingSummary"]["creditBalance"] == {"amount": "30.00"}

    async def test_a_change_that_credit_pays_whole_needs_no_card(self, till):
        await till.world.add_account()
        await till.world.close_now()
        await till.world.pay(500_00)
        assert (await confirm(till.world, await preview(till.world, PLAN_220)))["status"] == "APPLIED"

    async def test_without_a_method_nothing_is_changed(self, till):
        await till.world.add_account()
        await till.world.close_now()
        refused = await confirm(till.world, await preview(till.world, PLAN_220))
        assert refused["code"] == "PAYMENT_METHOD_REQUIRED"
        assert len(await till.world.issued()) == 1

    async def test_while_a_change_waits_there_is_no_other_and_it_takes_effect_when_known(self, paid):
        paid.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        first_quote = await preview(paid.world, PLAN_220)
        first = await confirm(paid.world, first_quote)
        assert first["status"] == "PAYMENT_PENDING"
        assert first["billingSummary"]["currentPlan"] == {"id": PLAN_100}
        second = await confirm(paid.world, await preview(paid.world, PLAN_500), key="press-2")
        assert (second["__typename"], second["code"]) == ("ChangeInProgress", "CHANGE_IN_PROGRESS")
        await paid.advance_to(paid.world.clock.now() + timedelta(minutes=1))
        again = await confirm(paid.world, first_quote)
        assert again["status"] == "APPLIED"
        assert again["billingSummary"]["currentPlan"] == {"id": PLAN_220}

    async def test_a_month_does_not_close_while_a_change_of_it_waits(self, paid):
        paid.world.clock.instant = pacific(2026, 7, 31, 23, 50)
        paid.gateway.faults({"match": "sale", "when": "before", "action": "status", "status": 503, "times": 100})
        await confirm(paid.world, await preview(paid.world, PLAN_220))
        paid.world.clock.instant = pacific(2026, 8, 1, 6, 10)
        assert await paid.world.close_now() == 0
        paid.gateway.faults()
        await paid.advance_to(pacific(2026, 8, 1, 8))
        kinds = [(str(invoice.kind), invoice.period.month) for invoice in await paid.world.issued()]
        assert kinds == [("CYCLE", "2026-07"), ("PLAN_CHANGE", "2026-07"), ("CYCLE", "2026-08")]

    async def test_rule_22_an_add_on_is_usable_when_it_is_paid(self, paid):
        (listed,) = [
            each for each in (await paid.world.data("{ addOns { id code } }"))["addOns"] if each["code"] == "on_call"
        ]
        quote = (await paid.world.data(BUY_PREVIEW, variables={"id": listed["id"]}))["addOnChangePreview"]
        paid.gateway.force("*", "2001", 2)
        variables = {"quoteId": quote["id"], "terms": quote["terms"]["version"]}
        assert (await paid.world.data(BUY, variables=variables))["activateAddOn"]["code"] == "PAYMENT_DECLINED"
        assert (await paid.world.data("{ entitlements { onCall } }"))["entitlements"] == {"onCall": False}
        quote = (await paid.world.data(BUY_PREVIEW, variables={"id": listed["id"]}))["addOnChangePreview"]
        bought = BUY.replace('"buy"', '"buy-2"')
        variables = {"quoteId": quote["id"], "terms": quote["terms"]["version"]}
        answer = (await paid.world.data(bought, variables=variables))["activateAddOn"]
        assert (answer["status"], answer["invoice"]) == ("APPLIED", {"status": "PAID"})
        assert (await paid.world.data("{ entitlements { onCall } }"))["entitlements"] == {"onCall": True}


class TestBanner:
    async def banner(self, till):
        return (await till.world.data("{ viewer { banner } }", by=Role.MEMBER))["viewer"]["banner"]

    async def test_everybody_sees_what_could_not_be_charged_and_what_is_suspended(self, july):
        assert await self.banner(july) is None
        july.gateway.force("*", "2001")
        await july.collect()
        assert (await self.banner(july)).startswith("An invoice could not be charged.")
        await july.advance_to(pacific(2026, 7, 9))
        assert (await self.banner(july)).startswith("Your service is suspended.")
        july.gateway.force("*", None)
        await pay_all(july)
        assert await self.banner(july) is None


class TestTimeline:
    async def test_shows_each_charge_in_words_of_ours_and_the_next_dates(self, july):
        july.gateway.force("*", "2005", 1)
        july.gateway.force("*", "2001")
        await july.collect()
        invoice = await newest(july)
        collection = (await july.world.data(SHOW, variables={"id": invoice.id}))["invoice"]["collection"]
        assert collection["status"] == "WAITING"
        assert collection["nextAttemptAt"] == "2026-07-03T13:00:00.000Z"
        assert collection["suspendsAt"] == "2026-07-08T13:00:00.000Z"
        assert [each["displayName"] for each in collection["attempts"]] == [
            "Visa ending in 1881",
            "MasterCard ending in 4444",
        ]
        assert all("200" not in each["message"] for each in collection["attempts"])

    async def test_is_in_the_list_of_invoices_too(self, paid):
        listed = (await paid.world.data("{ invoices { nodes { collection { status attempts { state } } } } }"))[
            "invoices"
        ]
        assert listed["nodes"] == [{"collection": {"status": "DONE", "attempts": [{"state": "SUCCEEDED"}]}}]

    async def test_is_one_trip_however_many_charges(self, july):
        july.gateway.force("*", "2001")
        await july.advance_to(pacific(2026, 7, 9))
        invoice = await newest(july)
        async with counted_trips() as trips:
            await july.world.data(SHOW, variables={"id": invoice.id})
        assert trips.count == 1, trips.statements
