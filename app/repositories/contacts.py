"""Payment contacts, and the addresses that mail servers refused."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, func, update
from sqlmodel import col, select

from app.domain.alerts import AlertKind
from app.domain.contacts import CallingHours, Channel, ContactDetails, PaymentContact
from app.models.messages import PaymentContactRow, RefusingAddressRow
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
)

CONTACT_COLUMNS = tuple(col(getattr(PaymentContactRow, name)) for name in _FIELDS)
"""What `read_contact` takes, in its order."""


def _newest(_stored: Columns, incoming: Columns) -> Merged:
    return {"reason": incoming.reason, "refused_at": incoming.refused_at}


_MARK_REFUSING = upsert(RefusingAddressRow, ("address",), _newest)


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
        values = _values(contact.details)
        row = PaymentContactRow(id=contact.id, account_id=contact.account_id, created_at=created_at, **values)
        self._session.add(row)
        await self._session.flush()

    async def save(self, contact: PaymentContact) -> None:
        """Store a contact's new description."""
        statement = update(PaymentContactRow).where(
            col(PaymentContactRow.id) == contact.id, col(PaymentContactRow.account_id) == contact.account_id
        )
        await self._session.exec(statement.values(_values(contact.details)))

    async def remove(self, contact: PaymentContact, *, removed_at: datetime) -> None:
        """Store that the contact is one no more."""
        statement = update(PaymentContactRow).where(
            col(PaymentContactRow.id) == contact.id, col(PaymentContactRow.account_id) == contact.account_id
        )
        await self._session.exec(statement.values(removed_at=removed_at))

    async def mark_refusing(self, address: str, *, reason: str, refused_at: datetime) -> None:
        """Store that a mail server refused the address."""
        await execute_many(self._session, _MARK_REFUSING, [(address, reason, refused_at)])

    async def mark_accepting(self, address: str) -> None:
        """Store that the address takes mail again."""
        await self._session.exec(delete(RefusingAddressRow).where(col(RefusingAddressRow.address) == address))

    async def count_refusing(self) -> int:
        """Return how many addresses refuse mail."""
        return (await self._session.exec(select(func.count()).select_from(RefusingAddressRow))).one()


def read_contact(columns: Iterable[Any]) -> PaymentContact:
    """Return the contact behind its columns, in the order of `CONTACT_COLUMNS`."""
    account_id, identifier, name, title, email, phone, channels, kinds, zone, opens, closes, is_active = columns
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
    return PaymentContact(identifier, account_id, details)


def _values(details: ContactDetails) -> dict[str, Any]:
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
    }


def _listed(order: Iterable[Any], chosen: frozenset[Any]) -> Sequence[str]:
    return [member.value for member in order if member in chosen]
