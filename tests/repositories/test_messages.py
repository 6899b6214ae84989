"""The outbox on both engines: queued once, taken by one worker alone, settled, and sent again by whoever is on duty."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.domain.deliveries import CallAnswer, CallOutcome, CallResult, MailAnswer, MailProblem, MailReport, MailResult
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.notifications.deliver_messages import LEASE, deliver_messages
from app.services.notifications.report_call import report_call
from app.services.notifications.report_mail import report_mail
from app.services.operations.on_call_queue import list_waiting, try_again
from app.services.operations.operations_alerts import read_operations_figures
from app.services.operations.restore_database import mark_restored
from tests.factories.calls import a_call
from tests.services.post import OK, TAKEN, Post
from tests.services.staff import ANN
from tests.world import World, pacific

BOTH = frozenset({Channel.EMAIL, Channel.PHONE_CALL})


@pytest.fixture
async def post(migrated_url):
    """An account with an admin, and a bookkeeper who is told by mail and by phone; noon of 2 July."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    await world.add_account()
    world.clock.instant = pacific(2026, 7, 2, 12)
    post = Post(world)
    await post.add_contact(channels=BOTH)
    yield post
    await database.close()


async def waiting(post: Post) -> list[tuple[str, str | None, str]]:
    found = await list_waiting(post.world.services, limit=10)
    return [(each.kind.value, each.account, each.why) for each in found]


async def test_the_same_news_told_twice_at_once_is_queued_once(post):
    told = await asyncio.gather(*(post.announce(AlertKind.PAYMENT_FAILED) for _ in range(4)))
    assert sorted(told) == [0, 0, 0, 3]
    assert Counter(await post.rows("channel, state")) == {("EMAIL", "QUEUED"): 2, ("PHONE_CALL", "QUEUED"): 1}


async def test_several_workers_hand_over_everything_once(post):
    for number in range(19):  # a number is called once a day about a kind, and an account makes twenty calls
        await post.add_contact(phone=f"+120255501{number:02d}", channels=frozenset({Channel.PHONE_CALL}))
        await post.announce(AlertKind.PLAN_CHANGED, subject=f"change {number}")
        await post.announce(AlertKind.ADD_ON_BOUGHT, subject=f"add-on {number}")
    await post.announce(AlertKind.INVOICE_READY)
    settled = await asyncio.gather(*(deliver_messages(post.delivery) for _ in range(4)))
    assert sum(settled) == 60
    assert Counter(mail.id for mail in post.mailer.tried).most_common(1)[0][1] == 1
    assert Counter(call.id for call in post.caller.calls).most_common(1)[0][1] == 1
    assert (len(post.mailer.sent), len(post.caller.calls)) == (40, 20)
    assert set(await post.rows("state, attempts")) == {("SENT", 1)}


async def test_a_worker_that_died_leaves_a_mail_to_the_next_and_a_call_to_a_person(post):
    await post.announce(AlertKind.PAYMENT_FAILED)
    now, real_now = post.world.clock.now(), post.world.real_clock.now()
    for channel in (Channel.EMAIL, Channel.PHONE_CALL):
        await unit_of_work.write(
            post.world.database,
            lambda uow, channel=channel: uow.notifications.claim(
                channel, now=now, real_now=real_now, lease_until=real_now + LEASE, limit=10
            ),
        )
    assert await post.deliver() == 0
    post.world.real_clock.instant += LEASE + timedelta(seconds=1)
    await asyncio.gather(post.deliver(), post.deliver())
    assert (len(post.mailer.sent), post.caller.calls) == (2, [])
    ((kind, account, _),) = await waiting(post)
    assert (kind, account) == ("PHONE_CALL", "AA0101")


async def test_what_was_refused_is_listed_counted_and_sent_again(post):
    post.mailer.answer = lambda _: MailAnswer(MailResult.REFUSED, "550 no such user")
    post.caller.answer = CallAnswer(CallResult.UNKNOWN, "timed out")
    await post.announce(AlertKind.PAYMENT_FAILED)
    await post.deliver()
    found = await list_waiting(post.world.services, limit=10)
    assert Counter(each.kind.value for each in found) == {"MESSAGE": 2, "PHONE_CALL": 1}
    figures = await read_operations_figures(post.world.services)
    assert figures.refusing_addresses == 2

    post.mailer.answer, post.caller.answer = lambda _: OK, TAKEN
    for each in found:
        if each.kind == "MESSAGE":
            await try_again(post.world.services, waiting_id=each.id, **ANN)
        else:
            outcome = CallOutcome.ANSWERED
            await report_call(post.world.services, call_id=each.id, outcome=outcome, note="Asked.", actor="staff:ann")
    await post.deliver()
    assert await waiting(post) == []
    assert (len(post.mailer.sent), len(post.caller.calls)) == (2, 1)
    assert (await read_operations_figures(post.world.services)).refusing_addresses == 0


async def test_a_bounce_marks_an_address(post):
    for address in ("carla@example.com", "Carla@EXAMPLE.com"):
        await report_mail(post.world.services, [MailReport(MailProblem.BOUNCE, address, "550 gone")])
    assert (await read_operations_figures(post.world.services)).refusing_addresses == 1


async def test_usage_that_crosses_limits_tells_each_of_them_once(post):
    async def call(number: int, minutes: int) -> None:
        started_at = pacific(2026, 7, 2, 9)
        await post.world.add_calls(
            a_call(event_id=f"e{number}", started_at=started_at, script_seconds=minutes * 60, recording_seconds=0)
        )

    await post.world.close_now()
    await post.clear()
    await call(0, 70)
    assert await post.rows("kind") == []
    await asyncio.gather(*(call(number, 8) for number in range(1, 5)))
    await call(9, 1)
    admins = [kind for kind, address in await post.rows("kind, address") if address == "admin@example.com"]
    assert Counter(admins) == {AlertKind.ALLOWANCE_NEARLY_USED: 1, AlertKind.ALLOWANCE_EXCEEDED: 1}


async def test_after_a_restore_mails_wait_and_calls_are_left_to_a_person(post):
    await post.announce(AlertKind.PAYMENT_FAILED)
    await mark_restored(post.world.services, next_number=100_001, actor="staff:ann")
    assert Counter(await post.rows("channel, state")) == {("EMAIL", "QUEUED"): 2, ("PHONE_CALL", "UNKNOWN"): 1}
    ((kind, account, why),) = await waiting(post)
    assert (kind, account, "may have been made since" in why) == ("PHONE_CALL", "AA0101", True)
    await post.deliver()
    assert (len(post.mailer.sent), post.caller.calls) == (2, [])
