"""Advice over HTTP: own months on each plan, months that might be, and where the month is heading (rule 40)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.accounts import Role
from tests.factories.calls import a_call
from tests.graphql.test_plan_changes import PLAN_220, change
from tests.trips import counted_trips
from tests.world import pacific

ADVICE = """query ($months: Int! = 12) {
  planAdvice(months: $months) {
    months { period { startsOn } isProjected live { minutes } }
    simulations { plan { id code } isCurrent bills { amount } total { amount } average { amount } }
    recommended { code } noAdvice averageSaving { amount } explanation
  }
}"""
WHAT_IF = """query ($live: Int!, $addOns: [ID!], $lines: Int) {
  whatIf(liveMinutes: $live, addOnIds: $addOns, additionalLines: $lines) {
    period { startsOn }
    bills { plan { code } isCurrent isCheapest base { amount } addOns { amount } overage { amount } total { amount } }
  }
}"""
OFFERS = "{ plans { plan { code } canChangeNow isRecommended whyNot { __typename code message } } }"
FORECAST = """{
  billingSummary {
    isBestPlan
    projection { isMade basis explanation observedDays live { minutes } }
    upgradeForecast {
      on plan { code } target { code } isPermanent lines { amount { amount } }
      baseDifference { amount } amountDue { amount } saving { amount }
    }
  }
  nextInvoice(basis: PROJECTED) { id basis total { amount } }
}"""
QUOTE = """query ($id: ID!) {
  planChangePreview(planId: $id, when: NOW) { ... on PlanChangeQuote { id nextInvoice { hash total { amount } } } }
}"""


@pytest.fixture
async def autumn(world):
    """On plan 100 since 1 June; 160 live minutes in each of June, July and August; noon of 10 September."""
    await live_through_summer(world, 160)
    return world


async def live_through_summer(world, minutes):
    """On plan 100 since 1 June, with so many live minutes in each month; up to noon of 10 September."""
    world.clock.instant = pacific(2026, 6, 1, 12)
    await world.add_account(paid_since_on=date(2026, 6, 1))
    for month in (6, 7, 8):
        await world.advance_to(pacific(2026, month, 28, 12))
        await talk(world, month, minutes)
    await world.advance_to(pacific(2026, 9, 10, 12))


async def talk(world, month, minutes, day=10):
    at = pacific(2026, month, day, 9)
    await world.add_calls(a_call(event_id=f"{month}/{day}", started_at=at, script_seconds=minutes * 60))


class TestPlanAdvice:
    async def test_shows_the_bills_of_the_own_months_on_every_plan(self, autumn):
        advice = (await autumn.data(ADVICE))["planAdvice"]

        assert [(one["period"]["startsOn"], one["isProjected"]) for one in advice["months"]] == [
            ("2026-06-01", False),
            ("2026-07-01", False),
            ("2026-08-01", False),
            ("2026-09-01", True),
        ]
        hundred = next(one for one in advice["simulations"] if one["plan"]["code"] == "100")
        assert hundred["isCurrent"]
        assert [bill["amount"] for bill in hundred["bills"][:3]] == ["216.40"] * 3
        assert (advice["recommended"], advice["noAdvice"]) == (None, "ALREADY_CHEAPEST")
        assert advice["explanation"].startswith("100 Minutes is the cheapest plan")

    async def test_looks_back_as_far_as_it_is_told(self, autumn):
        advice = (await autumn.data(ADVICE, variables={"months": 1}))["planAdvice"]
        assert [one["period"]["startsOn"] for one in advice["months"]] == ["2026-08-01", "2026-09-01"]
        assert advice["noAdvice"] == "TOO_FEW_MONTHS"

    @pytest.mark.parametrize("months", [0, 13])
    async def test_months_out_of_range_are_refused(self, autumn, months):
        body = await autumn.graphql(ADVICE, variables={"months": months})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_INPUT"]

    async def test_is_for_those_who_decide(self, autumn):
        body = await autumn.graphql(ADVICE, by=Role.MEMBER)
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]


class TestWhatIf:
    async def test_bills_a_month_of_so_many_minutes_on_every_plan(self, autumn):
        found = (await autumn.data(WHAT_IF, variables={"live": 300}))["whatIf"]
        bills = {bill["plan"]["code"]: bill for bill in found["bills"]}
        assert found["period"]["startsOn"] == "2026-10-01"
        assert bills["100"]["total"] == {"amount": "397.00"}
        assert bills["220"]["total"] == {"amount": "334.20"}
        assert [code for code, bill in bills.items() if bill["isCheapest"]] == ["220"]
        assert [code for code, bill in bills.items() if bill["isCurrent"]] == ["100"]

    async def test_with_add_ons_and_lines(self, autumn):
        add_ons = (await autumn.data("{ addOns { id code } }"))["addOns"]
        chosen = [one["id"] for one in add_ons if one["code"] in {"on_call", "live_call"}]
        variables = {"live": 0, "addOns": chosen, "lines": 2}
        found = (await autumn.data(WHAT_IF, variables=variables))["whatIf"]
        assert {bill["addOns"]["amount"] for bill in found["bills"]} == {"65.00"}

    @pytest.mark.parametrize("wrong", [{"live": -1}, {"live": 100_001}, {"lines": 101}, {"addOns": ["addon_x"]}])
    async def test_what_cannot_be_is_refused(self, autumn, wrong):
        body = await autumn.graphql(WHAT_IF, variables={"live": 1, **wrong})
        assert [error["extensions"]["code"] for error in body["errors"]] == ["BAD_INPUT"]


class TestOffers:
    async def test_say_whether_one_can_change_now_and_why_not(self, autumn):
        await change(autumn, PLAN_220)
        await talk(autumn, 9, 178, day=9)
        offers = {one["plan"]["code"]: one for one in (await autumn.data(OFFERS))["plans"]}
        assert offers["500"] == {
            "plan": {"code": "500"},
            "canChangeNow": True,
            "isRecommended": False,
            "whyNot": None,
        }
        assert offers["100"]["canChangeNow"] is False
        assert offers["100"]["whyNot"]["code"] == "DOWNGRADE_NOT_COST_EFFECTIVE"
        assert offers["220"]["whyNot"]["__typename"] == "AlreadyOnPlan"

    async def test_take_one_trip(self, autumn):
        async with counted_trips() as trips:
            await autumn.data(OFFERS)
        assert trips.count == 1, trips.statements


class TestForecast:
    async def test_says_where_the_month_is_heading_and_on_what_basis(self, autumn):
        await talk(autumn, 9, 160, day=9)
        data = await autumn.data(FORECAST)
        projection = data["billingSummary"]["projection"]
        assert (projection["isMade"], projection["basis"]) == (True, "WEEKDAY_PATTERN")
        assert projection["observedDays"] == 101
        assert float(projection["live"]["minutes"]) > 160
        assert data["nextInvoice"]["basis"] == "PROJECTED"
        assert data["nextInvoice"]["id"].endswith("_projected")

    @pytest.mark.parametrize(("minutes", "is_best"), [(160, True), (5, False)])
    async def test_the_summary_says_whether_the_plan_is_the_best_one(self, world, minutes, is_best):
        await live_through_summer(world, minutes)
        assert (await world.data(FORECAST))["billingSummary"]["isBestPlan"] is is_best

    async def test_an_upgrade_ahead_has_its_day_and_its_money(self, autumn):
        await talk(autumn, 9, 400, day=9)
        forecast = (await autumn.data(FORECAST))["billingSummary"]["upgradeForecast"]
        assert [(one["plan"]["code"], one["target"]["code"], one["baseDifference"]["amount"]) for one in forecast][
            :1
        ] == [("100", "220", "100.00")]

    async def test_a_first_week_is_honest(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 3, 12))
        projection = (await world.data(FORECAST))["billingSummary"]["projection"]
        assert (projection["isMade"], projection["basis"]) == (False, "TOO_LITTLE_DATA")
        assert (await world.data(FORECAST))["billingSummary"]["isBestPlan"] is None

    async def test_takes_one_trip_with_the_summary(self, autumn):
        async with counted_trips() as trips:
            await autumn.data(FORECAST)
        assert trips.count == 1, trips.statements


class TestTheInvoiceAfterAChange:
    async def test_is_previewed_as_it_then_stands(self, autumn):
        await talk(autumn, 9, 230, day=9)
        quote = (await autumn.data(QUOTE, variables={"id": PLAN_220}))["planChangePreview"]
        await change(autumn, PLAN_220)
        after = (await autumn.data("{ nextInvoice { hash total { amount } } }"))["nextInvoice"]
        assert after == quote["nextInvoice"]
        assert after["total"] == {"amount": "250.90"}

    async def test_takes_one_trip(self, autumn):
        async with counted_trips() as trips:
            await autumn.data(QUOTE, variables={"id": PLAN_220})
        assert trips.count == 1, trips.statements
