"""A month projected to its end: what it rests on, and what it never does (rule 40)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import Period
from app.domain.projection import ProjectedDay, Projection, ProjectionBasis, project, project_facts
from app.domain.usage import UsageTotals
from tests.factories.calls import usage
from tests.factories.invoices import a_used_month, facts
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.positions import billed_usage
from tests.factories.strategies import DAYS

SEPTEMBER = Period.parse("2026-09")  # from a Tuesday to a Wednesday


def days_of(first: date, last: date, *, weekday: int = 600, weekend: int = 60) -> dict[date, UsageTotals]:
    """A usage of so many live seconds on each working day and on each day of the weekend, one call a day."""
    dates = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    return {on: usage(live_seconds=weekend if on.weekday() >= 5 else weekday, call_count=1) for on in dates}


def september(day: int, *, known_from: date = date(2026, 9, 1), days: dict[date, UsageTotals]) -> Projection:
    return project(period=SEPTEMBER, today=date(2026, 9, day), known_from=known_from, days=days)


class TestBasis:
    @pytest.mark.parametrize(("day", "whole_days"), [(1, 0), (2, 1), (7, 6)])
    def test_fewer_than_seven_whole_days_project_nothing(self, day, whole_days):
        """Rule 40, and honest: what is used so far is all there is to say."""
        projection = september(day, days=days_of(date(2026, 9, 1), date(2026, 9, day)))
        assert projection.basis is ProjectionBasis.TOO_LITTLE_DATA
        assert not projection.is_made
        assert projection.observed_days == whole_days
        assert projection.usage == projection.used
        assert projection.days == ()

    def test_seven_whole_days_give_one_average_for_every_day(self):
        used = days_of(date(2026, 9, 1), date(2026, 9, 7), weekend=600) | {date(2026, 9, 3): usage(live_seconds=601)}
        projection = september(8, days=used)
        assert projection.basis is ProjectionBasis.DAILY_AVERAGE
        assert projection.is_made
        assert projection.used.live_seconds == 4_201
        # 4,201 + 23 × 4,201 / 7 = 18,004.29
        assert projection.usage.live_seconds == 18_004

    def test_fourteen_whole_days_tell_the_weekdays_apart(self):
        projection = september(15, days=days_of(date(2026, 9, 1), date(2026, 9, 14)))
        assert projection.basis is ProjectionBasis.WEEKDAY_PATTERN
        assert projection.used == usage(live_seconds=10 * 600 + 4 * 60, call_count=14)
        # 22 working days and 8 days of weekends in the month
        assert projection.usage == usage(live_seconds=22 * 600 + 8 * 60, call_count=30)

    def test_days_of_the_month_before_make_up_for_a_young_month(self):
        days = days_of(date(2026, 8, 20), date(2026, 9, 2))
        projection = september(3, known_from=date(2026, 8, 20), days=days)
        assert projection.basis is ProjectionBasis.WEEKDAY_PATTERN
        assert (projection.observed_from, projection.observed_days) == (date(2026, 8, 20), 14)
        assert projection.usage.live_seconds == 22 * 600 + 8 * 60

    def test_at_most_three_months_before_count(self):
        old = days_of(date(2026, 1, 1), date(2026, 5, 31), weekday=90_000, weekend=90_000)
        projection = september(1, known_from=date(2026, 1, 1), days=old | days_of(date(2026, 6, 1), date(2026, 8, 31)))
        assert (projection.observed_from, projection.observed_days) == (date(2026, 6, 1), 92)
        assert projection.used == usage()
        assert projection.usage.live_seconds == 22 * 600 + 8 * 60

    @pytest.mark.parametrize("today", [date(2026, 10, 1), date(2027, 3, 5)])
    def test_a_month_that_is_over_projects_to_itself(self, today):
        days = days_of(date(2026, 9, 1), date(2026, 10, 20))
        projection = project(period=SEPTEMBER, today=today, known_from=date(2026, 9, 1), days=days)
        assert projection.basis is ProjectionBasis.MONTH_IS_OVER
        assert projection.is_made
        assert projection.usage == projection.used == usage(live_seconds=22 * 600 + 8 * 60, call_count=30)

    def test_days_before_the_paid_start_count_for_nothing(self):
        """Rule 10: calls of the trial are not billed."""
        days = days_of(date(2026, 9, 1), date(2026, 9, 20))
        projection = september(21, known_from=date(2026, 9, 14), days=days)
        assert projection.basis is ProjectionBasis.DAILY_AVERAGE
        assert projection.used.live_seconds == 5 * 600 + 2 * 60
        # 3,120 + 10 × 3,120 / 7 = 7,577.14
        assert projection.usage.live_seconds == 7_577


class TestToday:
    def test_a_day_that_has_used_less_than_its_average_counts_with_the_average(self):
        whole = days_of(date(2026, 9, 1), date(2026, 9, 14))
        begun = september(15, days=whole | {date(2026, 9, 15): usage(live_seconds=599)})
        assert begun.days[0] == ProjectedDay(date(2026, 9, 15), usage(live_seconds=6_240 + 600, call_count=15))

    def test_a_day_that_has_used_more_counts_with_what_it_used(self):
        whole = days_of(date(2026, 9, 1), date(2026, 9, 14))
        begun = september(15, days=whole | {date(2026, 9, 15): usage(live_seconds=900, patch_seconds=30)})
        assert begun.days[0].usage == usage(live_seconds=6_240 + 900, patch_seconds=30, call_count=15)
        assert begun.usage.live_seconds == 22 * 600 + 8 * 60 + 300

    def test_the_days_lead_from_today_to_the_end_of_the_month(self):
        projection = september(28, days=days_of(date(2026, 9, 1), date(2026, 9, 27)))
        assert [(day.on.day, day.usage.live_seconds) for day in projection.days] == [
            (28, 19 * 600 + 8 * 60 + 600),
            (29, 19 * 600 + 8 * 60 + 1_200),
            (30, 19 * 600 + 8 * 60 + 1_800),
        ]


class TestExplanation:
    @pytest.mark.parametrize(
        ("day", "words"),
        [
            (1, "Too early to tell: a projection needs 7 whole days, and there are 0. This is what is used so far."),
            (2, "Too early to tell: a projection needs 7 whole days, and there is 1. This is what is used so far."),
            (7, "Too early to tell: a projection needs 7 whole days, and there are 6. This is what is used so far."),
            (9, "Projected from the average of the 8 whole days since September 1, 2026."),
            (16, "Projected weekday by weekday, from the averages of the 15 whole days since September 1, 2026."),
        ],
    )
    def test_says_what_it_rests_on(self, day, words):
        assert september(day, days={}).explanation == words

    def test_says_that_a_month_is_over(self):
        over = project(period=SEPTEMBER, today=date(2026, 10, 1), known_from=date(2026, 9, 1), days={})
        assert over.explanation == "The month is over: this is what was used."


class TestProjectedFacts:
    projection = september(15, days=days_of(date(2026, 9, 1), date(2026, 9, 14)))

    def test_only_the_usage_of_the_month_moves(self):
        late = a_used_month("2026-08", usage=usage(live_minutes=5), billed=billed_usage(overage=7))
        before = facts(used=(a_used_month(usage=self.projection.used), late), credit_available_cents=10)
        after = project_facts(before, self.projection)
        assert after == facts(used=(a_used_month(usage=self.projection.usage), late), credit_available_cents=10)

    def test_an_invoice_that_bills_another_month_stays_as_it_is(self):
        other = facts(used=(a_used_month("2026-08"),), credit_available_cents=10)
        assert project_facts(other, self.projection, next_plan=a_220_plan(), credit_used_cents=5) is other

    def test_an_upgrade_ahead_is_taken_along(self):
        """Rule 20: the month ends on the plan it was upgraded to, and the next begins on it if that is to stay."""
        before = facts(used=(a_used_month(usage=self.projection.used),), credit_available_cents=50_00)
        after = project_facts(
            before, self.projection, month_plan=a_220_plan(), next_plan=a_220_plan(), credit_used_cents=50_00
        )
        assert after == facts(used=(a_used_month(usage=self.projection.usage, plan=a_220_plan()),), plan=a_220_plan())

    def test_a_passing_upgrade_leaves_the_plan_of_the_next_month(self):
        before = facts(used=(a_used_month(usage=self.projection.used),))
        after = project_facts(before, self.projection, month_plan=a_220_plan())
        assert (after.used[0].plan, after.plan) == (a_220_plan(), a_plan())


SECONDS = st.integers(0, 20_000)


@st.composite
def months(draw: st.DrawFn) -> dict:
    """A month seen on one of its days, with calls on any dates around it."""
    today = draw(DAYS)
    dates = st.integers(-110, 40).map(lambda offset: today + timedelta(days=offset))
    return {
        "period": Period.containing(today),
        "today": today,
        "known_from": draw(dates),
        "days": draw(st.dictionaries(dates, st.builds(UsageTotals, SECONDS, SECONDS, SECONDS, st.integers(0, 40)))),
    }


def parts(totals: UsageTotals) -> tuple[int, int, int, int]:
    return totals.live_seconds, totals.patch_seconds, totals.ivr_seconds, totals.call_count


class TestEveryMonth:
    @given(months())
    def test_is_never_projected_below_what_is_used(self, month):
        projection = project(**month)
        assert all(end >= used for end, used in zip(parts(projection.usage), parts(projection.used), strict=True))

    @given(months())
    def test_never_falls_from_day_to_day_and_ends_at_its_end(self, month):
        projection = project(**month)
        for kind in zip(*(parts(day.usage) for day in projection.days), strict=True):
            assert list(kind) == sorted(kind)
        for last in projection.days[-1:]:
            assert (last.usage, last.on.day) == (projection.usage, month["period"].days)

    @given(DAYS, st.integers(7, 100), st.integers(0, 9_999))
    def test_an_even_pace_is_carried_on_exactly(self, today, known_days, live_seconds):
        first = today - timedelta(days=known_days)
        days = days_of(first, today - timedelta(days=1), weekday=live_seconds, weekend=live_seconds)
        period = Period.containing(today)
        projection = project(period=period, today=today, known_from=first, days=days)
        assert projection.usage.live_seconds == live_seconds * period.days_from(first)
