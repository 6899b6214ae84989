"""Payment contacts: an admin adds, changes and removes them; the others and the audit log are told (rule 39)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from email_validator import EmailNotValidError, validate_email

from app.domain.alerts import AlertKind
from app.domain.announcements import Change, ContactChanged
from app.domain.contacts import (
    MOST_CONTACTS,
    Channel,
    InvalidContact,
    PaymentContact,
    TooManyContacts,
    changed_fields,
    check_details,
)
from app.domain.events.messages import (
    ContactRequested,
    PaymentContactAdded,
    PaymentContactChanged,
    PaymentContactRemoved,
)
from app.repositories import unit_of_work
from app.services.notifications.announce import Announcement, actor_name, announce
from app.services.notifications.confirmations import ask_again, ask_new_addresses, count_change, say_goodbye
from app.services.notifications.phone_numbers import read_phone
from app.services.notifications.typed_names import check_typed_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.contacts import ContactDetails
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

_EVENTS = {
    Change.ADDED: PaymentContactAdded,
    Change.CHANGED: PaymentContactChanged,
    Change.REMOVED: PaymentContactRemoved,
}


class ContactNotFound(LookupError):
    """The account has no such payment contact."""

    def __init__(self, contact_id: str) -> None:
        super().__init__("There is no such payment contact. Load the list again.")
        self.contact_id = contact_id


@dataclass(frozen=True, slots=True)
class _ContactChange:
    """What was done with a contact; `fields` are those that are new."""

    contact: PaymentContact
    change: Change
    fields: tuple[str, ...] = ()


async def add_contact(services: Services, caller: Caller, details: ContactDetails) -> str:
    """Add a contact and return its id.

    Its addresses are asked to confirm, and hear nothing else until they have (rule 41).
    :raises InvalidContact: naming the field to correct.
    :raises TooManyContacts: when the account has ten.
    :raises TooOften: when contacts were changed, or an address was asked, as often as may be.
    """
    checked = await asyncio.to_thread(check_contact, details, services.phone_regions, mails_utf8=services.mails_utf8)

    async def work(uow: UnitOfWork) -> str:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        if len(await uow.contacts.list_for_account(owner.id)) >= MOST_CONTACTS:
            raise TooManyContacts
        now = services.clock.now()
        await count_change(uow, owner.id, now)
        contact = PaymentContact(services.ids.new("pct"), owner.id, checked)
        await uow.contacts.add(contact, created_at=now)
        await uow.contacts.save(await ask_new_addresses(uow, services.ids, contact, now))
        await _tell(uow, services, caller, _ContactChange(contact, Change.ADDED), now)
        return contact.id

    return await unit_of_work.write(services.database, work)


async def update_contact(services: Services, caller: Caller, contact_id: str, details: ContactDetails) -> None:
    """Give a contact a new description. The same one changes nothing.

    A new address is asked to confirm; what waits for the contact goes there if it has confirmed before, or nowhere.
    :raises InvalidContact: naming the field to correct.
    :raises ContactNotFound: when the account has no such contact.
    :raises TooOften: when contacts were changed, or an address was asked, as often as may be.
    """
    checked = await asyncio.to_thread(check_contact, details, services.phone_regions, mails_utf8=services.mails_utf8)

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        before = await _find(uow, owner, contact_id)
        changed = changed_fields(before.details, checked)
        if not changed:
            return
        now = services.clock.now()
        await count_change(uow, owner.id, now)
        after = replace(before, details=checked)
        await uow.contacts.save(after)
        after = await ask_new_addresses(uow, services.ids, after, now)
        await uow.contacts.save(after)
        await _redirect(uow, after, now)
        if "email" in changed:
            await say_goodbye(uow, services.ids, before, now)
        await _tell(uow, services, caller, _ContactChange(after, Change.CHANGED, changed), now)

    await unit_of_work.write(services.database, work)


async def remove_contact(services: Services, caller: Caller, contact_id: str) -> None:
    """Remove a contact; what waits for it is not sent any more. If it had confirmed its e-mail, it is told.

    :raises ContactNotFound: when the account has no such contact.
    :raises TooOften: when contacts were changed as often as may be.
    """

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        contact = await _find(uow, owner, contact_id)
        now = services.clock.now()
        await count_change(uow, owner.id, now)
        await uow.contacts.remove(contact, removed_at=now)
        await uow.recipients.drop_for_contact(contact.id, at=now)
        await say_goodbye(uow, services.ids, contact, now)
        await _tell(uow, services, caller, _ContactChange(contact, Change.REMOVED), now)

    await unit_of_work.write(services.database, work)


async def resend_confirmation(services: Services, caller: Caller, contact_id: str, channel: Channel) -> None:
    """Ask a contact's address once more to confirm: twice at most, a day apart (rule 41).

    :raises ContactNotFound: when the account has no such contact.
    :raises NothingToConfirm: when the contact is not reached so, or its address has answered.
    :raises ConfirmationsUsedUp: when it was asked again twice.
    :raises AskedTooSoon: less than 24 hours after it was last asked.
    :raises TooOften: when the address was asked as often as may be, by whatever accounts.
    """

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        contact, now = await _find(uow, owner, contact_id), services.clock.now()
        await ask_again(uow, services.ids, contact, channel, now)
        await uow.events.record(
            ContactRequested(address=contact.details.address(channel) or ""),
            ids=services.ids,
            actor=caller.actor,
            at=now,
            account_id=owner.id,
            subject_id=contact.id,
            request_id=caller.request_id,
        )

    await unit_of_work.write(services.database, work)


def check_contact(details: ContactDetails, phone_regions: Sequence[str], *, mails_utf8: bool = False) -> ContactDetails:
    """Return the description with address and number in their normal form; `mails_utf8` as for `read_email`.

    :raises InvalidContact: naming the field to correct.
    """
    tidied = replace(
        details,
        name=" ".join(details.name.split()) if details.name.isprintable() else details.name,
        title=details.title.strip(),
        email=read_email(details.email, mails_utf8=mails_utf8) if details.email else None,
        phone=read_phone(details.phone, phone_regions) if details.phone else None,
    )
    check_details(tidied)
    check_typed_name("name", tidied.name)
    check_typed_name("title", tidied.title)
    return tidied


def read_email(text: str, *, mails_utf8: bool = False) -> str:
    """Return an e-mail address in its normal form: an international domain as it is typed.

    What stands before the @ is ASCII, unless `mails_utf8`: other mail servers could not send there.
    :raises InvalidContact: when it is none.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False, allow_smtputf8=mails_utf8).normalized
    except EmailNotValidError as error:
        raise InvalidContact("email", f"This is not an e-mail address. {error}") from None


