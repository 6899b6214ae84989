"""The Billing Summary and the next invoice, asked for over HTTP on a real database."""

from __future__ import annotations

from datetime import date
from unittest import mock

import pytest

from app.domain.accounts import Role
from tests.factories.calls import a_call
from tests.trips import counted_trips
from tests.world import calls_of, pacific

SUMMARY = """
query SummaryShow {
  billingSummary {
    id
    period { startsOn endsBefore timeZone }
    currentPlan { ...PlanParts }
    nextMonthPlan { code }
    usage {
      id
      allowance { minutes } live { seconds minutes } remaining { minutes } overage { minutes }
      patch { seconds minutes } ivr { seconds minutes }
      overageCost { amount } patchCost { amount } ivrCost { amount } totalCost { formatted }
      costEffectiveToMinutes callCount freeCallCount asOf lastEventAt
      days { on live { seconds } cumulativeLive { seconds } callCount }
    }
    openBalance { amount }
    creditBalance { amount }
    nextInvoice { ...NextInvoiceParts }
  }
}
fragment PlanParts on Plan {
  code displayName base { amount } includedMinutes overageRate { amount per formatted } costEffectiveToMinutes
}
fragment NextInvoiceParts on NextInvoice {
  id period { startsOn } usagePeriod { startsOn } issuesAt asOf basis hash
  total { amount } creditApplied { amount } amountDue { amount }
  lines {
    displayName kind amount { amount } period { startsOn }
    explanation { rule arithmetic inputs { key name value } }
  }
}
"""

NEXT_INVOICE = "{ nextInvoice { hash total { amount } creditApplied { amount } amountDue { amount } } }"


def august_calls():
    """110 live minutes, 7:30 patched and 3:20 automated, and one call that is not charged."""
    return [
        a_call(started_at=pacific(2026, 8, 3, 9), event_id="1", script_seconds=6_000, recording_seconds=5_000),
        a_call(
            started_at=pacific(2026, 8, 5, 23, 59),
            event_id="2",
            script_seconds=0,
            recording_seconds=600,
            patch_seconds=450,
            ivr_seconds=200,
        ),
        a_call(started_at=pacific(2026, 8, 6), event_id="3", script_seconds=900, is_billable=False),
    ]


