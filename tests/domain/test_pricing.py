"""A month's usage on one plan (rules 4, 6 and 7)."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given

from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.pricing import allowance_seconds, month_cost_cents, rate_usage
from tests import calculator
from tests.factories.calls import usage
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.strategies import DAYS, TOTALS, plans

POLICIES = POLICY_VERSIONS[-1]
SEPTEMBER = Period.parse("2026-09")
LONG_AGO = date(2026, 1, 1)
MID_SEPTEMBER = date(2026, 9, 11)


class TestAllowance:
    def test_rule_10_is_prorated_in_the_first_month_only(self):
        assert allowance_seconds(a_plan(), SEPTEMBER, MID_SEPTEMBER) == 67 * 60
        assert allowance_seconds(a_220_plan(), SEPTEMBER, MID_SEPTEMBER) == 147 * 60
        assert allowance_seconds(a_plan(), SEPTEMBER.shifted(1), MID_SEPTEMBER) == 100 * 60


class TestRateUsage:
    @pytest.mark.parametrize(
        ("live_seconds", "overage_seconds", "overage_cents"),
        [(0, 0, 0), (5_999, 0, 0), (6_000, 0, 0), (6_001, 1, 2), (6_060, 60, 1_29), (6_600, 600, 12_90)],
    )
    def test_rule_7_charges_live_seconds_above_the_allowance(self, live_seconds, overage_seconds, overage_cents):
        rated = rate_usage(usage(live_seconds=live_seconds), a_plan(), SEPTEMBER, LONG_AGO, POLICIES)
        assert (rated.overage_seconds, rated.overage_cents) == (overage_seconds, overage_cents)
        assert rated.total_cents == overage_cents

    def test_rule_6_charges_patch_and_ivr_from_the_first_second(self):
        rated = rate_usage(usage(patch_seconds=450, ivr_seconds=200), a_plan(), SEPTEMBER, LONG_AGO, POLICIES)
        assert (rated.overage_cents, rated.patch_cents, rated.ivr_cents, rated.total_cents) == (0, 75, 50, 1_25)
        assert rated.allowance_seconds == 6_000

    def test_takes_patch_and_ivr_prices_from_the_policies(self):
        policies = Policies("test", date.min, patch_rate=UnitPrice(2_000), ivr_rate=UnitPrice(0))
        rated = rate_usage(usage(patch_seconds=450, ivr_seconds=200), a_plan(), SEPTEMBER, LONG_AGO, policies)
        assert (rated.patch_cents, rated.ivr_cents) == (1_50, 0)

    @given(totals=TOTALS, plan=plans(), paid_starts_on=DAYS)
    def test_rule_4_rounds_each_line_once(self, totals, plan, paid_starts_on):
        period = Period.containing(paid_starts_on)
        rated = rate_usage(totals, plan, period, paid_starts_on, POLICIES)
        exact = Fraction(rated.overage_seconds * plan.overage_rate, 6_000)
        assert rated.overage_cents == calculator.half_up(exact)
        assert rated.patch_cents == calculator.half_up(Fraction(totals.patch_seconds, 6))
        assert rated.ivr_cents == calculator.half_up(Fraction(totals.ivr_seconds, 4))

    @given(totals=TOTALS, more=TOTALS, plan=plans(), paid_starts_on=DAYS)
    def test_more_usage_never_costs_less(self, totals, more, plan, paid_starts_on):
        period = Period.containing(paid_starts_on)
        less, greater = (rate_usage(t, plan, period, paid_starts_on, POLICIES) for t in (totals, totals + more))
        assert less.total_cents <= greater.total_cents


class TestMonthCost:
    def test_adds_the_base_to_the_usage(self):
        used = usage(live_minutes=110, patch_seconds=450, ivr_seconds=200)
        assert month_cost_cents(used, a_plan(), SEPTEMBER, LONG_AGO) == 139_00 + 12_90 + 75 + 50

    def test_prorates_base_and_allowance_in_the_first_month(self):
        used = usage(live_minutes=77)
        assert month_cost_cents(used, a_plan(), SEPTEMBER, MID_SEPTEMBER) == 92_60 + 12_90
