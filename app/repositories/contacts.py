"""Payment contacts, their addresses and what these answered."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import update
from sqlmodel import col, select

from app.domain.alerts import AlertKind
from app.domain.confirmations import ContactAddress, address_key
from app.domain.contacts import CallingHours, Channel, ConfirmationState, ContactDetails, PaymentContact
from app.models.messages import ContactAddressRow, PaymentContactRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.repositories.bulk import Columns, Merged

_FIELDS = (
    "account_id",
    "id",
    "name",
    "title",
    "email",
    "phone",
    "channels",
    "kinds",
    "time_zone",
    "opens_at",
    "closes_at",
    "is_active",
    "email_state",
    "phone_state",
)

CONTACT_COLUMNS = tuple(col(getattr(PaymentContactRow, name)) for name in _FIELDS)
"""What `read_contact` takes, in its order."""


def _answered(_stored: Columns, incoming: Columns) -> Merged:
    return {name: getattr(incoming, name) for name in ("state", "requests", "requested_at", "answered_at")}


_SAVE_ADDRESS = upsert(ContactAddressRow, ("account_id", "channel", "key"), _answered)


class ContactRepository:
    """The payment contacts of an account; a removed one stays behind the messages that it was sent."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_for_account(self, account_id: str) -> list[PaymentContact]:
        """Return the contacts of an account, oldest first."""
        statement = (
            select(PaymentContactRow)
            .where(PaymentContactRow.account_id == account_id, col(PaymentContactRow.removed_at).is_(None))
            .order_by(col(PaymentContactRow.id))
        )
        rows = await self._session.exec(statement)
        return [read_contact([getattr(row, name) for name in _FIELDS]) for row in rows]

    async def find(self, account_id: str, contact_id: str) -> PaymentContact | None:
        """Return a contact of the account that is not removed."""
        return next((one for one in await self.list_for_account(account_id) if one.id == contact_id), None)

    async def add(self, contact: PaymentContact, *, created_at: datetime) -> None:
        """Add a contact."""
        row = PaymentContactRow(id=contact.id, account_id=contact.account_id, created_at=created_at, **_values(contact))
        self._session.add(row)
        await self._session.flush()

    async def save(self, contact: PaymentContact) -> None:
        """Store a contact's new description."""
        statement = update(PaymentContactRow).where(
            col(PaymentContactRow.id) == contact.id, col(PaymentContactRow.account_id) == contact.account_id
        )
        await self._session.exec(statement.values(_values(contact)))

    async def remove(self, contact: PaymentContact, *, removed_at: datetime) -> None:
        """Store that the contact is one no more."""
        statement = update(PaymentContactRow).where(
            col(PaymentContactRow.id) == contact.id, col(PaymentContactRow.account_id) == contact.account_id
        )
        await self._session.exec(statement.values(removed_at=removed_at))


class ContactAddressRepository:
    """The addresses and numbers of an account's contacts, also of those that were removed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, account_id: str, channel: Channel, address: str) -> ContactAddress | None:
        """Return what is known of an address, whatever its case."""
        row = await self._session.get(
            ContactAddressRow, (account_id, channel, address_key(address)), populate_existing=True
        )
        if row is None:
            return None
        asked = row.requests, row.requested_at, row.answered_at
        return ContactAddress(account_id, channel, row.key, row.state, *asked)

    async def save(self, address: ContactAddress) -> None:
        """Store an address, and its state with every contact of the account that has it."""
        values = (address.state, address.requests, address.requested_at, address.answered_at)
        key = (address.account_id, address.channel, address.key)
        await execute_many(self._session, _SAVE_ADDRESS, [(*key, *values)])
        row = PaymentContactRow
        is_mail = address.channel is Channel.EMAIL
        columns: Any = (row.id, row.email if is_mail else row.phone)
        found = await self._session.exec(select(*columns).where(col(row.account_id) == address.account_id))
        ids = [contact_id for contact_id, own in found if own is not None and address_key(own) == address.key]
        state = {"email_state" if is_mail else "phone_state": address.state}
        await self._session.exec(update(row).where(col(row.id).in_(ids)).values(state))


def read_contact(columns: Iterable[Any]) -> PaymentContact:
    """Return the contact behind its columns, in the order of `CONTACT_COLUMNS`."""
    account_id, identifier, name, title, email, phone, channels, kinds, zone, opens, closes, is_active, *both = columns
    email_state, phone_state = (None if state is None else ConfirmationState(state) for state in both)
    details = ContactDetails(
        name=name,
        title=title,
        email=email,
        phone=phone,
        channels=frozenset(map(Channel, channels)),
        kinds=frozenset(map(AlertKind, kinds)),
        hours=CallingHours(zone, time.fromisoformat(opens), time.fromisoformat(closes)),
        is_active=bool(is_active),
    )
    return PaymentContact(identifier, account_id, details, email_state, phone_state)


def _values(contact: PaymentContact) -> dict[str, Any]:
    details = contact.details
    return {
        "name": details.name,
        "title": details.title,
        "email": details.email,
        "phone": details.phone,
        "channels": _listed(Channel, details.channels),
        "kinds": _listed(AlertKind, details.kinds),
        "time_zone": details.hours.time_zone,
        "opens_at": details.hours.opens_at.isoformat("minutes"),
        "closes_at": details.hours.closes_at.isoformat("minutes"),
        "is_active": details.is_active,
        "email_state": contact.email_state,
        "phone_state": contact.phone_state,
    }


def _listed(order: Iterable[Any], chosen: frozenset[Any]) -> Sequence[str]:
    return [member.value for member in order if member in chosen]
