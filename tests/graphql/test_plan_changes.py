"""Changing the plan over HTTP, from the preview to the invoice: rules 13 to 18 and 36."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from app.domain.accounts import Role
from tests.factories.calls import a_call
from tests.world import World, pacific

PLAN_100, PLAN_220, PLAN_500 = "plan_100_2020", "plan_220_2020", "plan_500_1990"

PREVIEW = """query ($planId: ID!, $when: ChangeWhen!) {
  planChangePreview(planId: $planId, when: $when) {
    __typename
    ... on PlanChangeQuote {
      id when effectiveOn hash expiresAt
      lines { displayName kind amount { amount } explanation { rule } }
      total { amount } creditApplied { amount } amountDueNow { amount } creditToOpenInvoices { amount }
      nextInvoice { hash total { amount } creditApplied { amount } amountDue { amount } }
    }
    ... on DowngradeNotCostEffective {
      usage { minutes } thresholdMinutes currentCost { amount } targetCost { amount }
    }
    ... on UserError { code message }
  }
}"""

CHANGE = """mutation ($quoteId: ID!, $key: String!) {
  changePlan(input: {quoteId: $quoteId, idempotencyKey: $key}) {
    __typename
    ... on PlanChanged {
      status effectiveOn
      invoice { id number kind hash total { amount } amountDue { amount } lines { kind amount { amount } } }
      settledInvoices { number balance { amount } } viewer { banner }
      billingSummary { currentPlan { id } nextMonthPlan { id } openBalance { amount } creditBalance { amount } }
    }
    ... on QuoteStale { quote { id hash amountDueNow { amount } } }
    ... on UserError { code message }
  }
}"""

CANCEL = """mutation ($planId: ID!) {
  cancelScheduledPlanChange(input: {planId: $planId}) {
    __typename
    ... on PlanChangeCancelled { billingSummary { nextMonthPlan { id } } }
    ... on UserError { code message }
  }
}"""


async def preview(world, plan_id, when="NOW", **options):
    variables = {"planId": plan_id, "when": when}
    return (await world.data(PREVIEW, variables=variables, **options))["planChangePreview"]


async def confirm(world, quote, key="press-1", **options):
    variables = {"quoteId": quote["id"], "key": key}
    return (await world.data(CHANGE, variables=variables, **options))["changePlan"]


async def change(world, plan_id, when="NOW", key="press-1"):
    return await confirm(world, await preview(world, plan_id, when), key)


async def talk(world, minutes, *, name="talk"):
    """Live minutes on 10 August."""
    await world.add_calls(a_call(event_id=name, started_at=pacific(2026, 8, 10, 9), script_seconds=minutes * 60))


def amounts(lines):
    return [(line["kind"], line["amount"]["amount"]) for line in lines]


@pytest.fixture
async def august(world):
    """Paid since 1 July on plan 100; noon of 14 August, with August's invoice issued. The books agree at the end."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 14, 12))
    yield world
    assert await world.differences() == []


class TestAnUpgradeNow:
    async def test_the_preview_swaps_the_base_of_the_whole_month(self, august):
        quote = await preview(august, PLAN_220)

        assert quote["__typename"] == "PlanChangeQuote"
        assert sorted(line["amount"]["amount"] for line in quote["lines"]) == ["-139.00", "239.00"]
        assert {line["explanation"]["rule"] for line in quote["lines"]} == {13}
        assert (quote["total"]["amount"], quote["amountDueNow"]["amount"]) == ("100.00", "100.00")
        assert (quote["effectiveOn"], quote["when"]) == ("2026-08-01", "NOW")
        assert quote["expiresAt"] == "2026-08-14T19:15:00.000Z"
        assert len(await august.issued()) == 2

    async def test_what_was_previewed_is_what_is_invoiced(self, august):
        quote = await preview(august, PLAN_220)
        changed = await confirm(august, quote)

        assert (changed["__typename"], changed["status"]) == ("PlanChanged", "APPLIED")
        assert changed["invoice"]["total"] == changed["invoice"]["amountDue"] == quote["total"] == {"amount": "100.00"}
        assert amounts(changed["invoice"]["lines"]) == amounts(quote["lines"])
        assert changed["invoice"]["kind"] == "PLAN_CHANGE"
        assert (
            changed["billingSummary"]["currentPlan"] == changed["billingSummary"]["nextMonthPlan"] == {"id": PLAN_220}
        )
        assert changed["billingSummary"]["openBalance"] == {"amount": "378.00"}

    async def test_calls_that_come_in_leave_the_quote_valid(self, august):
        quote = await preview(august, PLAN_220)
        await talk(august, 190)
        assert (await confirm(august, quote))["__typename"] == "PlanChanged"

    async def test_the_trail_says_who_changed_it(self, august):
        await change(august, PLAN_220)
        event = next(event for event in await august.trail() if event.kind == "plan.changed")
        assert event.actor.startswith("user:")
        assert (event.data["from"], event.data["plan"]) == (PLAN_100, PLAN_220)

    async def test_the_plan_that_one_has_is_none_to_change_to(self, august):
        refused = await preview(august, PLAN_100)
        assert (refused["__typename"], refused["code"]) == ("AlreadyOnPlan", "ALREADY_ON_PLAN")

    async def test_a_plan_that_is_sold_no_more_is_refused(self, august):
        refused = await preview(august, "plan_220_2015")
        assert (refused["__typename"], refused["code"]) == ("PlanNotAvailable", "PLAN_NOT_AVAILABLE")


