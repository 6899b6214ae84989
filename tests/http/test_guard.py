"""What guards the door: the cost of an operation, what may be spent in a minute, and turns for each account."""

from __future__ import annotations

import asyncio

import pytest

from app.gateways.rate_limiter import SlidingRateLimiter
from app.http.fairness import QueueFull, SlowLane, Turns
from app.http.guard import Guard, GuardOptions
from app.ports import Claims, Rate
from tests.fakes.edge import VIEWER_QUERY, Edge

RESPONSE = {"accept": "application/graphql-response+json"}
HEAVY = (
    "query Heavy($n: Int! = 100) {"
    + " ".join(f"a{n}: invoices(first: $n) {{ nodes {{ lines {{ ...L }} }} }}" for n in range(10))
    + "} fragment L on UsageLine { calls(first: 100) { nodes { id startedAt } } }"
)


def guarded(folder, **limits):
    return Edge(folder, rate_limiter=SlidingRateLimiter(), guard=GuardOptions(**limits))


async def ask(edge, query=VIEWER_QUERY, *, subject="user-1", account="AA0101", headers=None, bearer=None):
    sent = edge.bearer_of(subject, account) if bearer is None else {"authorization": bearer}
    async with edge.client(has_token=False) as client:
        return await client.post("/graphql", json={"query": query}, headers={**sent, **(headers or {})})


class TestCost:
    async def test_every_answer_says_what_it_cost(self, tmp_path):  # and examining a new document costs a little
        answer = (await ask(guarded(tmp_path))).json()
        assert answer["extensions"]["cost"] == {"requested": 101, "limit": 7_000, "remaining": 59_890}

    async def test_a_document_over_the_limit_is_refused_with_its_heaviest_field(self, tmp_path):
        edge = guarded(tmp_path)
        answer = await ask(edge, HEAVY, headers=RESPONSE)
        assert answer.status_code == 400
        (error,) = answer.json()["errors"]
        assert error["extensions"]["code"] == "LIMIT_EXCEEDED"
        assert error["message"] == (
            "This operation costs 3,043,000 points; at most 7,000 are allowed. Most of it is `a0: invoices.nodes.lines."
            "calls.nodes`: ask for fewer items or fields there, or split the operation in two."
        )
        assert answer.json()["extensions"]["cost"]["requested"] == 3_043_000
        assert edge.reader.trips == []

    async def test_the_older_media_type_reads_the_refusal_with_status_200(self, tmp_path):
        answer = await ask(guarded(tmp_path), HEAVY)
        assert answer.status_code == 200
        assert "data" not in answer.json()


