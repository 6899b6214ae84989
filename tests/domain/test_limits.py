"""How often something may happen: within any stretch of time, or within a day of the billing zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.limits import Limit

NOON = datetime(2026, 7, 10, 19, tzinfo=UTC)  # in the billing zone
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
HOURLY, DAILY = Limit("hourly", 2, HOUR), Limit("daily", 1)


class TestWindow:
    def test_what_is_not_used_up_may_happen_now(self):
        assert HOURLY.retry_at([], NOON) is None
        assert HOURLY.retry_at([NOON - MINUTE], NOON) is None

    def test_it_may_happen_again_when_the_oldest_that_counts_is_an_hour_old(self):
        past = [NOON - 5 * MINUTE, NOON - 50 * MINUTE, NOON - 61 * MINUTE]
        assert HOURLY.counted(past, NOON) == [NOON - 50 * MINUTE, NOON - 5 * MINUTE]
        assert HOURLY.retry_at(past, NOON) == NOON + 10 * MINUTE
        assert HOURLY.retry_at(past, NOON + 10 * MINUTE) is None

    def test_of_more_than_may_happen_the_newest_decide(self):
        past = [NOON - 3 * MINUTE, NOON - 2 * MINUTE, NOON - MINUTE]
        assert HOURLY.retry_at(past, NOON) == NOON - 2 * MINUTE + HOUR


class TestDay:
    def test_it_ends_at_midnight_of_the_billing_zone(self):
        late, midnight = datetime(2026, 7, 11, 6, 59, tzinfo=UTC), datetime(2026, 7, 11, 7, tzinfo=UTC)
        assert DAILY.retry_at([NOON], late) == midnight
        assert DAILY.retry_at([NOON, late], midnight) is None

    @pytest.mark.parametrize("hour", [0, 23])
    def test_the_hour_of_the_day_before_does_not_matter(self, hour):
        yesterday = datetime(2026, 7, 9, 7, tzinfo=UTC) + hour * HOUR
        assert DAILY.retry_at([yesterday], NOON) is None