class TestADowngradeNow:
    async def test_is_refused_with_its_numbers_past_the_guard(self, august):
        await change(august, PLAN_220)
        await talk(august, 178)

        refused = await preview(august, PLAN_100)

        assert (refused["__typename"], refused["code"]) == (
            "DowngradeNotCostEffective",
            "DOWNGRADE_NOT_COST_EFFECTIVE",
        )
        assert (refused["usage"]["minutes"], refused["thresholdMinutes"]) == ("178.00", 177)
        assert (refused["currentCost"]["amount"], refused["targetCost"]["amount"]) == ("239.00", "239.62")

    async def test_becomes_credit(self, august):
        await change(august, PLAN_220)
        await august.pay(378_00)
        changed = await change(august, PLAN_100, key="press-2")
        assert changed["invoice"]["total"] == {"amount": "-100.00"}
        assert changed["billingSummary"]["creditBalance"] == {"amount": "100.00"}
        assert changed["settledInvoices"] == []

    async def test_pays_the_invoice_that_it_takes_back_of_while_that_is_open(self, august):
        """Rule 35."""
        await change(august, PLAN_220)
        changed = await change(august, PLAN_100, key="press-2")
        assert changed["invoice"]["total"] == {"amount": "-100.00"}
        assert changed["billingSummary"]["openBalance"] == {"amount": "278.00"}
        assert changed["billingSummary"]["creditBalance"] == {"amount": "0.00"}

    async def test_calls_below_the_guard_leave_the_quote_valid(self, august):
        await change(august, PLAN_220)
        quote = await preview(august, PLAN_100)
        await talk(august, 177)
        assert (await confirm(august, quote, "press-2"))["__typename"] == "PlanChanged"

    async def test_calls_that_flip_the_guard_stop_it(self, august):
        await change(august, PLAN_220)
        quote = await preview(august, PLAN_100)
        await talk(august, 178)
        refused = await confirm(august, quote, "press-2")
        assert refused["__typename"] == "DowngradeNotCostEffective"
        assert len(await august.issued()) == 3


