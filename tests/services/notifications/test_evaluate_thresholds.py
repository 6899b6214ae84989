"""Usage is told once for each limit and arming, in the transaction that records it (rules 37, 38)."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date

import pytest

from app.domain.alerts import AlertKind
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.common.caller import Caller
from app.services.usage.record_calls import Item, record_within
from tests.every_kind import move_to
from tests.factories.calls import a_call
from tests.services.post import Post
from tests.world import ACCOUNT, World, pacific

NEARLY, EXCEEDED, COST = (
    AlertKind.ALLOWANCE_NEARLY_USED,
    AlertKind.ALLOWANCE_EXCEEDED,
    AlertKind.COST_EFFECTIVE_EXCEEDED,
)
USAGE = {NEARLY, EXCEEDED, COST}


@pytest.fixture
async def post(world: World) -> Post:
    """An account on 100 minutes for more than six months, so that no upgrade comes between; 10 July 2026."""
    await world.add_account(paid_since_on=date(2026, 1, 1))
    await world.advance_to(pacific(2026, 7, 10, 12))
    post = Post(world)
    await post.clear()
    return post


async def talk(world: World, minutes: float, day: int = 8, month: int = 7, **changes) -> None:
    seconds = round(minutes * 60)
    started_at = pacific(2026, month, day, 9)
    await world.add_calls(
        a_call(
            event_id=world.ids.new("e"), started_at=started_at, script_seconds=seconds, recording_seconds=0, **changes
        )
    )


async def told(post: Post) -> list[str]:
    return [kind for kind, _ in await post.told() if kind in USAGE]


class TestLimits:
    async def test_each_is_told_when_it_is_passed_and_not_before(self, post):
        for minutes, so_far in (
            (79, []),
            (1, [NEARLY]),
            (20, [NEARLY]),
            (0.02, [NEARLY, EXCEEDED]),
            (76.98, [NEARLY, EXCEEDED]),
            (0.02, [NEARLY, EXCEEDED, COST]),
            (50, [NEARLY, EXCEEDED, COST]),
        ):
            await talk(post.world, minutes)
            assert await told(post) == so_far

    async def test_one_batch_can_pass_them_all(self, post):
        await talk(post.world, 500)
        assert await told(post) == [NEARLY, EXCEEDED, COST]

    async def test_the_figures_are_those_of_the_month_to_the_second(self, post):
        await talk(post.world, 20, day=2)
        await talk(post.world, 157.5, day=3, patch_seconds=90)
        await post.deliver()
        texts = {mail.subject: mail.text for mail in post.mailer.sent}
        exceeded = texts["The included minutes for July 2026 are used up"]
        assert "Used so far: 177 min 30 s\nIncluded: 100 min\nOverage per minute: $1.29" in exceeded
        cost = texts["The 220 Minutes plan would now cost less in July 2026"]
        assert "Cost-effective up to: 177 min\nBase price of the next plan above yours: $100.00" in cost
        assert {mail.to_address for mail in post.mailer.sent} == {"admin@example.com"}

    async def test_a_duplicate_a_free_call_and_a_refused_one_tell_nothing(self, post):
        call = a_call(event_id="one", started_at=pacific(2026, 7, 8, 9), script_seconds=79 * 60)
        await post.world.add_calls(call, call, call._replace(event_id="free", is_billable=False))
        await post.world.add_calls(call, call._replace(event_id="old", started_at=pacific(2026, 1, 8, 9)))
        assert await told(post) == []

    async def test_usage_that_a_correction_takes_back_is_not_told_again(self, post):
        call = a_call(event_id="one", started_at=pacific(2026, 7, 8, 9), script_seconds=85 * 60)
        await post.world.add_calls(call)
        await post.world.add_calls(call._replace(event_id="two", script_seconds=60, corrects="one"))
        await talk(post.world, 90)
        assert await told(post) == [NEARLY]

    async def test_what_is_rolled_back_is_not_told(self, post):
        call = a_call(event_id="one", started_at=pacific(2026, 7, 8, 9), script_seconds=500 * 60)
        world = post.world

        async def work(uow):
            await record_within(uow, world.clock, world.ids, call.source, [Item(0, call)], "test")
            raise InterruptedError

        with pytest.raises(InterruptedError):
            await unit_of_work.write(world.database, work)
        assert await told(post) == []
        await world.add_calls(call)
        assert await told(post) == [NEARLY, EXCEEDED, COST]

    async def test_an_alert_that_is_off_is_passed_and_not_told_later(self, post):
        admin = (await post.world.data("{ viewer { user { id } } }"))["viewer"]["user"]["id"]
        await switch(post.world, admin, NEARLY, is_on=False)
        await talk(post.world, 85)
        await switch(post.world, admin, NEARLY, is_on=True)
        await talk(post.world, 1)
        assert await told(post) == []


class TestMonths:
    async def test_a_new_month_arms_everything_again(self, post):
        await talk(post.world, 85)
        await post.world.advance_to(pacific(2026, 8, 10, 12))
        await talk(post.world, 85, month=8)
        assert await told(post) == [NEARLY, NEARLY]

    async def test_a_month_is_open_until_its_successors_invoice(self, post):
        post.world.clock.instant = pacific(2026, 8, 1, 5)
        await talk(post.world, 85, day=31)
        assert await told(post) == [NEARLY]

    async def test_late_calls_of_a_closed_month_tell_nothing(self, post):
        await post.world.advance_to(pacific(2026, 8, 10, 12))
        await talk(post.world, 500, day=31)
        assert await told(post) == []

    async def test_calls_of_a_month_before_its_invoice_are_told_once_it_is_open(self, post):
        post.world.clock.instant = pacific(2026, 8, 1, 5)
        early = a_call(event_id="early", started_at=pacific(2026, 8, 1, 3), script_seconds=85 * 60)
        await post.world.add_calls(early)
        assert await told(post) == []
        await post.world.advance_to(pacific(2026, 8, 2, 12))
        await talk(post.world, 1, day=2, month=8)
        assert await told(post) == [NEARLY]

    async def test_a_trial_tells_nothing_and_its_calls_count_for_nothing(self, world):
        await world.add_account(trial_ends_on=date(2026, 7, 9))
        post = Post(world)
        world.clock.instant = pacific(2026, 7, 8, 12)
        await talk(world, 500, day=8)
        await world.advance_to(pacific(2026, 7, 20, 12))
        await talk(world, 1, day=20)
        assert await told(post) == []

    async def test_a_first_partial_month_goes_by_its_prorated_allowance(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 17))  # 15 of 31 days: 48 minutes
        post = Post(world)
        await world.advance_to(pacific(2026, 7, 20, 12))
        await talk(world, 39, day=20)
        assert await told(post) == [NEARLY]

    async def test_a_plan_without_an_allowance_has_no_allowance_alerts(self, world):
        await world.add_account(plan="economy", paid_since_on=date(2026, 1, 1))
        await world.advance_to(pacific(2026, 7, 10, 12))
        post = Post(world)
        await talk(world, 71)
        assert await told(post) == []
        await talk(world, 0.02)
        assert await told(post) == [COST]


class TestArming:
    """A change of plan that puts usage back below arms again, and counts up (rule 37)."""

    async def test_a_larger_plan_tells_again_when_its_own_limits_are_passed(self, post):
        await talk(post.world, 120)
        assert await told(post) == [NEARLY, EXCEEDED]
        await move_to(post.world, "220")
        await talk(post.world, 1)
        assert await told(post) == [NEARLY, EXCEEDED]
        await talk(post.world, 60)
        assert await told(post) == [NEARLY, EXCEEDED, NEARLY]
        keys = [key for (key,) in await post.rows("dedupe_key") if key.startswith(NEARLY)]
        assert [key.split(":")[4] for key in keys] == ["1", "2"]

    async def test_a_smaller_plan_does_not_tell_again_what_stays_passed(self, post):
        await move_to(post.world, "220")
        await talk(post.world, 176)
        assert await told(post) == [NEARLY]
        await move_to(post.world, "100")
        await talk(post.world, 0.5)
        assert await told(post) == [NEARLY, EXCEEDED]

    async def test_a_smaller_plan_has_its_own_limits_though_none_was_passed_before(self, post):
        await move_to(post.world, "500")
        await talk(post.world, 90)
        assert await told(post) == []
        await move_to(post.world, "100")
        await talk(post.world, 1)
        await talk(post.world, 20)
        await talk(post.world, 67)
        assert await told(post) == [NEARLY, EXCEEDED, COST]

    async def test_an_automatic_upgrade_arms_too(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 1))
        await world.advance_to(pacific(2026, 7, 10, 12))
        post = Post(world)
        await talk(world, 178)
        await upgrade(world)
        assert (await post.told(AlertKind.UPGRADE_DONE)) == [(AlertKind.UPGRADE_DONE, "admin@example.com")]
        await talk(world, 50)
        assert await told(post) == [NEARLY, EXCEEDED, COST, EXCEEDED]


class TestRaces:
    async def test_calls_recorded_at_once_by_two_programs_tell_each_limit_once(self, post):
        world, other = post.world, Database.open(f"sqlite:///{post.world.database._url.database}")
        second = World(other, world.clock.instant)
        second.services = replace(second.services, ids=world.ids)
        calls = [
            a_call(event_id=f"e{at}", started_at=pacific(2026, 7, 3, 9), script_seconds=300, recording_seconds=0)
            for at in range(40)
        ]
        await asyncio.gather(*((world, second)[at % 2].add_calls(call) for at, call in enumerate(calls)))
        await other.close()
        assert sorted(await told(post)) == sorted([NEARLY, EXCEEDED, COST])


async def switch(world: World, user_id: str, kind: AlertKind, *, is_on: bool) -> None:
    from app.services.cycle.alert_subscriptions import switch_alerts

    await switch_alerts(world.services, Caller(ACCOUNT, f"user:{user_id}"), changes={kind: is_on})


async def upgrade(world: World) -> None:
    from app.services.plans.upgrade_plans import upgrade_plans

    await upgrade_plans(world.services)
