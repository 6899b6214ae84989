"""Takes messages from the outbox to their people: a mail at least once, a phone call at most once.

Each step is a transaction of its own: take a message under a lease, hand it over, store its outcome. Whoever dies
in between leaves a lease that runs out: a mail is then sent again under its old Message-ID; a call goes to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog

from app.domain.contacts import Channel
from app.domain.deliveries import (
    CallAnswer,
    CallResult,
    CallTask,
    DeliveryState,
    Mail,
    MailAnswer,
    MailResult,
    is_given_up,
    pause_after,
)
from app.messages.compose import Addressee
from app.repositories import unit_of_work
from app.services.notifications.call_limits import check_call
from app.services.notifications.still_true import why_not_sent, with_facts_of_now

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from app.messages.compose import Composer
    from app.ports import Mailer, MailSession, PhoneCaller
    from app.repositories.notifications import Claimed
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.notifications.confirmation_links import ConfirmationLinks
    from app.services.notifications.unsubscribe_links import UnsubscribeLinks

log = structlog.get_logger("messages")

BATCH_SIZE = 10
MOST_IN_A_ROUND = 500
LEASE = timedelta(minutes=6)
"""Longer than a batch of mails can take, each at its deadline."""

UNREACHABLE_PAUSE = timedelta(minutes=1)

NO_CALLER = "No system that makes phone calls is set up (FLEX_CALLS_WEBHOOK_URL)."
LOST_CALL = "The call may have been handed over when the program ended. Ask the operators before calling."


class MailServerUnreachable(ConnectionError):
    """The mail server takes nothing at present; what waits is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What delivering works with."""

    services: Services
    mailer: Mailer
    caller: PhoneCaller | None
    composer: Composer
    links: UnsubscribeLinks
    confirmation_links: ConfirmationLinks


async def deliver_messages(delivery: Delivery, *, on_progress: Callable[[], None] | None = None) -> int:
    """Hand over what is due, calls first, and return how many messages were settled.

    :raises MailServerUnreachable: when mails have to wait for their server.
    """
    settled = await _deliver_calls(delivery)
    if not await _has_due(delivery, Channel.EMAIL):
        return settled
    async with delivery.mailer.session() as session:
        while settled < MOST_IN_A_ROUND and (batch := await _claim(delivery, Channel.EMAIL, BATCH_SIZE)):
            settled += await _send_batch(delivery, session, batch)
            if on_progress is not None:
                on_progress()
    return settled


async def _has_due(delivery: Delivery, channel: Channel) -> bool:
    now, real_now = delivery.services.clock.now(), delivery.services.real_now()
    return await unit_of_work.read(
        delivery.services.database, lambda uow: uow.notifications.has_due(channel, now, real_now)
    )


async def _claim(delivery: Delivery, channel: Channel, limit: int) -> list[Claimed]:
    now, real_now = delivery.services.clock.now(), delivery.services.real_now()
    return await unit_of_work.write(
        delivery.services.database,
        lambda uow: uow.notifications.claim(
            channel, now=now, real_now=real_now, lease_until=real_now + LEASE, limit=limit
        ),
    )


async def _send_batch(delivery: Delivery, session: MailSession, batch: list[Claimed]) -> int:
    settled = 0
    for place, each in enumerate(batch):
        reason, claimed = await _look_again(delivery, each)
        if reason is not None:
            settled += await _store(delivery, claimed, DeliveryState.FAILED, delivery.services.clock.now(), reason)
            continue
        answer = await _send(delivery, session, claimed)
        settled += await _record_mail(delivery, claimed, answer)
        if answer.result is MailResult.UNREACHABLE:
            await _put_back(delivery, batch[place + 1 :])
            raise MailServerUnreachable(answer.detail)
    return settled


async def _look_again(delivery: Delivery, claimed: Claimed) -> tuple[str | None, Claimed]:
    """Return why a message is not to be sent any more, if so, and the message as it is true now.

    One that a fault of ours keeps from being looked at is sent as it was queued, and stops no other.
    """

    async def work(uow: UnitOfWork) -> tuple[str | None, Claimed]:
        reason = await why_not_sent(uow, claimed.message, delivery.services.clock.now())
        message = claimed.message if reason is not None else await with_facts_of_now(uow, claimed.message)
        return reason, replace(claimed, message=message)

    try:
        return await unit_of_work.read(delivery.services.database, work)
    except (LookupError, TypeError, ValueError) as error:
        log.warning("message not looked at again", message=claimed.message.id, error_type=type(error).__name__)
        return None, claimed


async def _send(delivery: Delivery, session: MailSession, claimed: Claimed) -> MailAnswer:
    """Send a mail; one that a fault of ours keeps from being worded waits as if refused for now, and stops no other."""
    try:
        mail = compose_mail(delivery, claimed)
    except Exception as error:  # noqa: BLE001 -- whatever is wrong with one message, the next ones go out
        return MailAnswer(MailResult.LATER, f"Not put into words: {type(error).__name__}")
    return await session.send(mail)


def compose_mail(delivery: Delivery, claimed: Claimed) -> Mail:
    """Return a message as a mail."""
    message = claimed.message
    link = delivery.links.link(message)
    words = delivery.composer.mail(
        message.kind,
        message.facts,
        _addressee(claimed),
        unsubscribe_url=link,
        confirmation_url=delivery.confirmation_links.link(message),
    )
    return Mail(
        id=message.id,
        to_name=message.recipient,
        to_address=message.address,
        subject=words.subject,
        text=words.text,
        html=words.html,
        written_at=message.created_at,
        unsubscribe_url=link,
    )


async def _record_mail(delivery: Delivery, claimed: Claimed, answer: MailAnswer) -> int:
    """Store a server's answer and return how many messages it settled."""
    now = delivery.services.clock.now()

    async def work(uow: UnitOfWork) -> int:
        outbox, address = uow.notifications, claimed.message.address
        match answer.result:
            case MailResult.ACCEPTED:
                await uow.mail_addresses.mark_accepting(address)
                await outbox.settle(claimed, DeliveryState.SENT, at=now, outcome=answer.detail)
            case MailResult.REFUSED:
                await uow.mail_addresses.mark_refusing(address, reason=answer.detail, refused_at=now)
                await outbox.settle(claimed, DeliveryState.FAILED, at=now, outcome=answer.detail)
            case MailResult.LATER | MailResult.UNREACHABLE if answer.counts and is_given_up(claimed.attempts):
                await outbox.settle(claimed, DeliveryState.FAILED, at=now, outcome=f"Given up: {answer.detail}")
            case MailResult.LATER:
                next_at = now + pause_after(claimed.attempts, claimed.message.id)
                await outbox.put_back(claimed, next_at=next_at, outcome=answer.detail, is_attempt=True)
                return 0
            case MailResult.UNREACHABLE:
                pause = pause_after(claimed.attempts, claimed.message.id) if answer.counts else UNREACHABLE_PAUSE
                await outbox.put_back(claimed, next_at=now + pause, outcome=answer.detail, is_attempt=answer.counts)
                return 0
        return 1

    return await unit_of_work.write(delivery.services.database, work)


