"""The plan that fits an account's own months (rule 40)."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invoices import BillingFacts, UsedPeriod, compute_invoice
from app.domain.periods import Period
from app.domain.plans import Catalogue
from app.domain.policies import POLICY_VERSIONS, policies_on
from app.domain.pricing import month_cost_cents
from app.domain.recommendation import AdviceMonth, NoAdvice, PlanAdvice, advise, simulated_costs, sold_at_close
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.usage import UsageTotals
from tests.factories.calls import usage
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.strategies import SECONDS

TODAY = date(2026, 9, 15)
LONG_AGO = date(2024, 1, 1)
PLAN_100 = SEED_CATALOGUE.get("100", TODAY)
PLAN_220 = SEED_CATALOGUE.get("220", TODAY)


def months_of(*live_minutes: int, projected_minutes: int | None = None) -> list[AdviceMonth]:
    """Full months up to August 2026, and September as it is projected."""
    current = Period.containing(TODAY)
    full = [
        AdviceMonth(current.shifted(index - len(live_minutes)), usage(live_minutes=minutes))
        for index, minutes in enumerate(live_minutes)
    ]
    if projected_minutes is not None:
        full.append(AdviceMonth(current, usage(live_minutes=projected_minutes), is_projected=True))
    return full


def advice(months, *, plan=PLAN_100, catalogue=SEED_CATALOGUE, paid_starts_on=LONG_AGO) -> PlanAdvice:
    return advise(months=months, plan=plan, today=TODAY, paid_starts_on=paid_starts_on, catalogue=catalogue)


def bills(found: PlanAdvice) -> dict[str, tuple[int, ...]]:
    return {simulation.plan.code: simulation.month_cents for simulation in found.simulations}


class TestAdvice:
    def test_rule_40_rates_full_months_and_the_projected_one_on_every_plan(self):
        found = advice(months_of(300, 200, projected_minutes=250))
        assert [month.period.month for month in found.months] == ["2026-07", "2026-08", "2026-09"]
        assert [simulation.plan.code for simulation in found.simulations] == [
            "economy", "100", "220", "500", "1000", "2500", "5000", "10000",
        ]  # fmt: skip
        # 139.00 + 200 × 1.29; 239.00 + 80 × 1.19
        assert bills(found)["100"] == (397_00, 268_00, 332_50)
        assert bills(found)["220"] == (334_20, 239_00, 274_70)
        assert found.recommended == PLAN_220
        assert found.no_advice is None
        # (997.50 - 847.90) / 3 = 49.87
        assert (found.current.average_cents, found.average_saving_cents) == (332_50, 49_87)
        assert found.explanation == (
            "220 Minutes instead of 100 Minutes would have saved $49.87 in an average month over the 3 months looked "
            "at."
        )

    def test_a_lower_plan_is_advised_where_the_months_are_quiet(self):
        found = advice(months_of(20, 10), plan=PLAN_220)
        assert found.recommended is not None
        assert found.recommended.code == "economy"
        assert found.is_best_plan is False
        assert bills(found)["economy"] == (39_00 + 27_80, 39_00 + 13_90)

    @pytest.mark.parametrize("months", [[], months_of(300), months_of(300, projected_minutes=300)])
    def test_needs_two_full_months_beside_the_projected_one(self, months):
        found = advice(months)
        assert (found.recommended, found.no_advice) == (None, NoAdvice.TOO_FEW_MONTHS)
        assert found.is_best_plan is None
        assert bills(found)["100"] == (397_00,) * len(months)
        assert found.explanation == "Advice needs 2 full months of calls; there are too few yet."

    def test_no_month_at_all_has_an_average_of_nothing(self):
        found = advice([])
        assert (found.current.average_cents, found.average_saving_cents) == (0, 0)

    def test_stays_on_the_cheapest_plan(self):
        found = advice(months_of(150, 150))
        assert (found.recommended, found.no_advice) == (None, NoAdvice.ALREADY_CHEAPEST)
        assert found.is_best_plan is True
        assert found.average_saving_cents == 0
        assert found.explanation == "100 Minutes is the cheapest plan for the 2 months looked at."

    def test_rule_40_a_tie_stays(self):
        twin = a_plan(code="twin", identifier="plan_a_twin")
        found = advice(months_of(150, 150), catalogue=Catalogue((twin, a_plan())), plan=a_plan())
        assert (found.recommended, found.no_advice) == (None, NoAdvice.ALREADY_CHEAPEST)

    def test_a_plan_that_is_sold_no_more_is_compared_but_never_advised(self):
        old = a_plan(code="old", base_cents=100_00, valid_before=date(2021, 1, 1))
        catalogue = Catalogue((old, a_plan(), a_220_plan()))
        assert advice(months_of(100, 100), catalogue=catalogue, plan=old).no_advice is NoAdvice.ALREADY_CHEAPEST
        assert advice(months_of(100, 100), catalogue=catalogue, plan=a_plan()).no_advice is NoAdvice.ALREADY_CHEAPEST
        assert "old" in bills(advice(months_of(100, 100), catalogue=catalogue, plan=old))

    def test_with_nothing_on_sale_there_is_nothing_to_change_to(self):
        found = advice(months_of(300, 300), catalogue=Catalogue(()))
        assert (found.recommended, found.no_advice) == (None, NoAdvice.ALREADY_CHEAPEST)


class TestTheSavingThatPays:
    """Rule 40: at least $5.00, and at least 3 %, in an average month."""

    @pytest.mark.parametrize(
        ("dear_cents", "cheap_cents", "is_advised"),
        [
            (100_00, 95_00, True),
            (100_00, 95_01, False),  # $4.99
            (200_00, 194_00, True),
            (200_00, 194_01, False),  # $5.99 is less than 3 % of $200.00
            (166_66, 161_66, True),  # $5.00 is a hair more than 3 %
            (166_67, 161_67, False),
        ],
    )
    def test_has_to_reach_both(self, dear_cents, cheap_cents, is_advised):
        dear, cheap = a_plan(base_cents=dear_cents), a_plan(code="cheap", base_cents=cheap_cents)
        found = advice(months_of(50, 50), plan=dear, catalogue=Catalogue((dear, cheap)))
        assert (found.recommended == cheap) is is_advised
        assert found.no_advice is (None if is_advised else NoAdvice.SAVING_TOO_SMALL)

    def test_what_is_too_small_is_said_with_its_size(self):
        dear, cheap = a_plan(), a_plan(code="cheap", base_cents=135_50, name="Cheap")
        found = advice(months_of(50, 50), plan=dear, catalogue=Catalogue((dear, cheap)))
        assert found.average_saving_cents == 3_50
        assert found.explanation == (
            "Cheap would have saved $3.50 in an average month over the 2 months looked at, and a change is advised "
            "from $5.00 and 3 % of the bill on."
        )


class TestStoredCosts:
    july = Period.parse("2026-07")

    def month(self, **costs: int) -> AdviceMonth:
        return AdviceMonth(self.july, usage(live_minutes=300), stored_costs=costs)

    def test_are_taken_as_they_were_worked_out_at_the_close(self):
        found = advice([self.month(economy=1, **{"100": 2})])
        assert (bills(found)["economy"], bills(found)["100"], bills(found)["220"]) == ((1,), (2,), (334_20,))

    def test_are_not_taken_where_the_price_is_another_now(self):
        old = a_plan(valid_before=date(2026, 9, 1))
        new = a_plan(base_cents=149_00, valid_from=date(2026, 9, 1))
        found = advice([self.month(**{"100": 2})], plan=old, catalogue=Catalogue((old, new)))
        assert {simulation.plan: simulation.month_cents for simulation in found.simulations} == {
            old: (2,),
            new: (149_00 + 258_00,),
        }

    def test_are_those_of_the_plans_on_sale_on_the_day_of_the_close(self):
        august_only = a_plan(code="new", valid_from=date(2026, 8, 1))
        assert sold_at_close(Catalogue((august_only, a_plan())), self.july) == (august_only, a_plan())
        assert sold_at_close(Catalogue((august_only, a_plan())), self.july.shifted(-1)) == (a_plan(),)

    def test_hold_one_cost_for_each_plan(self):
        costs = simulated_costs(usage(live_minutes=300), self.july, LONG_AGO, [PLAN_100, PLAN_220])
        assert costs == {"100": 397_00, "220": 334_20}


MINUTES = st.integers(0, 6_000)
USAGES = st.builds(UsageTotals, MINUTES.map(lambda minutes: minutes * 60), SECONDS, SECONDS, st.just(0))
SOLD = st.sampled_from(SEED_CATALOGUE.sold_on(TODAY))


class TestEveryAccount:
    @given(st.lists(USAGES, max_size=6), SOLD)
    def test_is_never_advised_a_plan_that_costs_more(self, usages, plan):
        months = [AdviceMonth(Period.containing(TODAY).shifted(-back), used) for back, used in enumerate(usages, 1)]
        found = advice(months, plan=plan)
        totals = {simulation.plan: simulation.total_cents for simulation in found.simulations}
        assert (found.recommended is None) is (found.no_advice is not None)
        if found.recommended is not None:
            assert totals[found.recommended] == min(totals.values()) <= totals[plan] - 5_00 * len(months)
            assert found.average_saving_cents >= 5_00

    @given(USAGES, SOLD, st.dates(date(2026, 7, 1), date(2026, 8, 31)))
    def test_sees_the_bill_that_the_account_would_have_got(self, used, plan, paid_starts_on):
        """The base of the month on its own invoice and the usage on the next one, both by `compute_invoice`."""
        month, policies = Period.parse("2026-08"), POLICY_VERSIONS[-1]
        opening = BillingFacts(month, paid_starts_on, plan, policies_on(month.starts_on))
        ended = UsedPeriod(month, plan, policies, used)
        closing = BillingFacts(month.shifted(1), paid_starts_on, plan, policies, (ended,), bills_base=False)
        billed_cents = compute_invoice(opening).total_cents + compute_invoice(closing).total_cents
        found = advice([AdviceMonth(month, used)], plan=plan, paid_starts_on=paid_starts_on)
        assert found.current.month_cents == (billed_cents,)
        assert billed_cents == month_cost_cents(used, plan, month, paid_starts_on)
