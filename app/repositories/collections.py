"""Collecting invoices: due rows with their leases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, or_, update
from sqlmodel import col, select

from app.domain.collection import Collection, CollectionStatus
from app.models.collection import CollectionRow
from app.models.invoices import InvoiceRow
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Update
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.collection import CollectionChange


_INSERT = insert(CollectionRow)
_DATES = ("next_attempt_at", "late_fee_at", "warn_at", "suspend_at")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on a collection until real time `until`; `epoch` tells a later holder from an earlier one."""

    invoice_id: str
    account_id: str
    epoch: int


class LeaseLost(RuntimeError):
    """Somebody else works on the collection by now; whatever was being written has not been."""


class CollectionRepository:
    """One row for each invoice with something to collect."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def open_many(self, collections: Iterable[Collection]) -> None:
        """Begin to collect invoices."""
        rows = [
            (
                c.invoice_id,
                c.account_id,
                c.status,
                c.due_on,
                c.round_no,
                c.slots_used,
                c.is_requested,
                c.is_checkout,
                c.is_by_hand,
                c.next_attempt_at,
                c.late_fee_at,
                c.warn_at,
                c.suspend_at,
                c.retry_at,
                c.failures,
                None,
                _next_action_at(c),
                None,
                0,
            )
            for c in collections
        ]
        await execute_many(self._session, _INSERT, rows)

    async def find(self, invoice_id: str) -> Collection | None:
        """Return the collecting of an invoice; None for one that never had anything to collect."""
        row = await self._session.get(CollectionRow, invoice_id, populate_existing=True)
        return None if row is None else _collection(row)

    async def list_for_account(self, account_id: str) -> list[Collection]:
        """Return what is not finished of an account, by invoice number."""
        statement = (
            select(CollectionRow)
            .join(InvoiceRow, col(InvoiceRow.id) == col(CollectionRow.invoice_id))
            .where(CollectionRow.account_id == account_id, CollectionRow.status != CollectionStatus.DONE)
            .order_by(col(InvoiceRow.number))
            .execution_options(populate_existing=True)
        )
        return [_collection(row) for row in await self._session.exec(statement)]

    async def due(self, now: datetime, real_now: datetime, limit: int) -> list[str]:
        """Return the invoices whose collecting has something to do by now and that nobody works on."""
        row = CollectionRow
        statement = (
            select(col(row.invoice_id))
            .where(col(row.next_action_at) <= now, or_(col(row.lease_until).is_(None), col(row.lease_until) < real_now))
            .order_by(col(row.next_action_at), col(row.invoice_id))
            .limit(limit)
        )
        return list(await self._session.exec(statement))

    async def oldest_due_at(self) -> datetime | None:
        """Return when the next collecting falls due, or the longest overdue one did."""
        return (await self._session.exec(select(func.min(CollectionRow.next_action_at)))).one()

    async def claim(self, invoice_id: str, real_now: datetime, until: datetime) -> Lease | None:
        """Become the one who works on a collection, by real time; None while somebody else is, or it is done."""
        row = CollectionRow
        statement = (
            update(row)
            .where(
                col(row.invoice_id) == invoice_id,
                col(row.status) != CollectionStatus.DONE,
                or_(col(row.lease_until).is_(None), col(row.lease_until) < real_now),
            )
            .values(lease_until=until, lease_epoch=col(row.lease_epoch) + 1)
            .returning(col(row.account_id), col(row.lease_epoch))
        )
        found = (await self._session.exec(statement)).one_or_none()
        return None if found is None else Lease(invoice_id, found[0], found[1])

    async def is_claimed(self, invoice_id: str, real_now: datetime) -> bool:
        """Tell whether somebody is working on the collection."""
        row = CollectionRow
        statement = select(col(row.invoice_id)).where(
            col(row.invoice_id) == invoice_id,
            col(row.status) != CollectionStatus.DONE,
            col(row.lease_until) >= real_now,
        )
        return (await self._session.exec(statement)).first() is not None

    async def release(self, lease: Lease) -> None:
        """Let others work on it again."""
        await self._session.exec(self._held(lease).values(lease_until=None))

    async def end_leases(self) -> None:
        """Let nobody work on anything: whoever still does writes nothing more."""
        row = CollectionRow
        await self._session.exec(
            update(row)
            .where(col(row.lease_until).is_not(None))
            .values(lease_until=None, lease_epoch=col(row.lease_epoch) + 1)
        )

    async def save(self, lease: Lease | None, collection: Collection, changed: CollectionChange) -> None:
        """Change fields of a collection and plan what comes next; without a lease, for the account's only writer.

        :raises LeaseLost: when the lease has passed on.
        """
        values = {**changed}
        final = {name: values.get(name, getattr(collection, name)) for name in (*_DATES, "status", "is_requested")}
        retry_at = changed.get("retry_at", collection.retry_at)
        values["next_action_at"] = _earliest(final, retry_at)
        statement = (
            update(CollectionRow).where(col(CollectionRow.invoice_id) == collection.invoice_id)
            if lease is None
            else self._held(lease)
        )
        result = await self._session.exec(statement.values(values))
        if result.rowcount != 1:
            raise LeaseLost(collection.invoice_id)

    async def check_lease(self, lease: Lease) -> None:
        """Make sure that the lease is still the latest.

        :raises LeaseLost: when it is not.
        """
        statement = select(col(CollectionRow.lease_epoch)).where(col(CollectionRow.invoice_id) == lease.invoice_id)
        if (await self._session.exec(statement)).one_or_none() != lease.epoch:
            raise LeaseLost(lease.invoice_id)

    def _held(self, lease: Lease) -> Update:
        row = CollectionRow
        return update(row).where(col(row.invoice_id) == lease.invoice_id, col(row.lease_epoch) == lease.epoch)


def _earliest(fields: Mapping[str, Any], retry_at: datetime | None) -> datetime | None:
    """Return when a collection has something to do next: a retry comes before everything else."""
    if fields["status"] in {CollectionStatus.DONE, CollectionStatus.PARKED}:
        return None
    if retry_at is not None:
        return retry_at
    return min((fields[name] for name in _DATES if fields[name] is not None), default=None)


def _next_action_at(collection: Collection) -> datetime | None:
    return _earliest({name: getattr(collection, name) for name in (*_DATES, "status")}, collection.retry_at)


def _collection(row: CollectionRow) -> Collection:
    return Collection(
        invoice_id=row.invoice_id,
        account_id=row.account_id,
        status=row.status,
        due_on=row.due_on,
        round_no=row.round_no,
        slots_used=row.slots_used,
        is_requested=row.is_requested,
        is_checkout=row.is_checkout,
        is_by_hand=row.is_by_hand,
        next_attempt_at=row.next_attempt_at,
        late_fee_at=row.late_fee_at,
        warn_at=row.warn_at,
        suspend_at=row.suspend_at,
        retry_at=row.retry_at,
        failures=row.failures,
    )