class TestCreditToOpenInvoices:
    """What a preview says of the credit is what confirming does with it (rule 35)."""

    @pytest.fixture
    async def on_500(self, world):
        """Paid since 1 July on plan 500; noon of 14 August, July paid, and $399.00 of August's invoice open."""
        await world.add_account(plan="500")
        await world.advance_to(pacific(2026, 8, 14, 12))
        await world.pay(599_00)
        yield world
        assert await world.differences() == []

    SUMMARY = "{ billingSummary { openBalance { amount } creditBalance { amount } } }"
    NEXT = "{ nextInvoice { hash total { amount } creditApplied { amount } amountDue { amount } } }"

    @pytest.mark.parametrize(
        ("plan_id", "paid_cents", "to_open", "open_after", "credit_after", "next_due"),
        [
            ("plan_220_2020", 0, "260.00", "139.00", "0.00", "239.00"),
            ("plan_220_2020", 300_00, "99.00", "0.00", "161.00", "78.00"),
            ("plan_220_2020", 399_00, "0.00", "0.00", "260.00", "0.00"),
        ],
    )
    async def test_of_a_downgrade_pays_the_month_and_the_next_invoice_has_what_is_left(
        self, on_500, plan_id, paid_cents, to_open, open_after, credit_after, next_due
    ):
        if paid_cents:
            await on_500.pay(paid_cents)

        quote = await preview(on_500, plan_id)
        changed = await confirm(on_500, quote)

        assert (quote["total"], quote["creditToOpenInvoices"]) == ({"amount": "-260.00"}, {"amount": to_open})
        assert changed["invoice"]["total"] == quote["total"]
        assert changed["billingSummary"]["openBalance"] == {"amount": open_after}
        settled = [each["balance"]["amount"] for each in changed["settledInvoices"]]
        assert settled == ([] if to_open == "0.00" else [open_after])
        assert changed["billingSummary"]["creditBalance"] == {"amount": credit_after}
        assert quote["nextInvoice"] == (await on_500.data(self.NEXT))["nextInvoice"]
        left_cents = min(23900, int(credit_after.replace(".", "")))
        assert quote["nextInvoice"]["creditApplied"] == {"amount": f"{left_cents / 100:.2f}"}
        assert quote["nextInvoice"]["amountDue"] == {"amount": next_due}

    async def test_of_an_upgrade_and_of_a_scheduled_change_there_is_none(self, on_500):
        for plan_id, when in (("plan_1000_1990", "NOW"), (PLAN_220, "NEXT_CYCLE")):
            quote = await preview(on_500, plan_id, when)
            assert quote["creditToOpenInvoices"] == {"amount": "0.00"}, quote


class TestAChangeFromTheNextMonthOn:
    async def test_invoices_nothing_and_can_be_cancelled(self, august):
        changed = await change(august, PLAN_220, "NEXT_CYCLE")

        assert (changed["status"], changed["effectiveOn"], changed["invoice"]) == ("SCHEDULED", "2026-09-01", None)
        assert changed["billingSummary"]["currentPlan"] == {"id": PLAN_100}
        assert changed["billingSummary"]["nextMonthPlan"] == {"id": PLAN_220}
        cancelled = (await august.data(CANCEL, variables={"planId": PLAN_220}))["cancelScheduledPlanChange"]
        assert cancelled == {
            "__typename": "PlanChangeCancelled",
            "billingSummary": {"nextMonthPlan": {"id": PLAN_100}},
        }
        assert len(await august.issued()) == 2

    async def test_is_what_the_next_month_is_billed_on(self, august):
        await change(august, PLAN_220, "NEXT_CYCLE")
        await august.advance_to(pacific(2026, 9, 1, 7))
        assert (await august.issued())[-1].plan_version_id == PLAN_220

    async def test_another_takes_its_place(self, august):
        await change(august, PLAN_220, "NEXT_CYCLE")
        changed = await change(august, PLAN_500, "NEXT_CYCLE", key="press-2")
        assert changed["billingSummary"]["nextMonthPlan"] == {"id": PLAN_500}

    async def test_only_the_one_that_is_scheduled_can_be_cancelled(self, august):
        await change(august, PLAN_220, "NEXT_CYCLE")
        refused = (await august.data(CANCEL, variables={"planId": PLAN_500}))["cancelScheduledPlanChange"]
        assert (refused["__typename"], refused["code"]) == ("NoScheduledChange", "NO_SCHEDULED_CHANGE")


class TestAStaleQuote:
    async def test_after_another_change(self, august):
        first, second = await preview(august, PLAN_220), await preview(august, PLAN_500)
        await confirm(august, first)

        refused = await confirm(august, second, "press-2")

        assert (refused["__typename"], refused["code"]) == ("QuoteStale", "QUOTE_STALE")
        assert refused["quote"]["amountDueNow"] == {"amount": "260.00"}
        assert len(await august.issued()) == 3
        assert (await confirm(august, refused["quote"], "press-3"))["__typename"] == "PlanChanged"

    async def test_after_a_quarter_of_an_hour(self, august):
        quote = await preview(august, PLAN_220)
        august.clock.instant += timedelta(minutes=15)
        assert (await confirm(august, quote))["__typename"] == "QuoteStale"

    async def test_but_not_a_second_before(self, august):
        quote = await preview(august, PLAN_220)
        august.clock.instant += timedelta(minutes=15, seconds=-1)
        assert (await confirm(august, quote))["__typename"] == "PlanChanged"

    async def test_when_it_is_used_twice(self, august):
        scheduled = await preview(august, PLAN_220, "NEXT_CYCLE")
        await confirm(august, scheduled)
        await august.data(CANCEL, variables={"planId": PLAN_220})
        assert (await confirm(august, scheduled, "press-2"))["__typename"] == "QuoteStale"


