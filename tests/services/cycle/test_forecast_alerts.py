"""Forecasts are told once a day at most, before what they foresee, and once for each arming (rule 21)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.alerts import AlertKind
from app.services.cycle.forecast_alerts import forecast_alerts
from tests.every_kind import move_to
from tests.factories.calls import a_call
from tests.services.post import Post
from tests.world import World, pacific

OVER, AHEAD = AlertKind.FORECAST_OVER_ALLOWANCE, AlertKind.UPGRADE_SCHEDULED


async def a_month_at(world: World, minutes_a_day: int, *, days: int = 10, plan: str = "100", **changes) -> Post:
    """An account that talks as much every day until noon of the 11th."""
    await world.add_account(plan=plan, **changes)
    await world.advance_to(pacific(2026, 7, 1 + days, 12))
    await world.add_calls(
        *(
            a_call(
                event_id=f"e{day}",
                started_at=pacific(2026, 7, day, 9),
                script_seconds=minutes_a_day * 60,
                recording_seconds=0,
            )
            for day in range(1, days + 1)
        )
    )
    return Post(world)


async def look(world: World) -> int:
    return await forecast_alerts(world.services)


async def told(post: Post) -> list[str]:
    return [kind for kind, _ in await post.told() if kind in {OVER, AHEAD}]


class TestForecast:
    async def test_a_month_heading_above_its_allowance_is_told_with_the_day(self, world):
        post = await a_month_at(world, 5)
        assert await look(world) == 1
        assert await told(post) == [OVER]
        await post.deliver()
        text = next(mail.text for mail in post.mailer.sent if "is expected to exceed" in mail.subject)
        assert "by the end of July 2026" in text
        assert "which would be reached on July 21, 2026." in text
        assert "Used so far: 50 min\nForecast for the month: 155 min\nIncluded: 100 min" in text

    async def test_a_month_within_its_allowance_is_not(self, world):
        post = await a_month_at(world, 3)
        await look(world)
        assert await told(post) == []

    async def test_too_little_to_go_by_tells_nothing(self, world):
        post = await a_month_at(world, 9, days=5)
        await look(world)
        assert await told(post) == []

    async def test_what_is_exceeded_already_is_no_forecast(self, world):
        post = await a_month_at(world, 11, paid_since_on=date(2026, 1, 1))
        await look(world)
        assert await told(post) == []

    async def test_an_upgrade_ahead_is_told_with_its_day_and_amount(self, world):
        post = await a_month_at(world, 9)
        await look(world)
        assert await told(post) == [OVER, AHEAD]
        await post.deliver()
        text = next(mail.text for mail in post.mailer.sent if "upgrade to 220" in mail.subject)
        assert "by July 20, 2026 at this pace." in text
        assert "Due when it happens: $100.00" in text

    async def test_it_is_looked_at_once_a_day_and_told_once(self, world):
        post = await a_month_at(world, 5)
        assert [await look(world), await look(world)] == [1, 0]
        world.clock.instant = pacific(2026, 7, 12, 7)
        assert await look(world) == 0
        world.clock.instant = pacific(2026, 7, 12, 8)
        assert await look(world) == 1
        assert await told(post) == [OVER]

    async def test_a_change_of_plan_makes_the_forecast_anew(self, world):
        post = await a_month_at(world, 8)
        await look(world)
        await move_to(world, "220")
        world.clock.instant = pacific(2026, 7, 12, 9)
        await look(world)
        assert (await told(post)).count(OVER) == 2

    @pytest.mark.parametrize("plan", ["economy"])
    async def test_a_plan_without_an_allowance_is_not_above_it(self, world, plan):
        post = await a_month_at(world, 1, plan=plan)
        await look(world)
        assert await told(post) == []

    async def test_an_account_that_does_not_pay_yet_is_left_alone(self, world):
        await world.add_account(trial_ends_on=date(2026, 8, 1))
        world.clock.instant = pacific(2026, 7, 12, 9)
        assert await look(world) == 0
