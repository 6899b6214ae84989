"""Event streams: what is sent when, to whom, and how a stream ends."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import pytest

from app.domain.accounts import Role
from app.gateways.rate_limiter import SlidingRateLimiter
from app.http.event_streams import StreamOptions
from app.http.guard import GuardOptions
from app.ports import Rate
from app.repositories.database import Database, DatabaseUnreachable
from app.services.usage.put_account import AccountParticulars, put_account
from tests.factories.calls import a_call
from tests.fakes.event_stream import COMMENT, COMPLETE, Event, Following, following
from tests.world import ACCOUNT, World, bearer, pacific

OTHER = "BB0202"
MINUTES = "billingSummaryUpdated { id usage { live { seconds } } }"
WATCH = f"subscription Watch {{ {MINUTES} }}"
QUICK = StreamOptions(pause_seconds=0.01, long_pause_seconds=0.02)
NOON = pacific(2026, 7, 14, 12)
NEARLY_OVER = timedelta(seconds=-28)
"""Such a token ended some seconds ago, and is let pass for two seconds more."""


async def a_world(database: Database, **options: Any) -> World:
    """Two accounts that pay since 1 July, at noon of 14 July 2026."""
    await World.create(database)
    world = World(database, NOON, **{"streams": QUICK, **options})
    await world.add_account()
    await world.add_account(OTHER, name="Quiet Law")
    await world.advance_to(NOON)
    return world


@pytest.fixture
async def watched(database: Database) -> World:
    return await a_world(database)


def watch(world: World, query: str = WATCH, **options: Any) -> Any:
    who = {name: options.pop(name) for name in ("by", "account", "lifetime") if name in options}
    return following(world.application, query, bearer=bearer(**who), **options)


async def add_call(world: World, number: int = 1, account: str = ACCOUNT) -> None:
    await world.add_calls(
        a_call(
            account=account,
            event_id=f"{account}-{number}",
            started_at=pacific(2026, 7, 13, 9, number),
            script_seconds=60,
            recording_seconds=60,
        )
    )


def seconds(event: Event) -> int:
    assert event.kind == "next"
    assert "errors" not in event.data
    found: int = event.data["data"]["billingSummaryUpdated"]["usage"]["live"]["seconds"]
    return found


async def events(stream: Following, count: int) -> AsyncIterator[Event]:
    """The next events that are no comments."""
    while count:
        event = await stream.event()
        if event != COMMENT:
            count -= 1
            yield event


class TestEvents:
    async def test_the_first_comes_at_once_and_one_more_after_a_change(self, watched):
        async with watch(watched) as stream:
            assert seconds(await stream.event()) == 0
            await add_call(watched)
            assert seconds(await stream.event()) == 60
        assert stream.status == 200
        assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert stream.headers["cache-control"] == "no-store"

    async def test_an_event_is_what_the_query_answers(self, watched):
        await add_call(watched)
        fields = MINUTES.removeprefix("billingSummaryUpdated ")
        async with watch(watched) as stream:
            event = await stream.event()
        asked = await watched.graphql(f"{{ billingSummary {fields} }}")
        assert event.data["data"]["billingSummaryUpdated"] == asked["data"]["billingSummary"]
        assert event.data["extensions"].keys() == asked["extensions"].keys()

    async def test_nothing_comes_of_a_change_that_does_not_show(self, watched):
        async with watch(watched, "subscription { billingSummaryUpdated { openBalance { amount } } }") as stream:
            (await stream.event()).data["data"]
            await add_call(watched)
            await watched.pay(10_00)
            assert (await stream.event()).data["data"]["billingSummaryUpdated"]["openBalance"]["amount"] != "0.00"

    async def test_changes_of_another_account_do_not_come(self, watched):
        async with watch(watched) as stream, watch(watched, account=OTHER) as other:
            first, others = await stream.event(), await other.event()
            assert (
                first.data["data"]["billingSummaryUpdated"]["id"] != others.data["data"]["billingSummaryUpdated"]["id"]
            )
            await add_call(watched, account=OTHER)
            assert seconds(await other.event()) == 60
            await add_call(watched)
            assert seconds(await stream.event()) == 60

    async def test_changes_that_come_closely_are_one_event(self, database):
        world = await a_world(database, streams=StreamOptions(pause_seconds=1.0))
        async with watch(world) as stream:
            assert seconds(await stream.event()) == 0
            for number in range(1, 6):
                await add_call(world, number)
            assert seconds(await stream.event()) == 300

    async def test_a_new_day_comes_though_nobody_wrote_anything(self, database):
        world = await a_world(database, streams=replace(QUICK, keep_alive_seconds=0.01))
        async with watch(world, "subscription { billingSummaryUpdated { period { startsOn } } }") as stream:
            period = (await stream.event()).data["data"]["billingSummaryUpdated"]["period"]
            assert period == {"startsOn": "2026-07-01"}
            world.clock.instant = pacific(2026, 8, 1)
            (event,) = [event async for event in events(stream, 1)]
            assert event.data["data"]["billingSummaryUpdated"]["period"] == {"startsOn": "2026-08-01"}

    async def test_comments_keep_a_quiet_stream_alive(self, database):
        world = await a_world(database, streams=replace(QUICK, keep_alive_seconds=0.01))
        async with watch(world) as stream:
            await stream.event()
            assert [await stream.event() for _ in range(3)] == [COMMENT] * 3

    async def test_a_query_is_answered_by_one_event(self, watched):
        async with watch(watched, "{ viewer { role } }") as stream:
            event = await stream.event()
            assert event.data["data"] == {"viewer": {"role": "ADMIN"}}
            assert await stream.event() == COMPLETE

    async def test_a_subscription_may_come_by_get(self, watched):
        sent = {"method": "GET", "query_string": f"query={quote(WATCH)}".encode()}
        async with watch(watched, **sent) as stream:
            assert seconds(await stream.event()) == 0

    async def test_the_time_that_a_request_may_take_to_arrive_is_no_end(self, database):
        world = await a_world(database, body_seconds=0.05, streams=replace(QUICK, keep_alive_seconds=0.06))
        async with watch(world) as stream:
            await stream.event()
            assert [await stream.event() for _ in range(2)] == [COMMENT] * 2
            await add_call(world)
            assert [seconds(event) async for event in events(stream, 1)] == [60]


class TestEnds:
    async def test_with_its_token(self, watched):
        async with watch(watched, lifetime=NEARLY_OVER) as stream:
            assert seconds(await stream.event()) == 0
            assert (await stream.event()).codes == ["ACCESS_EXPIRED"]
            assert await stream.event() == COMPLETE

    async def test_with_the_server(self, watched):
        async with watch(watched) as stream, watch(watched, account=OTHER) as other:
            await stream.event(), await other.event()
            watched.application.state.streams.stop()
            assert await stream.event() == COMPLETE
            assert await other.event() == COMPLETE
        async with watch(watched) as late:
            assert seconds(await late.event()) == 0
            assert await late.event() == COMPLETE

    async def test_with_the_membership(self, watched):
        async with watch(watched, by=Role.MEMBER) as stream:
            await stream.event()
            nobody = AccountParticulars(ACCOUNT, "Harbor Dental", "100", None, pacific(2026, 7, 1).date(), ())
            await put_account(watched.services, particulars=nobody, actor="test")
            await add_call(watched)
            assert (await stream.event()).codes == ["FORBIDDEN"]
            assert await stream.event() == COMPLETE

    async def test_when_the_client_does_not_read(self, database):
        world = await a_world(database, streams=replace(QUICK, taken_within_seconds=0.01))
        async with watch(world) as stream:
            await stream.event()
            stream.reads.clear()
            await add_call(world)
            await stream.ended()

    async def test_when_the_client_leaves(self, watched):
        async with watch(watched) as stream:
            await stream.event()
            stream.leave()
            await stream.ended()
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(watch(watched)) for _ in range(3)]
            assert [seconds(await stream.event()) for stream in streams] == [0, 0, 0]


class TestRefusals:
    async def test_a_subscription_needs_an_event_stream(self, watched):
        async with watched.client() as http:
            plain = await http.post("/graphql", json={"query": WATCH})
            accept = {"accept": "application/graphql-response+json"}
            strict = await http.post("/graphql", json={"query": WATCH}, headers=accept)
        assert [answer.json()["errors"][0]["extensions"]["code"] for answer in (plain, strict)] == [
            "EVENT_STREAM_REQUIRED"
        ] * 2
        assert (plain.status_code, strict.status_code) == (200, 400)

    async def test_a_fourth_stream_of_a_person_is_refused_until_one_is_closed(self, watched):
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(watch(watched)) for _ in range(3)]
            for stream in streams:
                await stream.event()
            async with watch(watched) as fourth:
                assert (await fourth.event()).codes == ["TOO_MANY_STREAMS"]
                assert await fourth.event() == COMPLETE
                assert fourth.status == 200
            async with watch(watched, by=Role.BILLING) as of_another:
                assert seconds(await of_another.event()) == 0
            streams[0].leave()
            await streams[0].ended()
            async with watch(watched) as next_:
                assert seconds(await next_.event()) == 0

    @pytest.mark.parametrize(
        ("query", "code"),
        [
            ("subscription {", "GRAPHQL_PARSE_FAILED"),
            ("subscription { nothing }", "GRAPHQL_VALIDATION_FAILED"),
            (f"{WATCH} query Other {{ viewer {{ role }} }}", "OPERATION_RESOLUTION_FAILURE"),
            ("subscription { billingSummaryUpdated { id } } # 4111 1111 1111 1111", "CARD_NUMBER_REFUSED"),
            ("", "BAD_REQUEST"),
        ],
    )
    async def test_faults_of_the_operation_are_events(self, watched, query, code):
        async with watch(watched, query) as stream:
            assert (await stream.event()).codes == [code]
            assert await stream.event() == COMPLETE
        assert stream.status == 200

    async def test_an_operation_that_costs_too_much_is_refused(self, database):
        world = await a_world(database, guard=GuardOptions(cost=10))
        async with watch(world) as stream:
            assert (await stream.event()).codes == ["LIMIT_EXCEEDED"]
            assert await stream.event() == COMPLETE

    async def test_a_bad_token_is_refused_as_everywhere(self, watched):
        stranger = {"authorization": "Bearer a.b.c"}
        async with following(watched.application, WATCH, bearer=stranger) as stream:
            text = await stream.text()
        assert stream.status == 401
        assert stream.headers["content-type"].startswith("application/json")
        assert "UNAUTHENTICATED" in text

    async def test_a_stranger_is_refused_by_an_event(self, watched):
        async with watch(watched, by="stranger") as stream:
            assert (await stream.event()).codes == ["FORBIDDEN"]
            assert await stream.event() == COMPLETE


class TestPoints:
    async def test_each_event_spends_points_and_without_any_the_stream_waits(self, database):
        """A Summary costs 308 points here, so that the first takes all that there is for a second."""
        a_second = GuardOptions(by_token=Rate("token", 500, seconds=1), by_account=Rate("account", 5_000))
        world = await a_world(database, guard=a_second, rate_limiter=SlidingRateLimiter())
        async with watch(world) as stream:
            first = await stream.event()
            assert first.data["extensions"]["cost"]["remaining"] < first.data["extensions"]["cost"]["requested"]
            await add_call(world)
            assert seconds(await stream.event()) == 60

    async def test_a_stream_leaves_half_of_the_points_to_what_people_click(self, database):
        streams = replace(QUICK, keep_alive_seconds=0.01, long_pause_seconds=3600)
        guard = GuardOptions(by_token=Rate("token", 1_000))
        world = await a_world(database, streams=streams, guard=guard, rate_limiter=SlidingRateLimiter())
        by_day = "days { on live { seconds } patch { seconds } ivr { seconds } }"
        whole_month = f"subscription {{ billingSummaryUpdated {{ usage {{ live {{ seconds }} {by_day} }} }} }}"
        async with watch(world, whole_month) as dear, watch(world, by=Role.BILLING) as cheap:
            assert (await dear.event()).data["extensions"]["cost"]["remaining"] < 500
            assert (await cheap.event()).data["extensions"]["cost"]["remaining"] > 500
            await add_call(world)
            assert [seconds(event) async for event in events(cheap, 1)] == [60]
            world.application.state.streams.stop()
            assert [event async for event in events(dear, 1)] == [COMPLETE]

    async def test_a_first_event_that_cannot_be_paid_is_refused(self, database):
        nothing = GuardOptions(by_token=Rate("token", 500))
        world = await a_world(database, guard=nothing, rate_limiter=SlidingRateLimiter())
        async with watch(world) as stream:
            await stream.event()
            async with watch(world) as second:
                refused = await second.event()
                assert refused.codes == ["RATE_LIMITED"]
                assert refused.data["errors"][0]["extensions"]["retryAfterSeconds"] > 0
                assert await second.event() == COMPLETE


class TestFaults:
    async def test_while_the_database_is_away_no_stream_begins(self, watched, monkeypatch):
        async def fail(_requests: Any) -> Any:
            raise DatabaseUnreachable("the database", "it restarts")

        monkeypatch.setattr(watched.database.reader, "load_each", fail)
        async with watch(watched) as stream:
            await stream.text()
        assert stream.status == 503
        assert stream.headers["content-type"].startswith("application/json")

    async def test_a_fault_that_passes_is_not_shown_where_a_summary_is(self, watched, monkeypatch):
        load_each = watched.database.reader.load_each
        failures = iter([DatabaseUnreachable("the database", "it restarts")] * 2)

        async def fail_twice(requests: Any) -> Any:
            failure = None if requests[0].page.name == "account_versions" else next(failures, None)
            if failure is not None:
                raise failure
            return await load_each(requests)

        async with watch(watched) as stream:
            await stream.event()
            monkeypatch.setattr(watched.database.reader, "load_each", fail_twice)
            await add_call(watched)
            assert seconds(await stream.event()) == 60
        assert next(failures, None) is None