class TestIdempotency:
    async def test_the_same_key_again_is_answered_with_the_first_result(self, august):
        quote = await preview(august, PLAN_220)
        first = await confirm(august, quote)
        august.clock.instant += timedelta(hours=1)
        assert await confirm(august, quote) == first
        assert len(await august.issued()) == 3

    async def test_another_quote_under_the_key_is_a_conflict_and_writes_nothing(self, august):
        await change(august, PLAN_220)
        before = await august.trail()
        refused = await change(august, PLAN_500)
        assert (refused["__typename"], refused["code"]) == ("IdempotencyConflict", "IDEMPOTENCY_CONFLICT")
        assert (len(await august.issued()), await august.trail()) == (3, before)

    @pytest.mark.parametrize("key", ["", "k" * 256, "schlüssel"])
    async def test_a_key_that_cannot_be_one_is_refused(self, august, key):
        refused = await change(august, PLAN_220, key=key)
        assert (refused["__typename"], refused["code"]) == ("InvalidInput", "BAD_INPUT")

    async def test_two_confirms_at_once_make_one_invoice(self, august):
        quote = await preview(august, PLAN_220)
        answers = await asyncio.gather(confirm(august, quote, "press-1"), confirm(august, quote, "press-2"))
        assert {answer["__typename"] for answer in answers} <= {"PlanChanged", "AlreadyOnPlan", "QuoteStale"}
        assert [answer["__typename"] for answer in answers].count("PlanChanged") == 1
        assert len(await august.issued()) == 3

    async def test_one_press_sent_twice_at_once_is_answered_alike(self, august):
        quote = await preview(august, PLAN_220)
        first, second = await asyncio.gather(confirm(august, quote), confirm(august, quote))
        assert first == second
        assert len(await august.issued()) == 3


class TestWhoMay:
    async def test_a_quote_of_another_account_is_not_found(self, august):
        await august.add_account("BB0202", name="Quiet Law", paid_since_on=date(2026, 8, 1))
        await august.close_now()
        foreign = await preview(august, PLAN_220, account="BB0202")
        refused = await confirm(august, foreign)
        assert (refused["__typename"], refused["code"]) == ("NotFound", "NOT_FOUND")

    async def test_a_member_changes_nothing(self, august):
        quote, before = await preview(august, PLAN_220), await august.trail()
        body = await august.graphql(CHANGE, by=Role.MEMBER, variables={"quoteId": quote["id"], "key": "press-1"})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
        assert (len(await august.issued()), await august.trail()) == (2, before)

    async def test_a_member_sees_no_preview(self, august):
        body = await august.graphql(PREVIEW, by=Role.MEMBER, variables={"planId": PLAN_220, "when": "NOW"})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

    async def test_billing_may_change_it(self, august):
        quote = await preview(august, PLAN_220, by=Role.BILLING)
        assert (await confirm(august, quote, by=Role.BILLING))["__typename"] == "PlanChanged"


class TestEdgesOfAMonth:
    async def test_before_the_invoice_of_the_month_nothing_is_invoiced_but_the_month_begins_on_the_plan(self, august):
        await august.advance_to(pacific(2026, 9, 1, 3))
        changed = await change(august, PLAN_220)
        assert (changed["status"], changed["invoice"]) == ("APPLIED", None)
        await august.advance_to(pacific(2026, 9, 1, 7))
        issued = await august.issued()
        assert len(issued) == 3
        assert [line.amount_cents for line in issued[-1].lines if line.kind == "BASE"] == [239_00]

    async def test_before_the_invoice_of_the_month_the_next_cycle_is_that_of_the_month_itself(self, august):
        await august.advance_to(pacific(2026, 9, 1, 3))
        changed = await change(august, PLAN_220, "NEXT_CYCLE")
        assert (changed["status"], changed["effectiveOn"]) == ("SCHEDULED", "2026-09-01")
        await august.advance_to(pacific(2026, 9, 1, 7))
        assert (await august.issued())[-1].plan_version_id == PLAN_220

    async def test_a_first_partial_month_is_swapped_by_its_paid_days(self, world: World):
        """100 and 220 from 11 September: $92.60 and $159.40 for 20 days (rule 9)."""
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 20, 12))
        changed = await change(world, PLAN_220)
        assert sorted(line["amount"]["amount"] for line in changed["invoice"]["lines"]) == ["-92.60", "159.40"]
        assert await world.differences() == []
