"""An address hears nothing but one question until it has agreed: asking, asking again, and the answer (rule 41)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.accounts import Role
from app.domain.announcements import ConfirmationAsked, ContactGone, write_facts
from app.domain.confirmations import (
    CHANGES,
    CONFIRMATION,
    CONFIRMATIONS,
    LINK_LIVES,
    REMOVAL,
    ContactAddress,
    NothingToConfirm,
    address_key,
    check_request,
)
from app.domain.contacts import Channel, ConfirmationState
from app.domain.events.messages import ContactConfirmed, ContactDeclined
from app.domain.periods import billing_date
from app.repositories import unit_of_work
from app.repositories.notifications import Message

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.contacts import PaymentContact
    from app.domain.limits import Limit
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

UNCONFIRMED = ConfirmationState.UNCONFIRMED
CONFIRMED = ConfirmationState.CONFIRMED
DECLINED = ConfirmationState.DECLINED


class TooOften(ValueError):
    """Something was done as often as it may be; `retry_at` is when it may be done again."""

    def __init__(self, message: str, retry_at: datetime) -> None:
        super().__init__(message)
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether the holder of an address agrees to hear from an account; `actor` is for the audit log."""

    account_id: str
    channel: Channel
    address: str
    agrees: bool
    actor: str


async def count_change(uow: UnitOfWork, account_id: str, now: datetime) -> None:
    """Count that an account's contacts are changed.

    :raises TooOften: after ten changes in an hour, or thirty in a day.
    """
    uses = [(limit, account_id) for limit in CHANGES]
    await _spend(uow, uses, now, "The payment contacts were changed many times. Try again later.")


async def ask_new_addresses(uow: UnitOfWork, ids: Ids, contact: PaymentContact, now: datetime) -> PaymentContact:
    """Return a contact with the states of its addresses, and ask those that are in use and were never asked.

    An admin's own address comes from SAS Flex and needs no question. The caller is the account's only writer.
    :raises TooOften: when an address was asked five times within a day, by whatever accounts.
    """
    states: dict[Channel, ConfirmationState | None] = dict.fromkeys(Channel)
    for channel in Channel:
        address = contact.details.address(channel)
        if address is None:
            continue
        known = await _known(uow, contact.account_id, channel, address)
        is_in_use = contact.details.address_in_use(channel) is not None
        if is_in_use and known.state is UNCONFIRMED and not known.requests:
            await _ask(uow, ids, contact, known, now)
        states[channel] = known.state
    return replace(contact, email_state=states[Channel.EMAIL], phone_state=states[Channel.PHONE_CALL])


async def ask_again(uow: UnitOfWork, ids: Ids, contact: PaymentContact, channel: Channel, now: datetime) -> None:
    """Ask once more for an answer that has not come.

    :raises NothingToConfirm: when the contact is not reached so, or its address has answered.
    :raises ConfirmationsUsedUp: after the first question and two more.
    :raises AskedTooSoon: less than 24 hours after the last one.
    :raises TooOften: when the address was asked five times within a day, by whatever accounts.
    """
    address = contact.details.address_in_use(channel)
    if address is None:
        raise NothingToConfirm
    known = await _known(uow, contact.account_id, channel, address)
    if known.state is not UNCONFIRMED:
        raise NothingToConfirm
    check_request(known, now)
    await _ask(uow, ids, contact, known, now)


async def say_goodbye(uow: UnitOfWork, ids: Ids, contact: PaymentContact, now: datetime) -> None:
    """Tell whoever is behind a contact's e-mail that it is no contact's any more: once a day, and only if it agreed."""
    address = contact.details.email
    if address is None or contact.email_state is not CONFIRMED:
        return
    others = await uow.contacts.list_for_account(contact.account_id)
    if any(address_key(other.details.email or "") == address_key(address) for other in others):
        return
    key = f"{REMOVAL}:{contact.account_id}:{address_key(address)}:{billing_date(now)}"
    facts = write_facts(REMOVAL, ContactGone(billing_date(now)))
    message = Message(
        id=ids.new("ntf"),
        account_id=contact.account_id,
        kind=REMOVAL,
        channel=Channel.EMAIL,
        user_id=None,
        contact_id=None,
        recipient=contact.details.name,
        address=address,
        dedupe_key=key,
        facts=facts,
        created_at=now,
        next_action_at=now,
    )
    await uow.notifications.add_many([message])


