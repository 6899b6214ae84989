"""Payment contacts: an admin adds, changes and removes them; the others and the audit log are told (rule 39)."""

from __future__ import annotations

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
from app.domain.events.messages import PaymentContactAdded, PaymentContactChanged, PaymentContactRemoved
from app.repositories import unit_of_work
from app.services.notifications.announce import Announcement, actor_name, announce
from app.services.notifications.typed_names import check_typed_name

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.contacts import ContactDetails
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

HOME_REGION = "US"
"""Where a phone number without a country code is."""

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

    :raises InvalidContact: naming the field to correct.
    :raises TooManyContacts: when the account has ten.
    """
    checked = check_contact(details)

    async def work(uow: UnitOfWork) -> str:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        if len(await uow.contacts.list_for_account(owner.id)) >= MOST_CONTACTS:
            raise TooManyContacts
        now = services.clock.now()
        contact = PaymentContact(services.ids.new("pct"), owner.id, checked)
        await uow.contacts.add(contact, created_at=now)
        await _tell(uow, services, caller, _ContactChange(contact, Change.ADDED), now)
        return contact.id

    return await unit_of_work.write(services.database, work)


async def update_contact(services: Services, caller: Caller, contact_id: str, details: ContactDetails) -> None:
    """Give a contact a new description; what waits for it goes to its new address. The same one changes nothing.

    :raises InvalidContact: naming the field to correct.
    :raises ContactNotFound: when the account has no such contact.
    """
    checked = check_contact(details)

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        before = await _find(uow, owner, contact_id)
        changed = changed_fields(before.details, checked)
        if not changed:
            return
        now = services.clock.now()
        after = replace(before, details=checked)
        await uow.contacts.save(after)
        await _redirect(uow, after, now)
        await _tell(uow, services, caller, _ContactChange(after, Change.CHANGED, changed), now)

    await unit_of_work.write(services.database, work)


async def remove_contact(services: Services, caller: Caller, contact_id: str) -> None:
    """Remove a contact; what waits for it is not sent any more.

    :raises ContactNotFound: when the account has no such contact.
    """

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        contact = await _find(uow, owner, contact_id)
        now = services.clock.now()
        await uow.contacts.remove(contact, removed_at=now)
        await uow.recipients.drop_for_contact(contact.id, at=now)
        await _tell(uow, services, caller, _ContactChange(contact, Change.REMOVED), now)

    await unit_of_work.write(services.database, work)


def check_contact(details: ContactDetails) -> ContactDetails:
    """Return the description with address and number in their normal form.

    :raises InvalidContact: naming the field to correct.
    """
    tidied = replace(
        details,
        name=" ".join(details.name.split()) if details.name.isprintable() else details.name,
        title=details.title.strip(),
        email=read_email(details.email) if details.email else None,
        phone=read_phone(details.phone) if details.phone else None,
    )
    check_details(tidied)
    check_typed_name("name", tidied.name)
    check_typed_name("title", tidied.title)
    return tidied


def read_email(text: str) -> str:
    """Return an e-mail address in its normal form.

    :raises InvalidContact: when it is none.
    """
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise InvalidContact("email", f"This is not an e-mail address. {error}") from None


def read_phone(text: str) -> str:
    """Return a phone number as E.164 text; without a country code it is one of the United States.

    :raises InvalidContact: when it is none that could be called.
    """
    import phonenumbers  # noqa: PLC0415 -- large, and needed here alone

    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_valid_number(number) or number.extension:
        raise InvalidContact("phone", "This phone number cannot be called. Write it as +1 202 555 0143.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


async def _find(uow: UnitOfWork, owner: Account, contact_id: str) -> PaymentContact:
    contact = await uow.contacts.find(owner.id, contact_id)
    if contact is None:
        raise ContactNotFound(contact_id)
    return contact


async def _redirect(uow: UnitOfWork, contact: PaymentContact, now: datetime) -> None:
    """Let what waits follow the contact: to the new address or number, or nowhere by a channel that was taken away."""
    details = contact.details
    addresses = {Channel.EMAIL: details.email, Channel.PHONE_CALL: details.phone}
    for channel, address in addresses.items():
        if details.is_active and channel in details.channels and address is not None:
            await uow.recipients.readdress_contact(contact.id, channel, recipient=details.name, address=address)
        else:
            await uow.recipients.drop_for_contact(contact.id, at=now, channel=channel)


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
