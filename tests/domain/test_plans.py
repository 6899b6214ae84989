"""Plans, their dated versions and how far each is cost-effective (section 1.3 of the billing rules)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.plans import Catalogue, InvalidCatalogue, PlanNotAvailable, cost_effective_minutes
from tests.factories.plans import a_220_plan, a_plan

TODAY = date(2026, 11, 24)
OLD_100 = a_plan(base_cents=128_00, overage_rate=1_1900, valid_from=date(2015, 1, 1), valid_before=date(2020, 1, 1))
CATALOGUE = Catalogue((a_220_plan(), OLD_100, a_plan()))


class TestPlanVersion:
    @pytest.mark.parametrize(
        ("on", "sold"),
        [
            (date(2014, 12, 31), False),
            (date(2015, 1, 1), True),
            (date(2019, 12, 31), True),
            (date(2020, 1, 1), False),
        ],
    )
    def test_is_sold_from_its_first_day_to_the_day_before_its_end(self, on, sold):
        assert OLD_100.is_sold_on(on) == sold

    def test_without_an_end_is_sold_for_ever(self):
        assert a_plan().is_sold_on(date.max)


class TestPricesThatMove:
    """An account keeps its prices until a later version says from which month existing accounts pay its own."""

    LATER = replace(a_plan(base_cents=149_00, valid_from=date(2026, 6, 1)), existing_move_on=date(2026, 9, 1))
    LAST = replace(a_plan(base_cents=159_00, valid_from=date(2026, 10, 1)), existing_move_on=date(2027, 1, 1))
    NEW_ONLY = a_plan(base_cents=155_00, valid_from=date(2026, 8, 1))
    MOVING = Catalogue((a_plan(), LATER, NEW_ONLY, LAST, a_220_plan()))

    @pytest.mark.parametrize(
        ("on", "base_cents"),
        [
            (date(2026, 8, 1), 139_00),
            (date(2026, 9, 1), 149_00),
            (date(2026, 12, 1), 149_00),
            (date(2027, 1, 1), 159_00),
        ],
    )
    def test_move_in_the_month_that_a_version_names(self, on, base_cents):
        assert self.MOVING.moved(a_plan(), on).base_cents == base_cents

    def test_stay_where_no_later_version_names_a_month(self):
        assert self.MOVING.moved(a_220_plan(), date(2030, 1, 1)) == a_220_plan()
        assert self.MOVING.moved(self.LAST, date(2030, 1, 1)) == self.LAST


class TestCheck:
    def test_takes_a_ladder_that_holds_on_every_date(self):
        CATALOGUE.check()

    def test_names_the_date_on_which_a_price_breaks_it(self):
        dear = a_plan(base_cents=240_00, valid_from=date(2027, 1, 1))
        cheap_until = replace(a_plan(), valid_before=date(2027, 1, 1))
        with pytest.raises(InvalidCatalogue, match="On 2027-01-01"):
            Catalogue((cheap_until, dear, a_220_plan())).check()


class TestCatalogue:
    def test_lists_what_is_on_sale_cheapest_first(self):
        assert [plan.code for plan in CATALOGUE.sold_on(TODAY)] == ["100", "220"]
        assert CATALOGUE.sold_on(date(2016, 1, 1)) == (OLD_100,)
        assert CATALOGUE.sold_on(date(2014, 1, 1)) == ()

    def test_gives_the_version_of_the_day(self):
        assert CATALOGUE.get("100", TODAY) == a_plan()
        assert CATALOGUE.get("100", date(2016, 1, 1)) == OLD_100

    def test_names_the_plans_on_sale_when_there_is_no_such_plan(self):
        with pytest.raises(PlanNotAvailable) as no:
            CATALOGUE.get("90", TODAY)
        assert str(no.value) == "There is no plan '90' on sale on 2026-11-24. Choose one of: 100, 220."
        assert (no.value.plan_code, no.value.on) == ("90", TODAY)

    def test_offers_nothing_when_nothing_is_on_sale(self):
        with pytest.raises(PlanNotAvailable) as no:
            CATALOGUE.get("100", date(2014, 1, 1))
        assert str(no.value) == "There is no plan '100' on sale on 2014-01-01."

    def test_finds_the_next_plan_up(self):
        assert CATALOGUE.find_next(a_plan(), TODAY) == a_220_plan()
        assert CATALOGUE.find_next(a_220_plan(), TODAY) is None
        assert CATALOGUE.find_next(OLD_100, TODAY) == a_220_plan()

    def test_finds_the_smallest_of_several_larger_plans(self):
        largest = a_plan(code="500", base_cents=499_00, included_minutes=500)
        assert Catalogue((largest, a_220_plan(), a_plan())).find_next(a_plan(), TODAY) == a_220_plan()

    def test_knows_how_far_a_plan_is_cost_effective(self):
        assert CATALOGUE.cost_effective_minutes(a_plan(), TODAY) == 177
        assert CATALOGUE.cost_effective_minutes(a_220_plan(), TODAY) is None


class TestCostEffectiveMinutes:
    @pytest.mark.parametrize(
        ("base_cents", "next_base_cents", "overage_rate", "minutes"),
        [(128_00, 219_00, 1_1900, 176), (139_00, 239_00, 1_2900, 177), (139_00, 139_00, 1_2900, 100)],
    )
    def test_adds_to_the_allowance_what_the_difference_buys(self, base_cents, next_base_cents, overage_rate, minutes):
        plan = a_plan(base_cents=base_cents, overage_rate=overage_rate)
        higher = a_plan(code="220", base_cents=next_base_cents, included_minutes=220)
        assert cost_effective_minutes(plan, higher) == minutes


class TestLadder:
    def test_of_plans_that_pay_off_one_after_the_other_is_accepted(self):
        CATALOGUE.check_ladder(TODAY)
        CATALOGUE.check_ladder(date(2014, 1, 1))

    def test_with_a_step_that_never_pays_off_is_refused(self):
        too_dear = a_plan(code="220", base_cents=300_00, included_minutes=220)
        with pytest.raises(InvalidCatalogue, match=r"plan 100 is cost effective to 224 minutes.* the 220 of 220"):
            Catalogue((a_plan(), too_dear)).check_ladder(TODAY)

    def test_with_dearer_minutes_on_a_larger_plan_is_refused(self):
        dear_minutes = a_plan(code="220", base_cents=239_00, included_minutes=220, overage_rate=13_000)
        with pytest.raises(InvalidCatalogue, match=r"costs more on plan 220 than on 100"):
            Catalogue((a_plan(), dear_minutes)).check_ladder(TODAY)

    def test_with_a_larger_plan_at_a_lower_price_is_refused(self):
        too_cheap = a_plan(code="220", base_cents=138_00, included_minutes=220)
        with pytest.raises(InvalidCatalogue, match=r"plan 220 is cost effective to 220 minutes.* the 100 of 100"):
            Catalogue((a_plan(), too_cheap)).check_ladder(TODAY)


class TestMoves:
    OLD = a_plan()
    NEW = a_plan(base_cents=149_00, valid_from=date(2027, 1, 1), existing_move_on=date(2027, 3, 1))
    NEWEST = a_plan(base_cents=159_00, valid_from=date(2028, 1, 1), existing_move_on=date(2028, 1, 1))
    CATALOGUE = Catalogue((OLD, NEW, NEWEST, a_220_plan()))

    @pytest.mark.parametrize(
        ("plan", "on", "moved"),
        [
            (OLD, date(2027, 2, 1), OLD),
            (OLD, date(2027, 3, 1), NEW),
            (OLD, date(2027, 12, 1), NEW),
            (OLD, date(2028, 1, 1), NEWEST),
            (NEW, date(2027, 3, 1), NEW),
            (NEWEST, date(2027, 3, 1), NEWEST),
            (a_220_plan(), date(2028, 1, 1), a_220_plan()),
        ],
    )
    def test_existing_accounts_move_to_the_newest_price_of_their_plan_whose_month_has_come(self, plan, on, moved):
        assert self.CATALOGUE.moved(plan, on) == moved

    def test_a_price_that_names_no_month_leaves_existing_accounts_alone(self):
        catalogue = Catalogue((self.OLD, a_plan(base_cents=149_00, valid_from=date(2027, 1, 1))))
        assert catalogue.moved(self.OLD, date(2099, 1, 1)) == self.OLD