async def find_state(services: Services, *, account_id: str, address: str) -> tuple[str, ConfirmationState]:
    """Return the name of an account, and what an e-mail address that it has asked has answered so far."""

    async def find(uow: UnitOfWork) -> tuple[str, ConfirmationState]:
        owner = await uow.accounts.get(account_id)
        known = await uow.contact_addresses.find(account_id, Channel.EMAIL, address)
        return owner.name, UNCONFIRMED if known is None else known.state

    return await unit_of_work.read(services.database, find)


async def record_answer(services: Services, answer: Answer) -> None:
    """Store an answer; the same one again changes nothing."""

    async def work(uow: UnitOfWork) -> None:
        await uow.accounts.get(answer.account_id, lock=True)
        await apply_answer(uow, services.ids, answer, services.clock.now())

    await unit_of_work.write(services.database, work)


async def apply_answer(uow: UnitOfWork, ids: Ids, answer: Answer, now: datetime) -> None:
    """Store an answer in the caller's transaction; who declines is not even sent what waits."""
    known = await _known(uow, answer.account_id, answer.channel, answer.address)
    state = CONFIRMED if answer.agrees else DECLINED
    if known.state is state:
        return
    await uow.contact_addresses.save(replace(known, state=state, answered_at=now))
    if not answer.agrees:
        await uow.recipients.drop_for_address(answer.account_id, answer.channel, known.key, at=now)
    kind = ContactConfirmed if answer.agrees else ContactDeclined
    await uow.events.record(
        kind(address=answer.address),
        ids=ids,
        actor=answer.actor,
        at=now,
        account_id=answer.account_id,
        subject_id=answer.account_id,
    )


async def _known(uow: UnitOfWork, account_id: str, channel: Channel, address: str) -> ContactAddress:
    """Return what is known of an address; of a new one, whether it is an admin's."""
    known = await uow.contact_addresses.find(account_id, channel, address)
    if known is not None:
        return known
    key = address_key(address)
    members = await uow.users.members(account_id) if channel is Channel.EMAIL else []
    is_own = any(role is Role.ADMIN and address_key(user.email) == key for user, role in members)
    new = ContactAddress(account_id, channel, key, CONFIRMED if is_own else UNCONFIRMED)
    await uow.contact_addresses.save(new)
    return new


async def _ask(uow: UnitOfWork, ids: Ids, contact: PaymentContact, known: ContactAddress, now: datetime) -> None:
    """Queue the question: nothing in it comes from whoever added the contact."""
    await _spend(uow, [(CONFIRMATIONS, known.key)], now, "This address was asked to confirm many times. Try later.")
    await uow.contact_addresses.save(replace(known, requests=known.requests + 1, requested_at=now))
    is_mail, message_id = known.channel is Channel.EMAIL, ids.new("ntf")
    message = Message(
        id=message_id,
        account_id=contact.account_id,
        kind=CONFIRMATION,
        channel=known.channel,
        user_id=None,
        contact_id=None if is_mail else contact.id,
        recipient="",
        address=contact.details.address(known.channel) or "",
        dedupe_key=f"{CONFIRMATION}:{message_id}",
        facts=write_facts(CONFIRMATION, ConfirmationAsked(billing_date(now + LINK_LIVES))),
        created_at=now,
        next_action_at=now if is_mail else contact.details.hours.next_open(now),
    )
    await uow.notifications.add_many([message])


async def _spend(uow: UnitOfWork, uses: Sequence[tuple[Limit, str]], now: datetime, message: str) -> None:
    retry_at = await uow.limits.spend(uses, now=now)
    if retry_at is not None:
        raise TooOften(message, retry_at)
