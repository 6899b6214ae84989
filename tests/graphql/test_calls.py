"""The list of calls over HTTP: order, filters, pages, and what counts on a bill."""

from __future__ import annotations

import pytest

from app.domain.accounts import Role
from app.graphql.connections import write_cursor
from tests.factories.calls import a_call
from tests.story import tell
from tests.trips import counted_trips
from tests.world import World, pacific

LIST = """query List($filter: CallFilter, $first: Int! = 20, $after: String) {
  calls(filter: $filter, first: $first, after: $after) {
    totalCount pageInfo { hasNextPage endCursor }
    nodes { id startedAt on live { seconds } script { seconds } recording { seconds } patch { seconds } ivr { seconds }
            disposition isBilled corrects isCorrected } }
}"""

NO_COUNT = "{ calls(first: 5) { nodes { id } } }"


@pytest.fixture
async def told(world: World) -> World:
    await tell(world)
    return world


async def calls(world: World, *, first: int = 100, after: str | None = None, **narrowed) -> dict:
    variables = {"filter": narrowed, "first": first, "after": after}
    return (await world.data(LIST, variables=variables))["calls"]


class TestCalls:
    async def test_a_call_shows_all_that_is_recorded_of_it(self, told):
        (late,) = (await calls(told, **{"from": "2026-07-20", "to": "2026-07-20"}))["nodes"]
        assert late.pop("id").startswith("call_")
        assert late == {
            "startedAt": "2026-07-20T16:00:00.000Z",
            "on": "2026-07-20",
            "live": {"seconds": 600},
            "script": {"seconds": 600},
            "recording": {"seconds": 0},
            "patch": {"seconds": 0},
            "ivr": {"seconds": 0},
            "disposition": "MESSAGE",
            "isBilled": True,
            "corrects": None,
            "isCorrected": False,
        }

    async def test_they_come_newest_first(self, told):
        found = await calls(told)
        started = [call["startedAt"] for call in found["nodes"]]
        assert started == sorted(started, reverse=True)
        assert len(started) == found["totalCount"] == 43

    async def test_a_correction_and_what_it_corrects_point_to_each_other(self, told):
        nodes = (await calls(told, **{"from": "2026-07-03", "to": "2026-07-03"}))["nodes"]
        (correction,) = [call for call in nodes if call["corrects"]]
        (corrected,) = [call for call in nodes if call["isCorrected"]]
        assert correction["corrects"] == corrected["id"]
        assert (correction["isBilled"], corrected["isBilled"]) == (True, False)

    @pytest.mark.parametrize(
        ("narrowed", "count"),
        [
            ({"month": "2026-07"}, 43),
            ({"month": "2026-08"}, 0),
            ({"from": "2026-07-20"}, 2),
            ({"to": "2026-07-01"}, 3),
            ({"from": "2026-07-02", "to": "2026-07-02"}, 3),
            ({"from": "0001-01-01", "to": "9999-12-31"}, 43),
            ({"billed": True}, 41),
            ({"billed": False}, 2),
            ({"disposition": "MESSAGE"}, 43),
            ({"disposition": "MESSAGE' OR 1=1 --"}, 0),
            ({"month": "2026-07", "billed": False, "disposition": "MESSAGE"}, 2),
        ],
    )
    async def test_they_are_narrowed_and_counted(self, told, narrowed, count):
        found = await calls(told, **narrowed)
        assert (found["totalCount"], len(found["nodes"])) == (count, count)

    async def test_a_call_of_the_trial_is_not_billed(self, world):
        """Rule 10."""
        await world.add_account(trial_ends_on=pacific(2026, 7, 10).date())
        await world.advance_to(pacific(2026, 7, 12, 12))
        await world.add_calls(
            a_call(event_id="trial", started_at=pacific(2026, 7, 10, 23, 59)),
            a_call(event_id="paid", started_at=pacific(2026, 7, 11)),
        )
        assert [call["isBilled"] for call in (await calls(world))["nodes"]] == [True, False]

    @pytest.mark.parametrize(
        ("narrowed", "words"),
        [
            ({"month": "2026-7"}, "YYYY-MM"),
            ({"month": "2026-07", "to": "2026-07-02"}, "Give either"),
            ({"from": "2026-07-03", "to": "2026-07-02"}, "Exchange them"),
        ],
    )
    async def test_a_bad_filter_is_bad_input(self, told, narrowed, words):
        (error,) = (await told.graphql(LIST, variables={"filter": narrowed}))["errors"]
        assert (error["extensions"]["code"], error["path"]) == ("BAD_INPUT", ["calls"])
        assert words in error["message"]

    @pytest.mark.parametrize(
        "keys", [(2**62, 1), (-(2**62), 1), (0, 2**63), (0, -1), ("0", 1), (0,), (0, 1, 2)], ids=str
    )
    async def test_a_made_up_cursor_is_bad_input(self, told, keys):
        body = await told.graphql(LIST, variables={"after": write_cursor("calls", keys)})
        assert body["errors"][0]["extensions"]["code"] == "BAD_INPUT"


class TestPages:
    async def test_they_follow_each_other_without_gap_or_repetition_while_calls_come_in(self, told):
        await told.advance_to(pacific(2026, 9, 3, 12))
        seen, after = [], None
        while True:
            page = await calls(told, first=6, after=after)
            seen += [call["id"] for call in page["nodes"]]
            await told.add_calls(a_call(event_id=f"new {len(seen)}", started_at=pacific(2026, 9, 3, 9, len(seen))))
            if not page["pageInfo"]["hasNextPage"]:
                break
            after = page["pageInfo"]["endCursor"]
        assert len(seen) == len(set(seen)) == 43

    async def test_calls_of_one_instant_are_all_seen(self, world):
        await world.add_account()
        at = pacific(2026, 7, 1, 9)
        await world.add_calls(*(a_call(event_id=f"at once {number}", started_at=at) for number in range(5)))
        first = await calls(world, first=3)
        rest = await calls(world, first=3, after=first["pageInfo"]["endCursor"])
        assert len({call["id"] for call in first["nodes"] + rest["nodes"]}) == 5

    async def test_a_cursor_from_outside_the_filter_does_not_widen_it(self, told):
        late = (await calls(told, first=1))["pageInfo"]["endCursor"]
        assert (await calls(told, first=100, after=late, to="2026-07-01"))["totalCount"] == 3
        assert len((await calls(told, first=100, after=late, to="2026-07-01"))["nodes"]) == 3


class TestWhoMaySee:
    async def test_a_member_sees_calls(self, told):
        assert len((await told.data(NO_COUNT, by=Role.MEMBER))["calls"]["nodes"]) == 5

    async def test_another_account_sees_none(self, told):
        await told.add_account("AA0202")
        assert (await told.data(NO_COUNT, account="AA0202"))["calls"]["nodes"] == []


class TestTrips:
    @pytest.mark.parametrize("query", [NO_COUNT, LIST])
    async def test_the_list_takes_one_trip_however_many_calls_there_are(self, told, query):
        async with counted_trips() as few:
            await told.data(query)
        await told.add_calls(
            *(a_call(event_id=f"many {at}", started_at=pacific(2026, 9, 1, 9, at % 60)) for at in range(430))
        )
        async with counted_trips() as many:
            await told.data(query)
        assert (few.count, many.count) == (1, 1)
