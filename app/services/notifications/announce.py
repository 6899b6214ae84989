"""The one way to tell people something: called inside a transaction, it queues a message for everybody concerned."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.alerts import CATALOGUE, AlertKind
from app.domain.announcements import write_facts
from app.domain.contacts import Channel
from app.repositories.notifications import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from app.domain.announcements import Facts
    from app.domain.contacts import PaymentContact
    from app.ports import Ids
    from app.repositories.alerts import Admin
    from app.repositories.unit_of_work import UnitOfWork

_USER, _STAFF = "user:", "staff:"


@dataclass(frozen=True, slots=True)
class Announcement:
    """What happened to an account. `subject` (an invoice's id, say) with the kind names it for ever.

    `about_contact` is a contact who is not told, for it is about themselves.
    """

    kind: AlertKind
    account_id: str
    subject: str
    facts: Facts
    about_contact: str | None = None


async def announce(uow: UnitOfWork, *, ids: Ids, now: datetime, announcements: Sequence[Announcement]) -> int:
    """Queue a message to every admin who has the kind switched on and every contact who has it (rules 37, 39).

    A contact is told where it has confirmed, and nowhere else (rule 41).
    In the caller's transaction: what is rolled back is never told, and the same announcement twice is told once.
    Returns how many messages are new.
    """
    if not announcements:
        return 0
    accounts = {announcement.account_id for announcement in announcements}
    kinds = {announcement.kind for announcement in announcements}
    admins: defaultdict[tuple[str, AlertKind], list[Admin]] = defaultdict(list)
    for kind, admin in await uow.alerts.admins(kinds, accounts):
        admins[admin.account_id, kind].append(admin)
    contacts: defaultdict[tuple[str, AlertKind], list[PaymentContact]] = defaultdict(list)
    if any(CATALOGUE[kind].reaches_contacts for kind in kinds):
        for contact in await uow.alerts.contacts(accounts):
            for kind in contact.details.kinds & kinds:
                contacts[contact.account_id, kind].append(contact)
    messages: list[Message] = []
    for told in announcements:
        key = told.account_id, told.kind
        messages += _messages(told, admins[key], contacts[key], ids, now)
    return await uow.notifications.add_many(messages)


async def actor_name(uow: UnitOfWork, actor: str) -> str:
    """Return who did something, as a message to the account names them."""
    if actor.startswith(_USER):
        return await uow.users.find_name(actor.removeprefix(_USER)) or "a former user"
    return "our staff" if actor.startswith(_STAFF) else "SAS Flex"


def message_to_admin(announcement: Announcement, admin: Admin, message_id: str, now: datetime) -> Message:
    """Return the mail that tells an admin."""
    return Message(
        id=message_id,
        account_id=announcement.account_id,
        kind=announcement.kind,
        channel=Channel.EMAIL,
        user_id=admin.user_id,
        contact_id=None,
        recipient=admin.name,
        address=admin.email,
        dedupe_key=_key(announcement, admin.user_id, Channel.EMAIL),
        facts=write_facts(announcement.kind, announcement.facts),
        created_at=now,
        next_action_at=now,
    )


def message_to_contact(
    announcement: Announcement, contact: PaymentContact, channel: Channel, message_id: str, now: datetime
) -> Message:
    """Return the mail to a contact, or the call, which waits for the contact's hours (rule 39)."""
    details = contact.details
    is_mail = channel is Channel.EMAIL
    return Message(
        id=message_id,
        account_id=announcement.account_id,
        kind=announcement.kind,
        channel=channel,
        user_id=None,
        contact_id=contact.id,
        recipient=details.name,
        address=details.address(channel) or "",
        dedupe_key=_key(announcement, contact.id, channel),
        facts=write_facts(announcement.kind, announcement.facts),
        created_at=now,
        next_action_at=now if is_mail else details.hours.next_open(now),
    )


def _messages(
    announcement: Announcement,
    admins: Sequence[Admin],
    contacts: Sequence[PaymentContact],
    ids: Ids,
    now: datetime,
) -> Iterator[Message]:
    told = {admin.email.casefold() for admin in admins}
    for admin in admins:
        yield message_to_admin(announcement, admin, ids.new("ntf"), now)
    for contact in contacts:
        if contact.id == announcement.about_contact:
            continue
        for channel in Channel:
            address = contact.confirmed_address(channel)
            if address is not None and address.casefold() not in told:
                told.add(address.casefold())
                yield message_to_contact(announcement, contact, channel, ids.new("ntf"), now)


def subject_of(message: Message) -> list[str]:
    """Return the parts of the subject that a message was announced with."""
    return message.dedupe_key.split(":")[1:-2]


def _key(announcement: Announcement, recipient_id: str, channel: Channel) -> str:
    return f"{announcement.kind}:{announcement.subject}:{recipient_id}:{channel}"