class TestRates:
    async def test_points_are_spent_by_token(self, tmp_path):
        edge = guarded(tmp_path, by_token=Rate("token", 300))
        answers = [await ask(edge, headers=RESPONSE) for _ in range(3)]
        assert [each.status_code for each in answers] == [200, 200, 429]
        refused = answers[-1]
        (error,) = refused.json()["errors"]
        wait = error["extensions"]["retryAfterSeconds"]
        assert (error["extensions"]["code"], error["extensions"]["retryable"]) == ("RATE_LIMITED", True)
        assert 1 <= wait <= 60
        assert refused.headers["retry-after"] == str(wait)
        assert refused.headers["ratelimit-policy"] == '"token";q=300;w=60'
        assert refused.headers["ratelimit"] == f'"token";r=89;t={wait}'
        assert len(edge.reader.trips) == 2

    async def test_inside_graphql_a_client_of_the_older_media_type_sees_it_with_status_200(self, tmp_path):
        edge = guarded(tmp_path, by_token=Rate("token", 1_00))
        answer = await ask(edge)
        assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (200, "RATE_LIMITED")

    async def test_the_people_of_an_account_share_its_points(self, tmp_path):
        edge = guarded(tmp_path, by_account=Rate("account", 300))
        for subject in ("a", "b", "c", "a", "b"):
            assert (await ask(edge, subject=subject, headers=RESPONSE)).status_code == 200
        answer = await ask(edge, subject="c", headers=RESPONSE)
        assert (answer.status_code, answer.headers["ratelimit-policy"]) == (429, '"account";q=300;w=60')

    async def test_a_stranger_who_names_the_account_spends_nothing_of_it(self, tmp_path):
        edge = guarded(tmp_path, by_account=Rate("account", 300))
        assert (await ask(edge, subject="member")).status_code == 200
        edge.reader.views["viewer"] = None
        for _ in range(10):
            answer = await ask(edge, subject="stranger")
            assert answer.json()["errors"][0]["extensions"]["code"] == "FORBIDDEN"
        assert (await ask(edge, subject="member", headers=RESPONSE)).status_code == 200

    async def test_bad_tokens_are_slowed_and_good_ones_from_the_same_address_are_not(self, tmp_path):
        edge = guarded(tmp_path, bad_tokens=Rate("bad token", 3))
        statuses = [(await ask(edge, bearer="Bearer forged")).status_code for _ in range(5)]
        assert statuses == [401, 401, 401, 429, 429]
        assert (await ask(edge)).status_code == 200
        async with edge.client(has_token=False) as client:
            assert (await client.post("/graphql", json={"query": VIEWER_QUERY})).status_code == 401

    async def test_five_people_who_open_thirty_screens_a_minute_meet_no_limit(self):
        guard = Guard(SlidingRateLimiter(), GuardOptions())
        people = [Claims(f"user-{number}", "AA0101") for number in range(5)]
        for claims in people:
            guard.remember_member(claims)
        for _ in range(30):
            for claims in people:
                await guard.spend(claims, guard.options.cost // 5)


class TestTurns:
    async def test_so_many_run_at_once_and_the_others_wait_in_their_order(self):
        turns, running, most, order = Turns(running=2, waiting=10), 0, 0, []

        async def work(number):
            nonlocal running, most
            async with turns.turn("a"):
                running += 1
                most = max(most, running)
                order.append(number)
                await asyncio.sleep(0)
                running -= 1

        await asyncio.gather(*(work(number) for number in range(12)))
        assert (most, order) == (2, list(range(12)))
        assert turns._queues == {}

    async def test_a_full_queue_refuses_and_others_have_their_own(self):
        turns = Turns(running=1, waiting=1)
        async with turns.turn("a"):
            second = asyncio.create_task(self._once(turns, "a"))
            await asyncio.sleep(0)
            with pytest.raises(QueueFull):
                await self._once(turns, "a")
            await self._once(turns, "b")
        await second

    @staticmethod
    async def _once(turns, key):
        async with turns.turn(key):
            pass

    async def test_too_many_at_once_are_told_to_come_again(self, tmp_path):
        edge = guarded(tmp_path, running=1, waiting=1)
        answers = await asyncio.gather(*(ask(edge, headers=RESPONSE) for _ in range(6)))
        assert {each.status_code for each in answers} == {200, 429}
        refused = next(each for each in answers if each.status_code == 429)
        assert refused.headers["retry-after"] == "1"
        assert "waiting" in refused.json()["errors"][0]["message"]


class TestSlowLane:
    async def test_one_runs_at_a_time_and_rests_before_the_next(self):
        lane, running, most, ends, begins = SlowLane(), 0, 0, [], []

        async def one():
            nonlocal running, most
            async with lane.turn():
                begins.append(asyncio.get_running_loop().time())
                running += 1
                most = max(most, running)
                await asyncio.sleep(0.02)
                running -= 1
                ends.append(asyncio.get_running_loop().time())

        await asyncio.gather(*(one() for _ in range(3)))
        assert most == 1
        rests = [begin - end for begin, end in zip(begins[1:], ends[:-1], strict=True)]
        assert min(rests) >= 0.015

    async def test_it_is_left_after_a_failure(self):
        lane = SlowLane()
        with pytest.raises(RuntimeError):
            async with lane.turn():
                raise RuntimeError
        async with lane.turn():
            pass

    async def test_only_expensive_operations_wait_for_it(self):
        guard = Guard(SlidingRateLimiter(), GuardOptions(expensive=1_400))
        async with guard.lane(1_401), guard.lane(1_400):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.01), guard.lane(1_401):
                    pass