async def _put_back(delivery: Delivery, batch: list[Claimed]) -> None:
    """Let mails wait that were taken and not tried."""
    now = delivery.services.clock.now()

    async def work(uow: UnitOfWork) -> None:
        for claimed in batch:
            await uow.notifications.put_back(claimed, next_at=now, outcome=None, is_attempt=False)

    await unit_of_work.write(delivery.services.database, work)


async def _deliver_calls(delivery: Delivery) -> int:
    """Hand over the calls that are due, one at a time; those whose worker died go to a person first."""
    settled = await _expire_calls(delivery)
    if not await _has_due(delivery, Channel.PHONE_CALL):
        return settled
    for _ in range(MOST_IN_A_ROUND):
        claimed = await _claim(delivery, Channel.PHONE_CALL, 1)
        if not claimed:
            break
        settled += await _deliver_call(delivery, claimed[0])
    return settled


async def _expire_calls(delivery: Delivery) -> int:
    now, real_now = delivery.services.clock.now(), delivery.services.real_now()
    is_lost = await unit_of_work.read(delivery.services.database, lambda uow: uow.notifications.has_lost_call(real_now))
    if not is_lost:
        return 0
    return await unit_of_work.write(
        delivery.services.database, lambda uow: uow.notifications.expire_calls(real_now, at=now, outcome=LOST_CALL)
    )


