"""Delivering is killed with -9 between send and mark: no mail is lost, one at most comes twice, no call is repeated."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections import Counter
from datetime import timedelta

import pytest

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.services.notifications.deliver_messages import LEASE, deliver_messages
from tests.fakes.call_system import running_call_system
from tests.fakes.mail_server import running_mail_server
from tests.scenarios import delivery as process
from tests.services.post import Post
from tests.world import World

MAILS = 23
PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([process.__name__])


async def kill(world: World, step: str, after: int, mail_port: int, call_port: int) -> None:
    """Run the delivery in a process that dies; its lease begins at the world's real time."""
    url = f"sqlite:///{world.database._url.database}"
    arguments = (step, after, url, world.clock.now(), world.real_clock.now(), mail_port, call_port)
    child = PROCESSES.Process(target=process.run_and_die, args=arguments)
    child.start()
    await asyncio.to_thread(child.join)
    assert child.exitcode == -signal.SIGKILL
    child.close()


async def deliver(world: World, mail_port: int, call_port: int) -> None:
    now, real_now = world.clock.now(), world.real_clock.now()
    await deliver_messages(process.delivery(world.database, now, real_now, mail_port, call_port))


@pytest.fixture
async def post(world: World) -> Post:
    await world.add_account()
    return Post(world)


class TestMail:
    @pytest.mark.parametrize("after", [0, 4, 11])
    async def test_killed_between_send_and_mark_one_mail_comes_twice_under_its_old_id(self, post, after):
        for at in range(MAILS):
            await post.announce(AlertKind.INVOICE_READY, subject=f"inv_{at}", number=100_001 + at)
        async with running_mail_server() as mail, running_call_system() as calls:
            await kill(post.world, "_record_mail", after, mail.port, calls.port)
            assert len(mail.mails) == after + 1
            post.world.real_clock.instant += LEASE + timedelta(seconds=1)
            await deliver(post.world, mail.port, calls.port)
        came = Counter(str(one["Subject"]) for one in mail.mails)
        assert len(came) == MAILS
        assert sorted(came.values(), reverse=True)[:2] == [2, 1]
        twice = [one for one in mail.mails if came[str(one["Subject"])] == 2]
        assert len({one["Message-ID"] for one in twice}) == 1
        assert {row[0] for row in await post.rows("state")} == {"SENT"}

    async def test_killed_before_the_first_send_nothing_comes_twice(self, post):
        await post.announce(AlertKind.INVOICE_READY)
        async with running_mail_server() as mail, running_call_system() as calls:
            await kill(post.world, "_send_batch", 0, mail.port, calls.port)
            post.world.real_clock.instant += LEASE + timedelta(seconds=1)
            await deliver(post.world, mail.port, calls.port)
        assert len(mail.mails) == 1

    async def test_what_a_dead_process_was_sending_is_taken_over_when_its_lease_ends_and_not_before(self, post):
        await post.announce(AlertKind.INVOICE_READY)
        async with running_mail_server() as mail, running_call_system() as calls:
            await kill(post.world, "_send_batch", 0, mail.port, calls.port)
            post.world.real_clock.instant += LEASE - timedelta(seconds=1)
            await deliver(post.world, mail.port, calls.port)
            assert (len(mail.mails), await post.rows("state, lease_epoch")) == (0, [("SENDING", 1)])
            post.world.real_clock.instant += timedelta(seconds=2)
            await deliver(post.world, mail.port, calls.port)
        assert (len(mail.mails), await post.rows("state, lease_epoch")) == (1, [("SENT", 2)])

    async def test_a_server_that_accepts_and_is_gone_gets_the_mail_again(self, post):
        await post.announce(AlertKind.INVOICE_READY)
        async with running_mail_server(accepts_and_drops=True) as mail, running_call_system() as calls:
            with pytest.raises(ConnectionError):
                await deliver(post.world, mail.port, calls.port)
            mail.accepts_and_drops = False
            post.world.clock.instant += timedelta(minutes=2)
            await deliver(post.world, mail.port, calls.port)
        assert len({one["Message-ID"] for one in mail.mails}) == 1
        assert {row[0] for row in await post.rows("state")} == {"SENT"}

    async def test_every_mail_comes_from_us(self, post):
        told = set(AlertKind) - {AlertKind.SUSPENSION_SCHEDULED, AlertKind.SUSPENDED}  # nothing is suspended here
        for kind in told:
            await post.announce(kind)
        async with running_mail_server() as mail, running_call_system() as calls:
            await deliver(post.world, mail.port, calls.port)
        assert len(mail.mails) == len(told)
        assert set(mail.senders) == {"notifications@sasdesk.com"}
        assert {one["From"].addresses[0].addr_spec for one in mail.mails} == {"notifications@sasdesk.com"}


class TestCalls:
    """Nobody gets two night calls."""

    @pytest.mark.parametrize(("step", "handed_over"), [("_store", 1), ("_deliver_call", 0)])
    async def test_killed_around_the_hand_over_a_call_goes_to_a_person(self, post, step, handed_over):
        await post.add_contact(channels=frozenset({Channel.PHONE_CALL}))
        await post.announce(AlertKind.PAYMENT_FAILED)
        async with running_mail_server() as mail, running_call_system() as calls:
            await kill(post.world, step, 0, mail.port, calls.port)
            assert len(calls.requests) == handed_over
            for _ in range(3):
                post.world.real_clock.instant += LEASE + timedelta(seconds=1)
                post.world.clock.instant += timedelta(hours=1)
                await deliver(post.world, mail.port, calls.port)
        assert len(calls.requests) == handed_over
        assert (await post.rows("state"))[1] == ("UNKNOWN",)
