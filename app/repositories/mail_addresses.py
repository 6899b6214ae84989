"""Addresses that mail came back from, and those whose owners want none; compared without regard to case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func
from sqlmodel import col, select

from app.domain.accounts import Role
from app.domain.confirmations import address_key
from app.models.accounts import MembershipRow, UserRow
from app.models.messages import MailComplaintRow, PaymentContactRow, RefusingAddressRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.repositories.bulk import Columns, Merged


def _newest(_stored: Columns, incoming: Columns) -> Merged:
    return {"reason": incoming.reason, "refused_at": incoming.refused_at}


_MARK_REFUSING = upsert(RefusingAddressRow, ("address",), _newest)
_COMPLAIN = upsert(MailComplaintRow, ("address",))


@dataclass(frozen=True, slots=True)
class AddressOwner:
    """Whoever an account reaches at an address: a payment contact or an admin, by id and name."""

    account_id: str
    id: str
    name: str


class MailAddressRepository:
    """What is known of mail addresses."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def mark_refusing(self, address: str, *, reason: str, refused_at: datetime) -> None:
        """Store that a mail server refused the address, or that a mail came back from it."""
        await execute_many(self._session, _MARK_REFUSING, [(address_key(address), reason, refused_at)])

    async def mark_accepting(self, address: str) -> None:
        """Store that the address takes mail again."""
        own = col(RefusingAddressRow.address) == address_key(address)
        await self._session.exec(delete(RefusingAddressRow).where(own))

    async def count_refusing(self) -> int:
        """Return how many addresses refuse mail."""
        return (await self._session.exec(select(func.count()).select_from(RefusingAddressRow))).one()

    async def complain(self, address: str, *, reason: str, complained_at: datetime) -> bool:
        """Store that the owner of an address complained of a mail; False when that was known."""
        return bool(await execute_many(self._session, _COMPLAIN, [(address_key(address), reason, complained_at)]))

    async def has_complained(self, address: str) -> bool:
        """Tell whether nothing is to be sent to the address."""
        return await self._session.get(MailComplaintRow, address_key(address)) is not None

    async def forgive(self, address: str) -> bool:
        """Let mail go to an address again; False when nothing kept it."""
        own = col(MailComplaintRow.address) == address_key(address)
        return bool((await self._session.exec(delete(MailComplaintRow).where(own))).rowcount)

    async def owners(self, address: str) -> list[AddressOwner]:
        """Return the payment contacts and admins of all accounts who are reached at an address, by account."""
        key = address_key(address)
        contact, user, member = PaymentContactRow, UserRow, MembershipRow
        contacts = select(contact.account_id, contact.id, contact.name).where(
            func.lower(col(contact.email)) == key, col(contact.removed_at).is_(None)
        )
        admins = (
            select(member.account_id, user.id, user.name)
            .join(member, col(member.user_id) == col(user.id))
            .where(func.lower(col(user.email)) == key, member.role == Role.ADMIN)
        )
        found = [AddressOwner(*row) for query in (contacts, admins) for row in await self._session.exec(query)]
        return sorted(found, key=lambda owner: (owner.account_id, owner.id))
