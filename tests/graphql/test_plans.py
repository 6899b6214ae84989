"""The plans beside each other, asked for over HTTP on a real database."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.accounts import Role
from tests import calculator
from tests.factories.calls import a_call
from tests.trips import counted_trips
from tests.world import World, pacific

PLANS = """{
  plans {
    plan { id code base { cents: amount } costEffectiveToMinutes includedMinutes overageRate { amount } }
    isCurrent costThisMonth { amount } usageCost { amount }
  }
}"""


def calculated(offer, *, month, paid_from, calls):
    """Base and usage of the month on an offer's own figures, by the calculator of the tests, in cents."""
    plan = offer["plan"]
    figures = calculator.PlanFigures(
        base_cents=in_units(plan["base"]["cents"], 2),
        included_minutes=plan["includedMinutes"],
        overage_rate=in_units(plan["overageRate"]["amount"], 4),
    )
    usage = calculator.usage_of(month, paid_from, figures, calls, 1_000, 1_500)
    return calculator.base_of(month, paid_from, figures.base_cents) + sum(cents for _, cents in usage)


def in_units(text, decimals):
    whole, _, rest = text.partition(".")
    return int(whole + f"{rest:0<{decimals}}")


@pytest.fixture
async def august(world):
    """Paid since January on plan 100; 14 August with 230 live minutes, 10 patched and 2 automated.

    After six months such a month is not upgraded: 230 minutes are short of what plan 220 is good for (rule 19).
    """
    await world.add_account(paid_since_on=date(2026, 1, 1))
    await world.advance_to(pacific(2026, 8, 14, 12))
    await world.add_calls(
        a_call(started_at=pacific(2026, 8, 10, 9), script_seconds=230 * 60, patch_seconds=600, ivr_seconds=120)
    )
    return world


class TestPlans:
    async def test_each_is_rated_on_its_own_allowance_and_prices(self, august):
        offers = (await august.data(PLANS))["plans"]

        assert [(offer["plan"]["code"], offer["costThisMonth"]["amount"]) for offer in offers] == [
            ("economy", "360.00"),
            ("100", "308.00"),
            ("220", "252.20"),
            ("500", "500.30"),
            ("1000", "950.30"),
            ("2500", "2250.30"),
            ("5000", "4400.30"),
            ("10000", "8600.30"),
        ]
        assert [offer["usageCost"]["amount"] for offer in offers[:3]] == ["321.00", "169.00", "13.20"]
        assert [offer["plan"]["costEffectiveToMinutes"] for offer in offers] == [
            *(71, 177, 438, 912, 2_313, 4_763, 9_719, None),
        ]

    async def test_the_one_that_this_month_is_billed_on_is_current(self, august):
        offers = (await august.data(PLANS))["plans"]
        assert [offer["plan"]["code"] for offer in offers if offer["isCurrent"]] == ["100"]

    async def test_a_first_partial_month_is_rated_on_its_paid_days(self, world):
        """100 and 220 from 11 September: $92.60 and $159.40 for 20 days, 67 and 147 minutes (rules 9, 10)."""
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        await world.advance_to(pacific(2026, 9, 20, 12))
        await world.add_calls(a_call(started_at=pacific(2026, 9, 15, 9), script_seconds=148 * 60))

        offers = (await world.data(PLANS))["plans"]

        assert [offer["costThisMonth"]["amount"] for offer in offers[1:3]] == ["197.09", "160.59"]
        call = calculator.Call(started_at=pacific(2026, 9, 15, 9), script_seconds=148 * 60)
        for offer in offers:
            cents = calculated(offer, month=(2026, 9), paid_from=date(2026, 9, 11), calls=[call])
            assert in_units(offer["costThisMonth"]["amount"], 2) == cents

    async def test_a_month_of_trial_costs_nothing_on_any_plan(self, world):
        await world.add_account(trial_ends_on=date(2026, 9, 10))
        offers = (await world.data(PLANS))["plans"]
        assert {offer["costThisMonth"]["amount"] for offer in offers} == {"0.00"}

    async def test_an_account_keeps_its_version_beside_the_one_on_sale(self, database):
        """Plan 100 was $128.00 until the end of 2019 (section 1.3)."""
        world = await World.create(database, now=pacific(2019, 12, 1, 12))
        await world.add_account(paid_since_on=date(2019, 12, 1))
        before = (await world.data(PLANS))["plans"]
        await world.advance_to(pacific(2020, 1, 5, 12))
        after = (await world.data(PLANS))["plans"]

        hundreds = [offer for offer in after if offer["plan"]["code"] == "100"]
        assert [(offer["plan"]["id"], offer["isCurrent"]) for offer in hundreds] == [
            ("plan_100_2015", True),
            ("plan_100_2020", False),
        ]
        assert [offer["costThisMonth"]["amount"] for offer in hundreds] == ["128.00", "139.00"]
        assert [offer["plan"]["costEffectiveToMinutes"] for offer in hundreds] == [193, 177]
        assert [offer["plan"]["costEffectiveToMinutes"] for offer in before if offer["isCurrent"]] == [176]
        assert (len(before), len(after)) == (8, 9)

    async def test_takes_one_trip(self, august):
        async with counted_trips() as trips:
            await august.data(PLANS)
        assert trips.count == 1, trips.statements

    async def test_are_for_those_who_decide(self, august):
        for role in (Role.ADMIN, Role.BILLING):
            assert len((await august.data(PLANS, by=role))["plans"]) == 8
        body = await august.graphql(PLANS, by=Role.MEMBER)
        assert body["data"] == {"plans": None}
        assert [error["extensions"]["code"] for error in body["errors"]] == ["FORBIDDEN"]

    async def test_agree_with_the_invoice_that_the_month_leads_to(self, august):
        current = next(offer for offer in (await august.data(PLANS))["plans"] if offer["isCurrent"])
        await august.advance_to(pacific(2026, 9, 1, 6) + timedelta(minutes=1))

        opened, closed = (await august.issued())[-2:]
        usage_cents = sum(line.amount_cents for line in closed.lines if line.kind != "BASE")
        base_cents = next(line.amount_cents for line in opened.lines if line.kind == "BASE")
        assert in_units(current["costThisMonth"]["amount"], 2) == base_cents + usage_cents