async def _deliver_call(delivery: Delivery, claimed: Claimed) -> int:
    """Hand over one call within its hours, and return how many calls that settled."""
    now = delivery.services.clock.now()
    opens_at = now if claimed.hours is None else claimed.hours.next_open(now)
    if opens_at > now:
        return await _store(delivery, claimed, None, opens_at, None)
    reason, claimed = await _look_again(delivery, claimed)
    if reason is not None:
        return await _store(delivery, claimed, DeliveryState.FAILED, now, reason)
    if delivery.caller is None:
        return await _store(delivery, claimed, DeliveryState.FAILED, now, NO_CALLER)
    hindrance = await check_call(delivery.services, claimed)
    if hindrance is not None:
        return await _store(delivery, claimed, DeliveryState.FAILED, now, hindrance)
    answer = await _hand_over(delivery, delivery.caller, claimed)
    state = _CALL_STATES.get(answer.result)
    if state is None and is_given_up(claimed.attempts):
        return await _store(delivery, claimed, DeliveryState.FAILED, now, f"Given up: {answer.detail}")
    next_at = now + pause_after(claimed.attempts, claimed.message.id)
    return await _store(delivery, claimed, state, next_at, answer.detail)


async def _hand_over(delivery: Delivery, caller: PhoneCaller, claimed: Claimed) -> CallAnswer:
    try:
        task = _call_task(delivery, claimed)
    except Exception as error:  # noqa: BLE001 -- as for a mail
        return CallAnswer(CallResult.NOT_REACHED, f"Not put into words: {type(error).__name__}")
    return await caller.hand_over(task)


async def _store(
    delivery: Delivery, claimed: Claimed, state: DeliveryState | None, next_at: datetime, outcome: str | None
) -> int:
    """Settle a message, or let it wait where there is no state; what was not tried has no outcome."""
    now = delivery.services.clock.now()

    async def work(uow: UnitOfWork) -> int:
        if state is None:
            is_attempt = outcome is not None
            await uow.notifications.put_back(claimed, next_at=next_at, outcome=outcome, is_attempt=is_attempt)
            return 0
        await uow.notifications.settle(claimed, state, at=now, outcome=outcome or "")
        return 1

    return await unit_of_work.write(delivery.services.database, work)


def _call_task(delivery: Delivery, claimed: Claimed) -> CallTask:
    message, now = claimed.message, delivery.services.clock.now()
    return CallTask(
        id=message.id,
        account=claimed.account_external_id,
        name=message.recipient,
        number=message.address,
        kind=message.kind,
        script=delivery.composer.script(message.kind, message.facts, _addressee(claimed)),
        not_before=now,
        not_after=now + timedelta(hours=1) if claimed.hours is None else claimed.hours.closes_after(now),
    )


def _addressee(claimed: Claimed) -> Addressee:
    message = claimed.message
    return Addressee(
        message.recipient, claimed.account_name, claimed.account_external_id, is_contact=message.contact_id is not None
    )


_CALL_STATES = {
    CallResult.TAKEN: DeliveryState.SENT,
    CallResult.REFUSED: DeliveryState.FAILED,
    CallResult.UNKNOWN: DeliveryState.UNKNOWN,
}
"""What an answer settles; a system that was not reached settles nothing."""