async def _find(uow: UnitOfWork, owner: Account, contact_id: str) -> PaymentContact:
    contact = await uow.contacts.find(owner.id, contact_id)
    if contact is None:
        raise ContactNotFound(contact_id)
    return contact


async def _redirect(uow: UnitOfWork, contact: PaymentContact, now: datetime) -> None:
    """Let what waits follow the contact to an address that has confirmed, or give it up."""
    for channel in Channel:
        address = contact.confirmed_address(channel)
        if address is None:
            await uow.recipients.drop_for_contact(contact.id, at=now, channel=channel)
        else:
            recipient = contact.details.name
            await uow.recipients.readdress_contact(contact.id, channel, recipient=recipient, address=address)


async def _tell(uow: UnitOfWork, services: Services, caller: Caller, done: _ContactChange, now: datetime) -> None:
    contact, change, fields = done.contact, done.change, done.fields
    event_id = await uow.events.record(
        _EVENTS[change](contact=contact.details.name, fields=fields),
        ids=services.ids,
        actor=caller.actor,
        at=now,
        account_id=contact.account_id,
        subject_id=contact.id,
        request_id=caller.request_id,
    )
    facts = ContactChanged(contact.details.name, change, fields, await actor_name(uow, caller.actor))
    told = Announcement(AlertKind.CONTACT_CHANGED, contact.account_id, event_id, facts, about_contact=contact.id)
    await announce(uow, ids=services.ids, now=now, announcements=[told])
