"""Which usage is told, once for each arming (rules 21, 37, 38)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.alerts import (
    CATALOGUE,
    CONTACT_KINDS,
    AlertKind,
    Crossing,
    find_crossings,
    find_rearmed,
    next_arming,
    next_watch,
    usage_thresholds,
)
from app.domain.periods import Period
from app.domain.seed_catalogue import SEED_CATALOGUE

AUGUST = Period.parse("2026-08")
NEARLY, EXCEEDED, COST = (
    AlertKind.ALLOWANCE_NEARLY_USED,
    AlertKind.ALLOWANCE_EXCEEDED,
    AlertKind.COST_EFFECTIVE_EXCEEDED,
)


def thresholds(code: str = "100", paid_starts_on: date = date(2026, 1, 1)):
    plan = SEED_CATALOGUE.get(code, AUGUST.starts_on)
    return usage_thresholds(plan=plan, period=AUGUST, paid_starts_on=paid_starts_on, catalogue=SEED_CATALOGUE)


def crossed(live_seconds: int, *past: Crossing, code: str = "100"):
    return [(limit.kind, no) for limit, no in find_crossings(thresholds(code), live_seconds, past)]


class TestThresholds:
    def test_a_plan_has_eighty_percent_all_of_it_and_what_it_is_cost_effective_to(self):
        assert [(limit.kind, limit.level, limit.from_seconds) for limit in thresholds()] == [
            (NEARLY, 80, 80 * 60),
            (EXCEEDED, 100, 100 * 60 + 1),
            (COST, 100, 177 * 60 + 1),
        ]

    def test_a_plan_without_an_allowance_has_no_allowance_alerts(self):
        """Rule 38."""
        assert [limit.kind for limit in thresholds("economy")] == [COST]

    def test_the_largest_plan_is_always_cost_effective(self):
        assert [limit.kind for limit in thresholds("10000")] == [NEARLY, EXCEEDED]

    def test_a_partial_first_month_has_its_prorated_allowance(self):
        """Rules 9, 10: 100 minutes for 16 of 31 days are 52."""
        assert thresholds(paid_starts_on=date(2026, 8, 16))[1].limit_seconds == 52 * 60


class TestCrossing:
    @pytest.mark.parametrize(
        ("live_seconds", "told"),
        [
            (80 * 60 - 1, []),
            (80 * 60, [NEARLY]),
            (100 * 60, [NEARLY]),
            (100 * 60 + 1, [NEARLY, EXCEEDED]),
            (177 * 60, [NEARLY, EXCEEDED]),
            (177 * 60 + 1, [NEARLY, EXCEEDED, COST]),
        ],
    )
    def test_each_limit_is_told_from_its_own_second_on(self, live_seconds, told):
        assert crossed(live_seconds) == [(kind, 1) for kind in told]

    def test_what_was_told_is_not_told_again(self):
        assert crossed(90 * 60, Crossing(NEARLY, 80, 1)) == []

    def test_what_was_armed_again_is_told_under_the_next_number(self):
        past = Crossing(NEARLY, 80, 1, is_rearmed=True), Crossing(NEARLY, 80, 2, is_rearmed=True)
        assert crossed(90 * 60, *past) == [(NEARLY, 3)]
        assert next_arming(NEARLY, 80, [*past, Crossing(NEARLY, 80, 3)]) is None

    def test_the_month_is_looked_at_again_at_the_next_limit_above_its_usage(self):
        assert next_watch(thresholds(), 0) == 80 * 60
        assert next_watch(thresholds(), 80 * 60) == 100 * 60 + 1
        assert next_watch(thresholds(), 177 * 60 + 1) is None


class TestArmingAgain:
    """A plan change that puts usage back below arms again (rule 37)."""

    PAST = (Crossing(NEARLY, 80, 1), Crossing(EXCEEDED, 100, 1), Crossing(COST, 100, 1))

    def test_a_larger_plan_arms_what_usage_is_below_on_it(self):
        assert list(find_rearmed(thresholds("220"), 178 * 60, self.PAST)) == [self.PAST[1], self.PAST[2]]

    def test_a_limit_that_usage_is_still_past_stays_told(self):
        assert list(find_rearmed(thresholds(), 178 * 60, self.PAST)) == []

    def test_a_limit_that_the_new_plan_does_not_have_stays_told(self):
        assert list(find_rearmed(thresholds("economy"), 60, self.PAST)) == [self.PAST[2]]

    def test_forecasts_are_made_anew_and_what_is_armed_is_left_alone(self):
        forecast = Crossing(AlertKind.FORECAST_OVER_ALLOWANCE, 100, 1)
        armed = Crossing(AlertKind.UPGRADE_SCHEDULED, 220, 1, is_rearmed=True)
        assert list(find_rearmed(thresholds(), 178 * 60, [forecast, armed])) == [forecast]


class TestCatalogue:
    def test_every_kind_is_defined_and_described(self):
        assert set(CATALOGUE) == set(AlertKind)
        assert all(one.title and one.description.endswith(".") for one in CATALOGUE.values())

    def test_only_changes_of_payment_methods_cannot_be_switched_off(self):
        fixed = {kind for kind, one in CATALOGUE.items() if not one.is_switchable}
        assert fixed == {AlertKind.PAYMENT_METHOD_CHANGED}

    def test_duties_are_for_contacts(self):
        assert {kind for kind, one in CATALOGUE.items() if one.is_mandatory} < CONTACT_KINDS
        assert NEARLY not in CONTACT_KINDS