@pytest.fixture
async def august(world):
    """Paid since 1 July on plan 100; 7 August, with July's and August's invoices issued, $200.00 of them paid."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 7, 12))
    await world.add_calls(*august_calls())
    await world.pay(200_00)
    return world


class TestBillingSummary:
    async def test_shows_the_month_to_date(self, august):
        summary = (await august.data(SUMMARY))["billingSummary"]

        assert summary["period"] == {
            "startsOn": "2026-08-01",
            "endsBefore": "2026-09-01",
            "timeZone": "America/Los_Angeles",
        }
        assert summary["currentPlan"] == {
            "code": "100",
            "displayName": "100 Minutes",
            "base": {"amount": "139.00"},
            "includedMinutes": 100,
            "overageRate": {"amount": "1.29", "per": "MINUTE", "formatted": "$1.29"},
            "costEffectiveToMinutes": 177,
        }
        assert summary["nextMonthPlan"] == {"code": "100"}
        usage = summary["usage"]
        days = usage.pop("days")
        assert usage == {
            "id": usage["id"],
            "allowance": {"minutes": "100.00"},
            "live": {"seconds": 6_600, "minutes": "110.00"},
            "remaining": {"minutes": "0.00"},
            "overage": {"minutes": "10.00"},
            "patch": {"seconds": 450, "minutes": "7.50"},
            "ivr": {"seconds": 200, "minutes": "3.33"},
            "overageCost": {"amount": "12.90"},
            "patchCost": {"amount": "0.75"},
            "ivrCost": {"amount": "0.50"},
            "totalCost": {"formatted": "$14.15"},
            "costEffectiveToMinutes": 177,
            "callCount": 2,
            "freeCallCount": 1,
            "asOf": "2026-08-07T19:00:00.000Z",
            "lastEventAt": "2026-08-06T07:00:00.000Z",
        }
        assert [day["on"] for day in days] == [f"2026-08-0{day}" for day in range(1, 8)]
        assert [day["live"]["seconds"] for day in days] == [0, 0, 6_000, 0, 600, 0, 0]
        assert [day["cumulativeLive"]["seconds"] for day in days] == [0, 0, 6_000, 6_000, 6_600, 6_600, 6_600]
        assert [day["callCount"] for day in days] == [0, 0, 1, 0, 1, 0, 0]

    async def test_shows_the_next_invoice_and_explains_it(self, august):
        found = (await august.data(SUMMARY))["billingSummary"]["nextInvoice"]

        assert found["period"] == {"startsOn": "2026-09-01"}
        assert found["usagePeriod"] == {"startsOn": "2026-08-01"}
        assert found["issuesAt"] == "2026-09-01T13:00:00.000Z"
        assert found["asOf"] == "2026-08-07T19:00:00.000Z"
        assert found["basis"] == "ACCRUED"
        assert (found["total"], found["creditApplied"], found["amountDue"]) == (
            {"amount": "153.15"},
            {"amount": "0.00"},
            {"amount": "153.15"},
        )
        assert [(line["kind"], line["amount"]["amount"], line["period"]["startsOn"]) for line in found["lines"]] == [
            ("BASE", "139.00", "2026-09-01"),
            ("OVERAGE", "12.90", "2026-08-01"),
            ("PATCH", "0.75", "2026-08-01"),
            ("IVR", "0.50", "2026-08-01"),
        ]
        assert found["lines"][1]["displayName"] == "Minutes above the allowance of 100 Minutes, August 2026"
        assert found["lines"][1]["explanation"] == {
            "rule": 7,
            "arithmetic": "110 min live - 100 min included = 10 min × $1.29 a minute = $12.90",
            "inputs": [
                {"key": "quantity", "name": "Quantity", "value": "10 min"},
                {"key": "unit_price", "name": "Unit price", "value": "$1.29 a minute"},
                {"key": "plan_name", "name": "Plan", "value": "100 Minutes"},
                {"key": "live_seconds", "name": "Live time of the month", "value": "110 min"},
                {"key": "allowance_seconds", "name": "Included live time", "value": "100 min"},
            ],
        }

    async def test_shows_what_is_open_and_what_is_credit(self, august):
        query = "{ billingSummary { openBalance { amount } creditBalance { amount } } }"
        assert (await august.data(query))["billingSummary"] == {
            "openBalance": {"amount": "78.00"},
            "creditBalance": {"amount": "0.00"},
        }
        await august.pay(100_00)
        assert (await august.data(query))["billingSummary"] == {
            "openBalance": {"amount": "0.00"},
            "creditBalance": {"amount": "22.00"},
        }

    async def test_credit_pays_for_the_next_invoice(self, august):
        await august.pay(100_00)

        assert (await august.data(NEXT_INVOICE))["nextInvoice"].items() >= {
            "total": {"amount": "153.15"},
            "creditApplied": {"amount": "22.00"},
            "amountDue": {"amount": "131.15"},
        }.items()

    async def test_a_member_sees_no_payment_details_and_no_error(self, august):
        admin, member = (await august.data(SUMMARY), await august.data(SUMMARY, by=Role.MEMBER))

        for box in (admin["billingSummary"], admin["billingSummary"]["nextInvoice"]):
            for name in ("openBalance", "creditBalance", "creditApplied", "amountDue"):
                if name in box:
                    box[name] = None
        assert member == admin

    async def test_takes_one_trip_however_much_there_is(self, august):
        async with counted_trips() as few:
            await august.data(SUMMARY)
        await august.advance_to(pacific(2027, 6, 15, 12))
        many = [a_call(started_at=pacific(2027, 6, day, hour)) for day in range(1, 15) for hour in range(10)]
        await august.add_calls(*calls_of(many, "AA0101"))
        async with counted_trips() as later:
            await august.data(SUMMARY)

        assert (few.count, later.count) == (1, 1), later.statements

    async def test_shares_its_trip_with_everything_else_of_the_page(self, august):
        query = """{ viewer { role } billingSummary { period { startsOn } } nextInvoice { hash }
                     usage { callCount } usageHistory { callCount } plans { isCurrent } }"""
        async with counted_trips() as trips:
            await august.data(query)
        assert trips.count == 1, trips.statements

    async def test_a_fault_in_one_box_leaves_the_others(self, august):
        with mock.patch("app.services.cycle.billing_summary.next_invoice", side_effect=ArithmeticError("broken")):
            body = await august.graphql(
                "{ billingSummary { period { startsOn } nextInvoice { hash } usage { callCount } } }"
            )

        assert body["data"]["billingSummary"] == {
            "period": {"startsOn": "2026-08-01"},
            "nextInvoice": None,
            "usage": {"callCount": 2},
        }
        (error,) = body["errors"]
        assert error["path"] == ["billingSummary", "nextInvoice"]
        assert error["extensions"]["code"] == "INTERNAL"
        assert "broken" not in error["message"]

    async def test_its_ids_stay_the_same_and_are_no_one_elses(self, august):
        other = await august.add_account("AA0102")
        query = "{ billingSummary { id usage { id } nextInvoice { id } } }"
        first, second = (await august.data(query), await august.data(query, account="AA0102"))
        await august.add_calls(a_call(started_at=pacific(2026, 8, 7, 11), event_id="4"))

        assert await august.data(query) == first
        suffix = other.id.removeprefix("acc_")
        assert second["billingSummary"] == {
            "id": f"summary_{suffix}",
            "usage": {"id": f"usage_{suffix}_2026-08"},
            "nextInvoice": {"id": f"next_{suffix}_accrued"},
        }
        assert first["billingSummary"]["id"] != second["billingSummary"]["id"]


class TestBeforeThePaidStart:
    """A trial that ends on 10 September: paid service begins on the 11th (rules 9, 10)."""

    QUERY = """{ billingSummary {
        currentPlan { code } nextMonthPlan { code } openBalance { amount }
        usage { allowance { minutes } live { seconds } callCount lastEventAt costEffectiveToMinutes days { on } }
        nextInvoice { issuesAt usagePeriod { startsOn } total { amount } lines { displayName } } } }"""

    async def test_a_month_of_trial_has_a_plan_and_no_usage(self, world):
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 8, 31, 12))
        await world.add_calls(a_call(started_at=pacific(2026, 8, 30, 9)))

        assert (await world.data(self.QUERY))["billingSummary"] == {
            "currentPlan": {"code": "100"},
            "nextMonthPlan": {"code": "100"},
            "openBalance": {"amount": "0.00"},
            "usage": None,
            "nextInvoice": {
                "issuesAt": "2026-09-11T13:00:00.000Z",
                "usagePeriod": None,
                "total": {"amount": "92.60"},
                "lines": [{"displayName": "100 Minutes plan, September 2026"}],
            },
        }

    async def test_the_month_of_the_first_paid_day_waits_with_its_allowance(self, world):
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 10, 12))
        await world.add_calls(a_call(started_at=pacific(2026, 9, 10, 9)))

        assert (await world.data(self.QUERY))["billingSummary"]["usage"] == {
            "allowance": {"minutes": "67.00"},
            "live": {"seconds": 0},
            "callCount": 0,
            "lastEventAt": None,
            "costEffectiveToMinutes": 118,
            "days": [],
        }

    async def test_only_calls_from_the_first_paid_day_on_count(self, world):
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 12, 12))
        await world.add_calls(
            a_call(started_at=pacific(2026, 9, 10, 23, 59), event_id="trial"),
            a_call(started_at=pacific(2026, 9, 11), event_id="paid", script_seconds=61, recording_seconds=0),
        )

        usage = (await world.data(self.QUERY))["billingSummary"]["usage"]
        assert (usage["live"], usage["callCount"]) == ({"seconds": 61}, 1)
        assert usage["days"] == [{"on": "2026-09-11"}, {"on": "2026-09-12"}]


class TestNextInvoice:
    async def test_equals_the_invoice_that_is_then_issued(self, august):
        """Taken at the moment of closing, with late calls of a closed month among its facts (rules 25, 28)."""
        await august.advance_to(pacific(2026, 8, 20))
        await august.add_calls(a_call(started_at=pacific(2026, 7, 20, 9), event_id="late", script_seconds=6_300))
        await august.pay(90_00)
        august.clock.instant = pacific(2026, 9, 1, 6)
        preview = (await august.data(NEXT_INVOICE))["nextInvoice"]

        assert await august.close_now() == 1

        issued = (await august.issued())[-1]
        assert preview["hash"] == issued.content_hash
        assert preview["total"] == {"amount": "159.60"}
        assert preview["creditApplied"] == {"amount": "12.00"}
        assert issued.amount_due_cents == 147_60

    async def test_between_midnight_and_the_run_it_still_is_the_one_that_falls_due(self, august):
        await august.advance_to(pacific(2026, 9, 1, 5, 59))
        query = """{ nextInvoice { period { startsOn } issuesAt }
                     billingSummary { period { startsOn } usage { callCount } } }"""

        assert await august.data(query) == {
            "nextInvoice": {"period": {"startsOn": "2026-09-01"}, "issuesAt": "2026-09-01T13:00:00.000Z"},
            "billingSummary": {"period": {"startsOn": "2026-09-01"}, "usage": {"callCount": 0}},
        }
        await august.advance_to(pacific(2026, 9, 1, 6))
        assert (await august.data(query))["nextInvoice"]["period"] == {"startsOn": "2026-10-01"}

    async def test_a_basis_that_is_not_there_is_refused(self, august):
        body = await august.graphql("{ nextInvoice(basis: GUESSED) { hash } }")
        assert body["errors"][0]["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED"

    @pytest.mark.parametrize("role", list(Role))
    async def test_every_role_may_see_it(self, august, role):
        assert (await august.data("{ nextInvoice { total { amount } } }", by=role))["nextInvoice"] == {
            "total": {"amount": "153.15"}
        }


class TestAccess:
    @pytest.mark.parametrize(
        "field", ["billingSummary { id }", "nextInvoice { id }", "usage { id }", "plans { isCurrent }"]
    )
    @pytest.mark.parametrize(("by", "account"), [("stranger", "AA0101"), (Role.ADMIN, "AA0999")])
    async def test_nobody_else_sees_anything(self, august, field, by, account):
        body = await august.graphql(f"{{ {field} }}", by=by, account=account)

        assert set(body["data"].values()) == {None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]
