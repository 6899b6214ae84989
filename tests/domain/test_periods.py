"""Months, billing dates and the clock changes of Los Angeles (rules 1, 2, 3 and 5)."""

from __future__ import annotations

import calendar
from datetime import UTC, date, datetime, time, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.periods import (
    InvalidMonth,
    Period,
    add_months,
    billing_date,
    billing_instant,
    day_before,
    day_starts_at,
)
from tests import calculator
from tests.factories.strategies import DAYS


class TestAddMonths:
    def test_rule_2_clamps_from_the_original_anchor(self):
        anchor = date(2026, 1, 31)
        assert [add_months(anchor, n) for n in (1, 2, 3, 13)] == [
            date(2026, 2, 28),
            date(2026, 3, 31),
            date(2026, 4, 30),
            date(2027, 2, 28),
        ]

    def test_knows_leap_days(self):
        assert add_months(date(2028, 1, 31), 1) == date(2028, 2, 29)
        assert add_months(date(2028, 2, 29), 12) == date(2029, 2, 28)
        assert add_months(date(2028, 2, 29), 48) == date(2032, 2, 29)
        assert add_months(date(2000, 3, 31), -1) == date(2000, 2, 29)

    @given(anchor=st.dates(date(1900, 1, 1), date(2100, 12, 31)), months=st.integers(-600, 600))
    def test_lands_in_the_right_month_on_the_anchor_day_or_the_last(self, anchor, months):
        moved = add_months(anchor, months)
        assert (moved.year - anchor.year) * 12 + moved.month - anchor.month == months
        assert moved.day == min(anchor.day, calendar.monthrange(moved.year, moved.month)[1])

    @given(anchor=DAYS, months=st.lists(st.integers(0, 60), min_size=2))
    def test_later_months_never_come_earlier(self, anchor, months):
        months.sort()
        assert [add_months(anchor, n) for n in months] == sorted(add_months(anchor, n) for n in months)


class TestPeriod:
    def test_rule_1_is_a_calendar_month_whose_end_lies_outside(self):
        period = Period.containing(date(2026, 9, 30))
        assert (period.starts_on, period.ends_before) == (date(2026, 9, 1), date(2026, 10, 1))
        assert [period.contains(on) for on in (date(2026, 8, 31), date(2026, 9, 1), date(2026, 9, 30))] == [
            False,
            True,
            True,
        ]
        assert not period.contains(date(2026, 10, 1))

    @pytest.mark.parametrize(
        ("month", "days"),
        [("2026-02", 28), ("2028-02", 29), ("2100-02", 28), ("2026-03", 31), ("2026-11", 30), ("2026-12", 31)],
    )
    def test_rule_5_counts_whole_days_also_when_the_clocks_change(self, month, days):
        assert Period.parse(month).days == days

    @pytest.mark.parametrize(
        ("on", "days"),
        [
            (date(2026, 8, 20), 30),
            (date(2026, 9, 1), 30),
            (date(2026, 9, 11), 20),
            (date(2026, 9, 30), 1),
            (date(2026, 10, 1), 0),
            (date(2026, 12, 24), 0),
        ],
    )
    def test_counts_the_days_left_that_day_included(self, on, days):
        assert Period.parse("2026-09").days_from(on) == days

    @given(on=DAYS)
    def test_walks_the_same_days_as_the_calendar(self, on):
        period = Period.containing(on)
        walked = calculator.days_of((on.year, on.month))
        assert (period.starts_on, day_before(period.ends_before)) == (walked[0], walked[-1])
        assert period.days == len(walked)
        assert period.days_from(on) == len([day for day in walked if day >= on])

    @given(on=DAYS, months=st.integers(-200, 200))
    def test_shifts_there_and_back(self, on, months):
        period = Period.containing(on)
        assert period.shifted(months).shifted(-months) == period
        assert period.shifted(1).starts_on == period.ends_before

    @given(on=st.dates(date(1, 1, 1), date(9999, 11, 30)))
    def test_is_written_as_it_is_read(self, on):
        period = Period.containing(on)
        assert Period.parse(period.month) == period
        assert len(period.month) == 7

    def test_sorts_by_time(self):
        assert Period.parse("2026-12") < Period.parse("2027-01") < Period.parse("2027-02")

    @pytest.mark.parametrize(
        "text",
        [
            "2026-13",
            "2026-00",
            "2026-8",
            "26-08",
            "2026-08-01",
            " 2026-08",
            "2026-08\n",
            "0000-01",
            "9999-12",
            "",
            "\u0662\u0660\u0662\u0666-08",
            "\u0660\u0660\u0660\u0660-08",
        ],
    )
    def test_refuses_what_is_not_a_month_and_says_how_to_write_one(self, text):
        with pytest.raises(InvalidMonth, match="Write it as YYYY-MM, for example 2026-08") as refusal:
            Period.parse(text)
        assert refusal.value.text == text


class TestBillingDate:
    @pytest.mark.parametrize(
        ("instant", "on"),
        [
            (datetime(2026, 10, 1, 6, 59, 59, tzinfo=UTC), date(2026, 9, 30)),
            (datetime(2026, 10, 1, 7, 0, 0, tzinfo=UTC), date(2026, 10, 1)),
            (datetime(2027, 1, 1, 7, 59, 59, tzinfo=UTC), date(2026, 12, 31)),
            (datetime(2027, 1, 1, 8, 0, 0, tzinfo=UTC), date(2027, 1, 1)),
            (datetime(2026, 9, 30, 23, 59, 59, tzinfo=timezone(timedelta(hours=-7))), date(2026, 9, 30)),
        ],
    )
    def test_rule_1_turns_at_midnight_pacific_in_summer_and_winter(self, instant, on):
        assert billing_date(instant) == on

    @given(on=DAYS, seconds=st.integers(0, 86_399))
    def test_agrees_with_the_law_on_summer_time(self, on, seconds):
        instant = datetime(on.year, on.month, on.day, tzinfo=UTC) + timedelta(seconds=seconds)
        assert billing_date(instant) == calculator.pacific_day(instant)

    def test_refuses_an_instant_without_a_zone(self):
        with pytest.raises(ValueError, match="needs a time zone"):
            billing_date(datetime(2026, 9, 14, 10, 30))  # noqa: DTZ001


class TestBillingInstant:
    def test_follows_the_clocks(self):
        assert billing_instant(date(2026, 7, 1), time(6)) == datetime(2026, 7, 1, 13, tzinfo=UTC)
        assert billing_instant(date(2026, 12, 1), time(6)) == datetime(2026, 12, 1, 14, tzinfo=UTC)

    def test_reads_a_skipped_hour_with_the_offset_before_it(self):
        assert billing_instant(date(2026, 3, 8), time(2, 30)) == datetime(2026, 3, 8, 10, 30, tzinfo=UTC)

    def test_takes_the_first_of_two_equal_hours(self):
        assert billing_instant(date(2026, 11, 1), time(1, 30)) == datetime(2026, 11, 1, 8, 30, tzinfo=UTC)

    @pytest.mark.parametrize(("on", "hours"), [(date(2026, 3, 8), 23), (date(2026, 11, 1), 25), (date(2026, 9, 1), 24)])
    def test_a_day_of_a_clock_change_has_another_length(self, on, hours):
        assert day_starts_at(on + timedelta(days=1)) - day_starts_at(on) == timedelta(hours=hours)

    @given(on=DAYS)
    def test_a_day_begins_with_its_first_instant(self, on):
        begins = day_starts_at(on)
        assert begins.tzinfo is UTC
        assert (billing_date(begins), billing_date(begins - timedelta(microseconds=1))) == (on, day_before(on))
