"""Usage by month and by day, asked for over HTTP on a real database."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.accounts import Role
from tests.factories.calls import a_call
from tests.trips import counted_trips
from tests.world import pacific

USAGE = """query UsageShow($month: String) {
  usage(month: $month) { period { startsOn } plan { code } live { seconds } totalCost { amount } callCount lastEventAt }
}"""

DAYS = """query UsageDays($month: String) {
  usage(month: $month) { ...UsageParts }
}
fragment UsageParts on UsageMonth {
  live { seconds } days { on cumulativeLive { minutes } patch { seconds } ivr { seconds } }
}
"""

HISTORY = """query UsageHistory($months: Int! = 12) {
  usageHistory(months: $months) { period { startsOn } live { seconds } allowance { minutes } totalCost { amount } }
}"""


@pytest.fixture
async def autumn(world):
    """A trial until 10 September 2026; 5 November now, with calls in three months, and one that came in late."""
    await world.add_account(trial_ends_on=date(2026, 9, 10))
    await world.advance_to(pacific(2026, 9, 14, 12))
    await world.add_calls(
        a_call(started_at=pacific(2026, 9, 9, 12), event_id="trial"),
        a_call(started_at=pacific(2026, 9, 11), event_id="first", script_seconds=4_000),
        a_call(started_at=pacific(2026, 9, 14, 11), event_id="second", script_seconds=900),
    )
    await world.advance_to(pacific(2026, 10, 3, 12))
    await world.add_calls(
        a_call(started_at=pacific(2026, 10, 1), event_id="third", script_seconds=90, recording_seconds=0),
        a_call(started_at=pacific(2026, 9, 30, 23, 59), event_id="late", script_seconds=0, recording_seconds=60),
    )
    await world.advance_to(pacific(2026, 11, 5, 12))
    return world


async def usage(world, month=None, query=USAGE):
    return (await world.data(query, variables={"month": month}))["usage"]


class TestUsage:
    async def test_is_that_of_the_month_asked_for_on_its_own_plan(self, autumn):
        """67 minutes are included in the 20 paid days (rules 9, 10); 4,960 s are 940 s more: $20.21 (rule 7)."""
        assert await usage(autumn, "2026-09") == {
            "period": {"startsOn": "2026-09-01"},
            "plan": {"code": "100"},
            "live": {"seconds": 4_960},
            "totalCost": {"amount": "20.21"},
            "callCount": 3,
            "lastEventAt": "2026-10-01T06:59:00.000Z",
        }

    async def test_is_that_of_the_current_month_unless_told(self, autumn):
        assert await usage(autumn) == {
            "period": {"startsOn": "2026-11-01"},
            "plan": {"code": "100"},
            "live": {"seconds": 0},
            "totalCost": {"amount": "0.00"},
            "callCount": 0,
            "lastEventAt": None,
        }

    @pytest.mark.parametrize("month", ["2026-12", "2026-08", "2027-11", "0001-01", "9999-11"])
    async def test_is_null_in_the_future_and_before_the_paid_start(self, autumn, month):
        assert await usage(autumn, month) is None

    @pytest.mark.parametrize("month", ["2026-13", "2026-9", "09/2026", "", "9999-12", "2026-09-01"])
    async def test_of_what_is_no_month_says_how_to_write_one(self, autumn, month):
        body = await autumn.graphql(USAGE, variables={"month": month})

        assert body["data"] == {"usage": None}
        (error,) = body["errors"]
        assert error["message"] == f"{month!r} is not a month. Write it as YYYY-MM, for example 2026-08."
        assert (error["extensions"]["code"], error["path"]) == ("BAD_INPUT", ["usage"])

    async def test_has_a_series_of_all_its_days_since_the_paid_start(self, autumn):
        found = await usage(autumn, "2026-09", DAYS)

        assert found["live"] == {"seconds": 4_960}
        assert [day["on"] for day in found["days"]] == [f"2026-09-{day}" for day in range(11, 31)]
        totals = [day["cumulativeLive"]["minutes"] for day in found["days"]]
        assert totals == ["66.67"] * 3 + ["81.67"] * 16 + ["82.67"]

    async def test_of_the_current_month_ends_its_series_today(self, autumn):
        found = await usage(autumn, None, DAYS)
        assert [day["on"] for day in found["days"]] == [f"2026-11-0{day}" for day in range(1, 6)]

    @pytest.mark.parametrize("role", list(Role))
    async def test_is_shown_to_every_role(self, autumn, role):
        data = await autumn.data("{ usage { callCount } usageHistory { callCount } }", by=role)
        assert data == {"usage": {"callCount": 0}, "usageHistory": [{"callCount": n} for n in (0, 1, 3)]}

    async def test_is_the_same_with_its_days_and_without(self, autumn):
        query = '{ usage(month: "2026-09") { live { seconds } callCount freeCallCount lastEventAt %s } }'
        with_days = (await autumn.data(query % "days { on }"))["usage"]
        del with_days["days"]
        assert (await autumn.data(query % ""))["usage"] == with_days


class TestUsageHistory:
    async def test_goes_back_to_the_paid_start_newest_first(self, autumn):
        assert (await autumn.data(HISTORY))["usageHistory"] == [
            {
                "period": {"startsOn": "2026-11-01"},
                "live": {"seconds": 0},
                "allowance": {"minutes": "100.00"},
                "totalCost": {"amount": "0.00"},
            },
            {
                "period": {"startsOn": "2026-10-01"},
                "live": {"seconds": 90},
                "allowance": {"minutes": "100.00"},
                "totalCost": {"amount": "0.00"},
            },
            {
                "period": {"startsOn": "2026-09-01"},
                "live": {"seconds": 4_960},
                "allowance": {"minutes": "67.00"},
                "totalCost": {"amount": "20.21"},
            },
        ]

    async def test_is_as_long_as_asked_for(self, autumn):
        found = (await autumn.data(HISTORY, variables={"months": 2}))["usageHistory"]
        assert [month["period"]["startsOn"] for month in found] == ["2026-11-01", "2026-10-01"]

    async def test_is_empty_during_a_trial(self, world):
        await world.add_account(trial_ends_on=date(2026, 8, 10))
        assert (await world.data(HISTORY))["usageHistory"] == []

    @pytest.mark.parametrize("months", [0, -1, 37])
    async def test_of_a_length_that_cannot_be_answered_says_which_can(self, autumn, months):
        body = await autumn.graphql(HISTORY, variables={"months": months})

        (error,) = body["errors"]
        assert error["message"] == f"`months` is {months}. Ask for 1 to 36 months."
        assert (error["extensions"]["code"], error["path"]) == ("BAD_INPUT", ["usageHistory"])

    async def test_has_the_days_of_each_month_in_the_same_trip(self, autumn):
        async with counted_trips() as trips:
            found = (await autumn.data("{ usageHistory { days { on live { seconds } } } }"))["usageHistory"]

        assert trips.count == 1, trips.statements
        assert [len(month["days"]) for month in found] == [5, 31, 20]
        assert found[1]["days"][0] == {"on": "2026-10-01", "live": {"seconds": 90}}

    async def test_takes_one_trip_with_ten_times_the_calls(self, autumn):
        async with counted_trips() as few:
            await autumn.data(HISTORY)
        calls = [
            a_call(started_at=pacific(2026, 11, day, hour), event_id=f"{day}/{hour}")
            for day in range(1, 5)
            for hour in range(24)
        ]
        await autumn.add_calls(*calls)
        async with counted_trips() as many:
            await autumn.data(HISTORY)

        assert (few.count, many.count) == (1, 1)
