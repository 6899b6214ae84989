"""The round of messages: it looks, tells and delivers, and waits where it is held."""

from __future__ import annotations

import pytest

from app.domain.alerts import AlertKind
from app.domain.deliveries import MailAnswer, MailResult
from app.jobs.messages import WATCH_SECONDS, message_round
from app.repositories import unit_of_work
from app.repositories.webhook_events import MESSAGES, Hold
from app.services.notifications.deliver_messages import MailServerUnreachable
from tests.services.post import OK, Post
from tests.world import World, pacific


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    await world.pay(139_00)
    post = Post(world)
    await post.clear()
    return post


def nothing() -> None:
    pass


class TestRound:
    async def test_what_was_announced_is_delivered(self, post):
        run = message_round(delivery=post.delivery, operator_address=None)
        await post.announce(AlertKind.REACTIVATED)
        alive = []
        await run(lambda: alive.append(True))
        await run(nothing)
        assert len(post.mailer.sent) == 1
        assert alive

    async def test_while_it_is_held_everything_waits(self, post):
        world = post.world
        hold = Hold(MESSAGES, world.clock.now(), "A restored backup")
        await unit_of_work.write(world.database, lambda uow: uow.holds.put(hold))
        run = message_round(delivery=post.delivery, operator_address=None)
        await post.announce(AlertKind.REACTIVATED)
        await run(nothing)
        assert post.mailer.sent == []
        await unit_of_work.write(world.database, lambda uow: uow.holds.lift(MESSAGES))
        await run(nothing)
        assert len(post.mailer.sent) == 1

    async def test_the_person_on_duty_is_told_and_troubles_are_looked_for_once_a_minute(self, post):
        seconds = 0.0
        run = message_round(delivery=post.delivery, operator_address="duty@example.com", real_time=lambda: seconds)
        await run(nothing)
        post.world.clock.instant = pacific(2026, 8, 1, 9)
        await run(nothing)
        assert post.mailer.sent == []
        seconds += WATCH_SECONDS
        await run(nothing)
        assert [mail.to_address for mail in post.mailer.sent] == ["duty@example.com"]

    async def test_a_server_that_takes_nothing_fails_the_round_and_loses_nothing(self, post):
        run = message_round(delivery=post.delivery, operator_address=None)
        post.mailer.answer = lambda _: MailAnswer(MailResult.UNREACHABLE, "no route")
        await post.announce(AlertKind.REACTIVATED)
        with pytest.raises(MailServerUnreachable):
            await run(nothing)
        post.mailer.answer = lambda _: OK
        post.world.clock.instant = pacific(2026, 7, 10, 13)
        await run(nothing)
        assert len(post.mailer.sent) == 1
