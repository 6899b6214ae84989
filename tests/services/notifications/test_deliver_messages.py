"""From the outbox to people: a mail at least once, a call at most once, and each answer to its state (rule 37)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import time, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import sqlite
from sqlmodel import select

from app.domain.alerts import AlertKind
from app.domain.contacts import CallingHours, Channel
from app.domain.deliveries import MOST_ATTEMPTS, CallAnswer, CallOutcome, CallResult, MailAnswer, MailResult
from app.models.messages import NotificationRow
from app.repositories import unit_of_work
from app.repositories.notifications import SETTLED, _due
from app.services.notifications.deliver_messages import LEASE, MailServerUnreachable
from app.services.notifications.report_call import CallUnknown, report_call
from app.services.operations.on_call_queue import list_waiting
from app.services.operations.operations_alerts import read_operations_figures
from tests.services.post import OK, Post
from tests.world import ACCOUNT, World, pacific

READY, FAILED = AlertKind.INVOICE_READY, AlertKind.PAYMENT_FAILED


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    return Post(world)


def refusing(result: MailResult, detail: str = "", address: str = "admin@example.com"):
    return lambda mail: MailAnswer(result, detail) if mail.to_address == address else OK


class TestMail:
    async def test_what_was_queued_is_sent_once(self, post):
        await post.announce(READY)
        assert await post.deliver() == 1
        assert await post.deliver() == 0
        (mail,) = post.mailer.sent
        assert (mail.to_address, mail.subject) == ("admin@example.com", "Invoice 100001: $200.00 due")
        assert mail.unsubscribe_url.startswith("https://flex.example/unsubscribe/")
        assert await post.rows("state, outcome, attempts") == [("SENT", "250 OK", 1)]

    async def test_nothing_due_opens_no_session(self, post):
        assert await post.deliver() == 0
        assert post.mailer.sessions == 0

    async def test_many_share_a_session(self, post):
        for at in range(25):
            await post.announce(READY, subject=f"inv_{at}")
        assert await post.deliver() == 25
        assert post.mailer.sessions == 1

    async def test_a_refused_address_is_marked_and_not_tried_again(self, post):
        post.mailer.answer = refusing(MailResult.REFUSED, "550 no such user")
        await post.announce(READY)
        await post.deliver()
        await post.deliver()
        assert await post.rows("state, outcome") == [("FAILED", "550 no such user")]
        assert len(post.mailer.tried) == 1
        assert await refusing_addresses(post.world) == 1

    async def test_an_address_that_takes_mail_again_is_not_marked_any_more(self, post):
        post.mailer.answer = refusing(MailResult.REFUSED, "552 full")
        await post.announce(READY)
        await post.deliver()
        post.mailer.answer = lambda _: OK
        await post.announce(READY, subject="other")
        await post.deliver()
        assert await refusing_addresses(post.world) == 0

    async def test_a_mail_for_later_waits_longer_each_time_and_is_given_up_in_the_end(self, post):
        post.mailer.answer = refusing(MailResult.LATER, "451 later")
        await post.announce(READY)
        begun_at = post.world.clock.instant
        for attempt in range(1, MOST_ATTEMPTS):
            await post.deliver()
            await post.deliver()
            assert await post.rows("state, attempts") == [("QUEUED", attempt)]
            post.world.clock.instant += timedelta(hours=15)
        await post.deliver()
        assert await post.rows("state, outcome") == [("FAILED", "Given up: 451 later")]
        assert post.world.clock.instant - begun_at > timedelta(days=3)

    async def test_an_unreachable_server_keeps_everything_and_says_so(self, post):
        for at in range(3):
            await post.announce(READY, subject=f"inv_{at}")
        post.mailer.answer = refusing(MailResult.UNREACHABLE, "no route")
        with pytest.raises(MailServerUnreachable, match="no route"):
            await post.deliver()
        assert await post.rows("state, attempts") == [("QUEUED", 0)] * 3
        post.mailer.answer = lambda _: OK
        post.world.clock.instant += timedelta(minutes=2)
        assert await post.deliver() == 3

    async def test_a_long_outage_gives_no_mail_up_whatever_the_server_says_after_it(self, post):
        await post.announce(READY)
        post.mailer.answer = refusing(MailResult.UNREACHABLE, "no route")
        for _ in range(3 * MOST_ATTEMPTS):
            with pytest.raises(MailServerUnreachable):
                await post.deliver()
            post.world.clock.instant += timedelta(minutes=2)
        post.mailer.answer = refusing(MailResult.LATER, "451 greylisted")
        await post.deliver()
        assert await post.rows("state, attempts, outcome") == [("QUEUED", 1, "451 greylisted")]
        figures = await read_operations_figures(post.world.services)
        assert figures.oldest_unsent_at is not None

    async def test_a_mail_that_breaks_every_connection_is_given_up_in_the_end(self, post):
        await post.announce(READY)
        post.mailer.answer = lambda _: MailAnswer(MailResult.UNREACHABLE, "reset", was_offered=True)
        for _ in range(MOST_ATTEMPTS - 1):
            with pytest.raises(MailServerUnreachable):
                await post.deliver()
            post.world.clock.instant += timedelta(hours=15)
        with suppress(MailServerUnreachable):
            await post.deliver()
        assert await post.rows("state, outcome") == [("FAILED", "Given up: reset")]

    async def test_a_mail_in_the_hands_of_a_dead_worker_is_sent_when_its_lease_is_over(self, post):
        await post.announce(READY)
        await claim(post, Channel.EMAIL)
        assert await post.deliver() == 0
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        assert await post.deliver() == 1
        assert await post.rows("state, attempts, lease_epoch") == [("SENT", 2, 2)]

    async def test_a_late_worker_changes_nothing(self, post):
        await post.announce(READY)
        (late,) = await claim(post, Channel.EMAIL)
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        await post.deliver()

        async def work(uow):
            from app.domain.deliveries import DeliveryState

            return await uow.notifications.settle(late, DeliveryState.FAILED, at=post.world.clock.now(), outcome="late")

        assert await unit_of_work.write(post.world.database, work) is False
        assert await post.rows("state") == [("SENT",)]

    async def test_a_message_that_cannot_be_worded_holds_up_no_other_and_is_given_up(self, post):
        await post.announce(READY, subject="broken")
        await break_facts(post)
        await post.announce(READY, subject="whole")
        await post.deliver()
        assert [mail.subject for mail in post.mailer.sent] == ["Invoice 100001: $200.00 due"]
        for _ in range(MOST_ATTEMPTS):
            post.world.clock.instant += timedelta(days=1)
            await post.deliver()
        assert (await post.rows("state, outcome"))[0] == ("FAILED", "Given up: Not put into words: TypeError")

    async def test_two_workers_at_once_send_each_mail_once(self, post):
        for at in range(30):
            await post.announce(READY, subject=f"inv_{at}")
        await asyncio.gather(post.deliver(), post.deliver(), post.deliver())
        assert len(post.mailer.tried) == len({mail.id for mail in post.mailer.tried}) == 30

    async def test_what_is_due_is_found_by_the_index_of_what_is_unsettled(self, post):
        async def work(uow):
            statement = select(NotificationRow.id).where(
                _due(Channel.EMAIL, post.world.clock.now(), post.world.real_clock.now())
            )
            compiled = statement.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True})
            return (await uow.session.exec(text(f"EXPLAIN QUERY PLAN {compiled}"))).all()

        plan = await unit_of_work.read(post.world.database, work)
        assert "ix_notification_unsettled" in str(plan)


class TestCalls:
    """A call waits for its hours, is handed over once, and is never repeated (rule 39)."""

    @pytest.fixture
    async def post(self, post: Post) -> Post:
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        return post

    async def test_a_call_is_handed_over_within_the_hours(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 3)  # 06:00 in New York
        await post.announce(FAILED)
        await post.deliver()
        assert post.caller.calls == []
        post.world.clock.instant = pacific(2026, 7, 2, 6)
        await post.deliver()
        (call,) = post.caller.calls
        assert (call.number, call.account, call.kind) == ("+12025550143", ACCOUNT, FAILED)
        assert call.not_after == pacific(2026, 7, 2, 14)
        assert "could not be paid" in call.script
        assert (await post.rows("channel, state, outcome"))[1] == ("PHONE_CALL", "SENT", "HTTP 202")

    async def test_a_call_that_is_late_for_its_hours_waits_for_the_next(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 13, 59)
        await post.announce(FAILED)
        post.world.clock.instant = pacific(2026, 7, 2, 14)
        await post.deliver()
        assert post.caller.calls == []
        assert (await post.rows("state, attempts"))[1] == ("QUEUED", 0)
        post.world.clock.instant = pacific(2026, 7, 3, 6)
        await post.deliver()
        assert len(post.caller.calls) == 1

    @pytest.mark.parametrize(
        ("answer", "state"),
        [
            (CallResult.TAKEN, "SENT"),
            (CallResult.REFUSED, "FAILED"),
            (CallResult.UNKNOWN, "UNKNOWN"),
            (CallResult.NOT_REACHED, "QUEUED"),
        ],
    )
    async def test_each_answer_has_its_state_and_only_what_never_arrived_is_tried_again(self, post, answer, state):
        post.caller.answer = CallAnswer(answer, "said")
        await post.announce(FAILED)
        await post.deliver()
        assert (await post.rows("state, outcome"))[1] == (state, "said")
        post.world.clock.instant += timedelta(minutes=5)
        await post.deliver()
        assert len(post.caller.calls) == (2 if state == "QUEUED" else 1)

    @pytest.mark.parametrize("kind", [FAILED, AlertKind.SUSPENSION_SCHEDULED, AlertKind.SUSPENDED])
    async def test_nobody_is_called_in_the_morning_about_what_was_paid_in_the_evening(self, post, kind):
        world = post.world
        await world.advance_to(pacific(2026, 7, 2, 3))  # 06:00 in New York
        await post.clear()
        await post.announce(kind)
        await post.deliver()
        await world.pay(139_00)
        world.clock.instant = pacific(2026, 7, 2, 6)
        await post.deliver()
        calls = [row for row in await post.rows("kind, channel, state, outcome") if row[:2] == (kind, "PHONE_CALL")]
        assert [row[2:] for row in calls] == [("FAILED", SETTLED)]
        assert await list_waiting(world.services, limit=9) == []
        assert kind not in {call.kind for call in post.caller.calls}

    async def test_nobody_is_spared_a_call_about_what_is_still_open(self, post):
        await post.world.advance_to(pacific(2026, 7, 2, 12))
        await post.clear()
        await post.announce(FAILED)
        await post.deliver()
        assert [call.kind for call in post.caller.calls] == [FAILED]

    async def test_a_system_that_is_never_reached_is_given_up(self, post):
        post.caller.answer = CallAnswer(CallResult.NOT_REACHED, "refused")
        await post.announce(FAILED)
        for _ in range(MOST_ATTEMPTS):
            await post.deliver()
            post.world.clock.instant += timedelta(days=1)
        assert (await post.rows("state, outcome"))[1] == ("FAILED", "Given up: refused")

    async def test_without_a_system_a_call_fails_and_says_what_is_missing(self, post):
        post.caller = None
        await post.announce(FAILED)
        await post.deliver()
        assert "FLEX_CALLS_WEBHOOK_URL" in (await post.rows("outcome"))[1][0]

    async def test_a_call_in_the_hands_of_a_dead_worker_goes_to_a_person(self, post):
        await post.announce(FAILED)
        await claim(post, Channel.PHONE_CALL)
        post.world.real_clock.instant += LEASE + timedelta(seconds=1)
        await post.deliver()
        await post.deliver()
        assert post.caller.calls == []
        assert (await post.rows("state"))[1] == ("UNKNOWN",)

    async def test_a_report_settles_a_call_and_is_in_the_trail(self, post):
        post.caller.answer = CallAnswer(CallResult.UNKNOWN, "timed out")
        await post.announce(FAILED)
        await post.deliver()
        call_id = (await post.rows("id"))[1][0]
        await report(post, call_id, CallOutcome.NO_ANSWER)
        await report(post, call_id, CallOutcome.ANSWERED)
        assert (await post.rows("state, call_outcome, outcome"))[1] == ("SENT", "ANSWERED", "spoke to Carla")
        assert [event.kind for event in await post.world.trail()][-2:] == ["call.reported", "call.reported"]

    async def test_what_was_not_handed_over_cannot_be_reported(self, post):
        post.world.clock.instant = pacific(2026, 7, 2, 3)
        await post.announce(FAILED)
        mail_id, call_id = (row[0] for row in await post.rows("id"))
        for unknown in (mail_id, call_id, "ntf_nobody"):
            with pytest.raises(CallUnknown):
                await report(post, unknown, CallOutcome.ANSWERED)

    async def test_two_contacts_of_one_number_are_called_once(self, post):
        await post.add_contact(name="Same office", channels=frozenset({Channel.PHONE_CALL}))
        await post.announce(FAILED)
        assert [row[1] for row in await post.rows() if row[0] == FAILED] == ["EMAIL", "PHONE_CALL"]

    async def test_a_contact_who_takes_both_gets_both(self, post):
        await post.add_contact(
            name="Both",
            email="both@example.com",
            phone="+12025550144",
            channels=frozenset(Channel),
            hours=CallingHours("Asia/Tokyo", time(9), time(10)),
        )
        await post.announce(FAILED)
        assert [row[1] for row in await post.rows() if row[0] == FAILED] == [
            "EMAIL",
            "PHONE_CALL",
            "EMAIL",
            "PHONE_CALL",
        ]


async def refusing_addresses(world: World) -> int:
    return await unit_of_work.read(world.database, lambda uow: uow.mail_addresses.count_refusing())


async def break_facts(post: Post) -> None:
    async def work(uow):
        await uow.session.exec(text("""UPDATE notification SET facts = '{"unheard": 1}'"""))

    await unit_of_work.write(post.world.database, work)


async def claim(post: Post, channel: Channel):
    now, real_now = post.world.clock.now(), post.world.real_clock.now()
    return await unit_of_work.write(
        post.world.database,
        lambda uow: uow.notifications.claim(channel, now=now, real_now=real_now, lease_until=real_now + LEASE, limit=1),
    )


async def report(post: Post, call_id: str, outcome: CallOutcome) -> None:
    await report_call(post.world.services, call_id=call_id, outcome=outcome, note="spoke to Carla", actor="key:ops")
