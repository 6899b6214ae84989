"""The first, partial month (rules 5, 9 and 10)."""

from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import Period
from app.domain.proration import daily_rate_cents, paid_start_after_trial, prorated_cents, prorated_minutes
from tests import calculator
from tests.factories.strategies import DAYS

SEPTEMBER = Period.parse("2026-09")


class TestPaidStart:
    @pytest.mark.parametrize(
        ("trial_ends_on", "paid_starts_on"),
        [
            (date(2026, 9, 10), date(2026, 9, 11)),
            (date(2026, 9, 30), date(2026, 10, 1)),
            (date(2028, 2, 28), date(2028, 2, 29)),
        ],
    )
    def test_rule_9_is_the_day_after_the_trial(self, trial_ends_on, paid_starts_on):
        assert paid_start_after_trial(trial_ends_on) == paid_starts_on


class TestProratedCents:
    def test_rule_9_rounds_the_day_first_and_multiplies_then(self):
        assert daily_rate_cents(139_00, SEPTEMBER) == 4_63
        assert prorated_cents(139_00, SEPTEMBER, date(2026, 9, 11)) == 92_60

    def test_rule_9_charges_the_full_price_for_a_start_on_the_first(self):
        assert 30 * daily_rate_cents(139_00, SEPTEMBER) == 138_90
        assert prorated_cents(139_00, SEPTEMBER, date(2026, 9, 1)) == 139_00
        assert prorated_cents(139_00, SEPTEMBER, date(2026, 1, 15)) == 139_00

    @pytest.mark.parametrize(
        ("month", "paid_starts_on", "cents"),
        [
            ("2028-02", date(2028, 2, 29), 4_79),
            ("2028-02", date(2028, 2, 2), 28 * 4_79),
            ("2026-02", date(2026, 2, 28), 4_96),
            ("2026-03", date(2026, 3, 8), 24 * 4_48),
            ("2026-11", date(2026, 11, 1), 139_00),
            ("2026-11", date(2026, 11, 2), 29 * 4_63),
            ("2026-08", date(2026, 9, 11), 0),
        ],
    )
    def test_rule_5_counts_days_in_leap_years_and_months_of_a_clock_change(self, month, paid_starts_on, cents):
        assert prorated_cents(139_00, Period.parse(month), paid_starts_on) == cents

    @given(paid_starts_on=DAYS, monthly_cents=st.integers(0, 1_000_000), later=st.integers(-1, 2))
    def test_agrees_with_charging_day_after_day(self, paid_starts_on, monthly_cents, later):
        period = Period.containing(paid_starts_on).shifted(later)
        month = (period.starts_on.year, period.starts_on.month)
        assert prorated_cents(monthly_cents, period, paid_starts_on) == calculator.base_of(
            month, paid_starts_on, monthly_cents
        )

    @given(paid_starts_on=DAYS, monthly_cents=st.integers(0, 1_000_000))
    def test_differs_from_the_exact_share_by_half_a_cent_a_day_at_most(self, paid_starts_on, monthly_cents):
        period = Period.containing(paid_starts_on)
        paid_days = period.days_from(paid_starts_on)
        exact = Fraction(monthly_cents * paid_days, period.days)
        assert abs(prorated_cents(monthly_cents, period, paid_starts_on) - exact) <= Fraction(paid_days, 2)


class TestProratedMinutes:
    @pytest.mark.parametrize(("included", "minutes"), [(100, 67), (220, 147), (0, 0), (10_000, 6_667)])
    def test_rule_10_rounds_to_whole_minutes(self, included, minutes):
        assert prorated_minutes(included, SEPTEMBER, date(2026, 9, 11)) == minutes

    def test_rule_10_takes_a_half_minute_up(self):
        assert prorated_minutes(5, SEPTEMBER, date(2026, 9, 16)) == 3

    @given(paid_starts_on=DAYS, included=st.integers(0, 12_000), later=st.integers(-1, 2))
    def test_agrees_with_adding_day_after_day(self, paid_starts_on, included, later):
        period = Period.containing(paid_starts_on).shifted(later)
        month = (period.starts_on.year, period.starts_on.month)
        assert prorated_minutes(included, period, paid_starts_on) == calculator.allowance_of(
            month, paid_starts_on, included
        )

    @given(paid_starts_on=DAYS, included=st.integers(0, 12_000))
    def test_never_exceeds_the_plan_nor_shrinks_with_an_earlier_start(self, paid_starts_on, included):
        period = Period.containing(paid_starts_on)
        minutes = prorated_minutes(included, period, paid_starts_on)
        earlier = prorated_minutes(included, period, paid_starts_on - timedelta(days=1))
        assert 0 <= minutes <= earlier <= included
