"""What the operator on call hears of: once a day for each alert, and as figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.domain.deliveries import CallAnswer, CallResult, MailAnswer, MailResult
from app.services.notifications.deliver_messages import MailServerUnreachable
from app.services.operations.operations_alerts import (
    QUARANTINE_GROWTH,
    notify_operators,
    operations_alerts,
    read_operations_figures,
)
from tests.factories.calls import a_call
from tests.services.post import OK, Post
from tests.world import World, pacific


async def found(world: World) -> list[str]:
    figures = await read_operations_figures(world.services)
    return [trouble.name for trouble in operations_alerts(figures, world.clock.now())]


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    await world.pay(139_00)
    post = Post(world)
    await post.clear()
    return post


class TestTroubles:
    async def test_all_is_well(self, post):
        assert await found(post.world) == []

    async def test_a_late_close(self, post):
        post.world.clock.instant = pacific(2026, 8, 1, 7)
        assert await found(post.world) == []
        post.world.clock.instant += timedelta(seconds=1)
        assert await found(post.world) == ["LATE_CLOSE"]

    async def test_a_call_of_unknown_fate_for_over_an_hour(self, post):
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        post.caller.answer = CallAnswer(CallResult.UNKNOWN, "timed out")
        post.world.clock.instant = pacific(2026, 7, 10, 9)
        await post.announce(AlertKind.PAYMENT_FAILED, invoice_number=999_999)
        await post.deliver()
        post.world.clock.instant += timedelta(minutes=59)
        assert await found(post.world) == []
        post.world.clock.instant += timedelta(minutes=2)
        assert await found(post.world) == ["UNKNOWN_OUTCOME"]

    async def test_a_mail_server_that_refuses_for_over_an_hour(self, post):
        post.mailer.answer = lambda _: MailAnswer(MailResult.UNREACHABLE, "535 who are you?")
        await post.announce(AlertKind.REACTIVATED)
        with pytest.raises(MailServerUnreachable):
            await post.deliver()
        assert await found(post.world) == []
        post.world.clock.instant += timedelta(minutes=61)
        assert await found(post.world) == ["MAIL_REFUSED"]
        post.mailer.answer = lambda _: OK
        await post.deliver()
        assert await found(post.world) == []

    async def test_collecting_that_does_not_go_on(self, post):
        await post.world.add_account("BB0202")
        await post.world.advance_to(pacific(2026, 7, 10, 12, 30))
        assert await found(post.world) == []
        post.world.clock.instant = pacific(2026, 7, 10, 13, 31)
        assert await found(post.world) == ["LATE_COLLECTION"]

    async def test_a_quarantine_that_grows(self, post):
        strangers = [
            a_call(event_id=f"s{at}", account="nobody", started_at=pacific(2026, 7, 8, 9))
            for at in range(QUARANTINE_GROWTH)
        ]
        await post.world.add_calls(*strangers[1:])
        assert await found(post.world) == []
        await post.world.add_calls(strangers[0])
        assert await found(post.world) == ["QUARANTINE_GROWTH"]
        post.world.clock.instant += timedelta(days=2)
        assert await found(post.world) == []

    async def test_money_that_waits_for_a_person(self, post):
        figures = await read_operations_figures(post.world.services)
        figures = replace(
            figures, unknown_charges=1, unknown_refunds=1, failed_refunds=1, notices=1, parked=2, disputes=3
        )
        sentences = {trouble.name: trouble.sentence for trouble in operations_alerts(figures, post.world.clock.now())}
        assert list(sentences) == [
            "UNKNOWN_CHARGE",
            "UNKNOWN_REFUND",
            "FAILED_REFUND",
            "NOTICE",
            "PARKED",
            "DISPUTE",
        ]
        assert all(any(figure in sentence for figure in "123") for sentence in sentences.values())


class TestTelling:
    async def test_a_trouble_is_mailed_once_a_day_and_never_shown_to_a_customer(self, post):
        world = post.world
        world.clock.instant = pacific(2026, 8, 1, 9)
        for day, news in ((1, 1), (1, 0), (2, 1)):
            world.clock.instant = pacific(2026, 8, day, 9)
            assert await notify_operators(world.services, address="duty@example.com") == news
        await post.deliver()
        (mail, _) = post.mailer.sent
        assert (mail.to_address, mail.subject) == ("duty@example.com", "Flex Billing: late close")
        assert "Invoices are due since 2026-08-01 13:00 UTC and are not issued." in mail.text
        assert mail.unsubscribe_url is None
        assert (await world.data("{ notifications { totalCount } }"))["notifications"]["totalCount"] == 0

    async def test_nothing_to_tell_tells_nothing(self, post):
        assert await notify_operators(post.world.services, address="duty@example.com") == 0
