"""A month of usage as its customer reads it."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.durations import hundredths_of_minutes
from app.domain.periods import Period
from app.domain.policies import POLICY_VERSIONS
from app.domain.pricing import month_cost_cents
from app.domain.usage import UsageTotals
from app.domain.usage_months import UsageDay, UsageSums, daily_series, month_cost_effective_minutes
from tests.factories.plans import a_220_plan, a_plan

SEPTEMBER = Period.parse("2026-09")
POLICIES = POLICY_VERSIONS[-1]


def a_day(day, *, live_seconds=60, **sums):
    return UsageDay(date(2026, 9, day), UsageSums(UsageTotals(live_seconds, call_count=1), **sums))


class TestUsageSums:
    def test_add_up_and_keep_the_latest_start(self):
        early, late = datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 9, 2, tzinfo=UTC)
        first = UsageSums(UsageTotals(60, 1, 2, 1), 1, late)
        second = UsageSums(UsageTotals(30, 10, 20, 2), 3, early)

        assert first + second == UsageSums(UsageTotals(90, 11, 22, 3), 4, late)

    def test_of_nothing_change_nothing(self):
        some = UsageSums(UsageTotals(60, 1, 2, 1), 1, datetime(2026, 9, 1, tzinfo=UTC))
        assert some + UsageSums() == UsageSums() + some == some


class TestDailySeries:
    def test_has_every_date_once_with_the_time_so_far(self):
        series = list(daily_series([a_day(4, live_seconds=30), a_day(2)], date(2026, 9, 1), date(2026, 9, 5)))

        assert [day.on.day for day in series] == [1, 2, 3, 4, 5]
        assert [day.sums.charged.live_seconds for day in series] == [0, 60, 0, 30, 0]
        assert [day.cumulative_live_seconds for day in series] == [0, 60, 60, 90, 90]

    def test_is_empty_when_it_ends_before_it_begins(self):
        assert list(daily_series([a_day(2)], date(2026, 9, 11), date(2026, 9, 10))) == []


class TestMonthCostEffectiveMinutes:
    def test_of_a_full_month_is_the_published_threshold(self):
        assert month_cost_effective_minutes(a_plan(), a_220_plan(), SEPTEMBER, date(2026, 9, 1)) == 177

    def test_of_a_first_month_goes_by_its_paid_days(self):
        """$92.60 and 67 minutes against $159.40, for 20 of 30 days (rules 9, 10)."""
        assert month_cost_effective_minutes(a_plan(), a_220_plan(), SEPTEMBER, date(2026, 9, 11)) == 67 + 51

    @given(st.integers(1, 30))
    def test_is_the_last_minute_at_which_the_next_plan_is_not_cheaper(self, day):
        paid_starts_on = date(2026, 9, day)
        plan, higher = a_plan(), a_220_plan()
        last = month_cost_effective_minutes(plan, higher, SEPTEMBER, paid_starts_on)

        def cost(version, minutes):
            return month_cost_cents(UsageTotals(minutes * 60), version, SEPTEMBER, paid_starts_on)

        assert cost(plan, last) <= cost(higher, last)
        assert cost(plan, last + 1) > cost(higher, last + 1)


class TestHundredthsOfMinutes:
    @pytest.mark.parametrize(
        ("seconds", "hundredths"), [(0, 0), (60, 100), (3_742, 6_237), (1, 2), (3, 5), (27, 45), (-90, -150)]
    )
    def test_rounds_half_up_to_two_decimals(self, seconds, hundredths):
        """Rule 7: minutes are shown to two decimals."""
        assert hundredths_of_minutes(seconds) == hundredths
