"""Which month or day a report is about: whole ones of the billing zone, none to come, closed once all is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.periods import InvalidMonth, Period
from app.domain.reports import DayNotBegun, MonthNotBegun, ReportDay, ReportMonth

BEGINS = datetime(2026, 11, 1, 7, tzinfo=UTC)  # midnight in Los Angeles, before the clocks go back that night
ENDS = datetime(2026, 12, 1, 8, tzinfo=UTC)


class TestReportMonth:
    def test_runs_from_midnight_to_midnight_in_the_billing_zone(self):
        month = ReportMonth.parse("2026-11", BEGINS)

        assert (month.text, month.period) == ("2026-11", Period.parse("2026-11"))
        assert (month.begins_at, month.ends_at) == (BEGINS, ENDS)
        inside = [month.contains(at) for at in (BEGINS - timedelta(microseconds=1), BEGINS, ENDS - timedelta(1), ENDS)]
        assert inside == [False, True, True, False]

    @pytest.mark.parametrize(
        ("now", "is_closed"),
        [
            (BEGINS, False),
            (ENDS, False),
            (ENDS + timedelta(minutes=9, seconds=59), False),
            (ENDS + timedelta(minutes=10), True),
        ],
    )
    def test_is_closed_once_what_began_in_it_is_written(self, now, is_closed):
        assert ReportMonth.parse("2026-11", now).is_closed is is_closed

    def test_one_in_the_future_is_refused(self):
        with pytest.raises(MonthNotBegun, match="2026-11 has not begun: it can be reported on from 2026-11-01 on"):
            ReportMonth.parse("2026-11", BEGINS - timedelta(microseconds=1))

    def test_so_is_what_is_no_month(self):
        with pytest.raises(InvalidMonth):
            ReportMonth.parse("November", BEGINS)


class TestReportDay:
    def test_is_today_in_the_billing_zone_unless_told(self):
        day = ReportDay.at(BEGINS - timedelta(seconds=1))

        assert (day.on, day.is_closed, day.ends_at) == (date(2026, 10, 31), False, BEGINS)

    @pytest.mark.parametrize(("minutes", "is_closed"), [(0, False), (9, False), (10, True)])
    def test_is_closed_once_what_began_in_it_is_written(self, minutes, is_closed):
        assert ReportDay.at(BEGINS + timedelta(minutes=minutes), date(2026, 10, 31)).is_closed is is_closed

    def test_one_in_the_future_is_refused(self):
        with pytest.raises(DayNotBegun, match="2026-11-02 is in the future: what is open can be told as of 2026-11-01"):
            ReportDay.at(BEGINS, date(2026, 11, 2))
