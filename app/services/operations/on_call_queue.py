"""The on-call queue: what waits for an operator, and how it is retried, dismissed or settled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import Role
from app.domain.collection import CollectionStatus, request_collection_attempt
from app.domain.confirmations import ABOUT_ADDRESSES
from app.domain.events.messages import MessageQueuedAgain
from app.domain.events.operations import WebhookEventDismissed, WebhookEventReopened
from app.domain.events.payments import CollectionResumed
from app.domain.refunds import WebhookEventState
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_staff
from app.services.operations.operations_alerts import FAILED_WITHIN, UNKNOWN_FOR

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.events.event import Event
    from app.repositories.notifications import Message
    from app.repositories.on_call_queue import Waiting
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class NothingWaits(LookupError):
    """Nothing of that id waits for a person, or it cannot be settled in this way."""

    def __init__(self, waiting_id: str) -> None:
        super().__init__(
            f"Nothing waits as {waiting_id!r} that could be settled so. `flex-billing queue list` shows what does."
        )
        self.waiting_id = waiting_id


class RecipientGone(ValueError):
    """Whoever the message was for is not told of it any more."""

    def __init__(self, message_id: str) -> None:
        super().__init__(f"Whoever {message_id!r} was for is no admin or confirmed contact any more.")
        self.message_id = message_id


async def list_waiting(services: Services, *, limit: int) -> list[Waiting]:
    """Return what waits for a person, up to `limit` of each kind."""
    now = services.clock.now()
    return await unit_of_work.read(
        services.database,
        lambda uow: uow.on_call_queue.list_waiting(
            sent_before=now - UNKNOWN_FOR, failed_since=now - FAILED_WITHIN, limit=limit
        ),
    )


async def try_again(services: Services, *, waiting_id: str, actor: str, reason: str) -> None:
    """Let something go on that was stopped: the collecting of an invoice, by its number, a notice, or a message.

    The server does the rest. A phone call whose outcome is unknown is never made again.
    :raises NothingWaits: when nothing of that id waits.
    :raises RecipientGone: when nobody is there to be told.
    """
    check_staff(actor, reason)

    async def work(uow: UnitOfWork) -> None:
        now = services.clock.now()
        event, account_id, subject_id = await _let_go_on(uow, waiting_id, now, reason)
        await uow.events.record(
            event, ids=services.ids, actor=actor, at=now, account_id=account_id, subject_id=subject_id
        )

    await unit_of_work.write(services.database, work)


async def dismiss_webhook_event(services: Services, *, waiting_id: str, actor: str, reason: str) -> None:
    """Decide that a notice in quarantine is nothing of ours; it is kept, with the reason.

    :raises NothingWaits: when no notice of that id is in quarantine.
    """
    check_staff(actor, reason)

    async def work(uow: UnitOfWork) -> None:
        now, was = services.clock.now(), WebhookEventState.QUARANTINED
        if not await uow.webhook_events.close(
            waiting_id, WebhookEventState.DONE, at=now, reason=f"dismissed: {reason}", was=was
        ):
            raise NothingWaits(waiting_id)
        await uow.events.record(
            WebhookEventDismissed(reason=reason), ids=services.ids, actor=actor, at=now, subject_id=waiting_id
        )

    await unit_of_work.write(services.database, work)


async def _let_go_on(uow: UnitOfWork, waiting_id: str, now: datetime, reason: str) -> tuple[Event, str | None, str]:
    """Let it go on, and return what the audit log says: the event, whose it is, and what it is about."""
    if waiting_id.isdecimal():
        return await _collect_again(uow, int(waiting_id), now, reason)
    if await uow.webhook_events.reopen(waiting_id):
        return WebhookEventReopened(reason=reason), None, waiting_id
    message = await uow.notifications.find_failed(waiting_id)
    if message is None:
        raise NothingWaits(waiting_id)
    recipient, address = await _addressee(uow, message)
    await uow.notifications.queue_again(message, recipient=recipient, address=address, at=now)
    return MessageQueuedAgain(sent_to=address, reason=reason), message.account_id, message.id


async def _collect_again(uow: UnitOfWork, number: int, now: datetime, reason: str) -> tuple[Event, str, str]:
    invoice = await uow.invoices.find_by_number(number)
    if invoice is None:
        raise NothingWaits(str(number))
    await uow.accounts.get(invoice.account_id, lock=True)
    collection = await uow.collections.find(invoice.id)
    if collection is None or collection.status is not CollectionStatus.PARKED:
        raise NothingWaits(str(number))
    await uow.collections.save(None, collection, request_collection_attempt(now) | {"note": None})
    return CollectionResumed(number=number, reason=reason), invoice.account_id, invoice.id


async def _addressee(uow: UnitOfWork, message: Message) -> tuple[str, str]:
    """Return name and address of a message's recipient as they are today."""
    if message.account_id is None or message.kind in ABOUT_ADDRESSES:
        return message.recipient, message.address
    if message.contact_id is not None:
        contact = await uow.contacts.find(message.account_id, message.contact_id)
        address = None if contact is None else contact.confirmed_address(message.channel)
        if contact is not None and address is not None:
            return contact.details.name, address
    for user, role in await uow.users.members(message.account_id):
        if user.id == message.user_id and (role is Role.ADMIN or message.facts.get("is_asked_for")):
            return user.name, user.email
    raise RecipientGone(message.id)
