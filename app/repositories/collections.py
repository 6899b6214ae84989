"""Collecting invoices: due rows with their leases, and the charges made for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, or_, update
from sqlmodel import col, select

from app.domain.books import Settlements
from app.domain.collection import OPEN_STATES, Attempt, AttemptState, Collection, CollectionStatus
from app.models.collection import CollectionRow, PaymentAttemptRow
from app.models.invoices import InvoiceRow
from app.repositories.bulk import execute_many
from app.repositories.payment_methods import decline_values, read_decline

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.payment_gateway import Decline

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
    """One row for each invoice with something to collect, and its attempts."""

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

    async def save(self, lease: Lease | None, collection: Collection, changed: Mapping[str, Any]) -> None:
        """Change fields of a collection and plan what comes next; without a lease, for the account's only writer.

        :raises LeaseLost: when the lease has passed on.
        """
        values = dict(changed)
        final = {name: values.get(name, getattr(collection, name)) for name in (*_DATES, "status", "is_requested")}
        retry_at = values.get("retry_at", collection.retry_at)
        values["next_action_at"] = _earliest(final, retry_at)
        statement = (
            update(CollectionRow).where(col(CollectionRow.invoice_id) == collection.invoice_id)
            if lease is None
            else self._held(lease)
        )
        result: Any = await self._session.exec(statement.values(values))
        if result.rowcount != 1:
            raise LeaseLost(collection.invoice_id)

    async def check_lease(self, lease: Lease) -> None:
        """Make sure that the lease is still the latest.

        :raises LeaseLost: when it is not.
        """
        statement = select(col(CollectionRow.lease_epoch)).where(col(CollectionRow.invoice_id) == lease.invoice_id)
        if (await self._session.exec(statement)).one_or_none() != lease.epoch:
            raise LeaseLost(lease.invoice_id)

    async def attempts(self, invoice_id: str) -> list[Attempt]:
        """Return the charges of an invoice, in order."""
        row = PaymentAttemptRow
        statement = (
            select(row)
            .where(row.invoice_id == invoice_id)
            .order_by(col(row.attempt_no))
            .execution_options(populate_existing=True)
        )
        return [_attempt(found) for found in await self._session.exec(statement)]

    async def find_attempt(self, attempt_id: str) -> Attempt | None:
        """Return one charge."""
        row = await self._session.get(PaymentAttemptRow, attempt_id, populate_existing=True)
        return None if row is None else _attempt(row)

    async def find_attempt_by_transaction(self, transaction_id: str) -> Attempt | None:
        """Return the charge behind a transaction of the gateway."""
        statement = (
            select(PaymentAttemptRow)
            .where(PaymentAttemptRow.transaction_id == transaction_id)
            .execution_options(populate_existing=True)
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _attempt(row)

    async def add_attempt(self, attempt: Attempt, *, created_at: datetime) -> None:
        """Write a charge down before it is sent; the database refuses a second open one of the invoice (rule 31)."""
        self._session.add(
            PaymentAttemptRow(
                id=attempt.id,
                account_id=attempt.account_id,
                invoice_id=attempt.invoice_id,
                attempt_no=attempt.attempt_no,
                round_no=attempt.round_no,
                method_id=attempt.method_id,
                amount_cents=attempt.amount_cents,
                state=attempt.state,
                reason=attempt.reason,
                uses_key=attempt.uses_key,
                sends=attempt.sends,
                created_at=created_at,
                sent_at=attempt.sent_at,
            )
        )
        await self._session.flush()

    async def mark_sent(self, attempt: Attempt, *, at: datetime, uses_key: bool) -> None:
        """Write down that a charge is about to be sent, the first time or again.

        Without a key every sending is looked for anew, so the last one counts.
        """
        values: dict[str, Any] = {"state": AttemptState.SENT, "sends": attempt.sends + 1, "uses_key": uses_key}
        values["absences"] = 0
        if attempt.sent_at is None or attempt.state is AttemptState.PLANNED or not uses_key:
            values["sent_at"] = at
        await self._set_attempt(attempt.id, values)

    async def record_outcome(
        self,
        attempt_id: str,
        state: AttemptState,
        *,
        at: datetime,
        transaction_id: str | None = None,
        decline: Decline | None = None,
    ) -> None:
        """Write down the outcome of a charge."""
        values: dict[str, Any] = {"state": state, "transaction_id": transaction_id, "decline": decline_values(decline)}
        values["resolved_at"] = None if state in OPEN_STATES else at
        await self._set_attempt(attempt_id, values)

    async def count_absence(self, attempt: Attempt) -> None:
        """Write down that a charge was looked for at the gateway, and not found."""
        await self._set_attempt(attempt.id, {"absences": attempt.absences + 1})

    async def open_attempts(self) -> list[Attempt]:
        """Return every charge whose outcome is not known, oldest first."""
        row = PaymentAttemptRow
        statement = select(row).where(col(row.state).in_(OPEN_STATES)).order_by(col(row.id))
        return [_attempt(found) for found in await self._session.exec(statement)]

    async def succeeded(self, account_id: str) -> list[Attempt]:
        """Return every successful charge of an account, oldest first."""
        row = PaymentAttemptRow
        statement = (
            select(row).where(row.account_id == account_id, row.state == AttemptState.SUCCEEDED).order_by(col(row.id))
        )
        return [_attempt(found) for found in await self._session.exec(statement)]

    async def unsettled(self, sent_before: datetime) -> list[Attempt]:
        """Return successful charges whose settlement nobody has seen yet, oldest first."""
        row = PaymentAttemptRow
        statement = (
            select(row)
            .where(
                row.state == AttemptState.SUCCEEDED,
                col(row.settled_at).is_(None),
                col(row.returned_at).is_(None),
                col(row.sent_at) < sent_before,
            )
            .order_by(col(row.sent_at), col(row.id))
        )
        return [_attempt(found) for found in await self._session.exec(statement)]

    async def settlements(self, from_at: datetime, before_at: datetime) -> Settlements:
        """Return what was settled within two instants, and what was charged before the second and is not settled."""
        row = PaymentAttemptRow
        is_matched = (col(row.settled_at) >= from_at) & (col(row.settled_at) < before_at)
        is_unmatched = col(row.settled_at).is_(None) & col(row.returned_at).is_(None) & (col(row.sent_at) < before_at)
        sums = [
            func.coalesce(func.sum(case((condition, value), else_=0)), 0)
            for condition in (is_matched, is_unmatched)
            for value in (1, col(row.amount_cents))
        ]
        statement = select(*sums).where(col(row.state) == AttemptState.SUCCEEDED)
        return Settlements(*map(int, (await self._session.exec(statement)).one()))

    async def mark_settled(self, attempt_ids: Sequence[str], *, at: datetime) -> None:
        """Store that the gateway has settled charges."""
        row = PaymentAttemptRow
        statement = update(row).where(col(row.id).in_(attempt_ids), col(row.settled_at).is_(None))
        await self._session.exec(statement.values(settled_at=at))

    async def mark_returned(self, attempt_id: str, *, at: datetime) -> bool:
        """Store that the money of a charge went back at settlement; False when that was known."""
        row = PaymentAttemptRow
        statement = update(row).where(col(row.id) == attempt_id, col(row.returned_at).is_(None)).values(returned_at=at)
        result: Any = await self._session.exec(statement)
        return bool(result.rowcount)

    async def has_charged(self, account_id: str) -> bool:
        """Tell whether any charge of the account has succeeded."""
        row = PaymentAttemptRow
        statement = (
            select(col(row.id))
            .where(col(row.account_id) == account_id, col(row.state) == AttemptState.SUCCEEDED)
            .limit(1)
        )
        return (await self._session.exec(statement)).first() is not None

    async def has_open_attempt(self, account_id: str, method_id: str | None = None) -> bool:
        """Tell whether the outcome of any charge of the account, or of one to a method, is not known yet."""
        row = PaymentAttemptRow
        statement = select(col(row.id)).where(col(row.account_id) == account_id, col(row.state).in_(OPEN_STATES))
        if method_id is not None:
            statement = statement.where(col(row.method_id) == method_id)
        return (await self._session.exec(statement.limit(1))).first() is not None

    async def _set_attempt(self, attempt_id: str, values: Mapping[str, Any]) -> None:
        row = PaymentAttemptRow
        await self._session.exec(update(row).where(col(row.id) == attempt_id).values(**values))

    def _held(self, lease: Lease) -> Any:  # noqa: ANN401 -- an update statement
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


def _attempt(row: PaymentAttemptRow) -> Attempt:
    return Attempt(
        id=row.id,
        account_id=row.account_id,
        invoice_id=row.invoice_id,
        attempt_no=row.attempt_no,
        round_no=row.round_no,
        method_id=row.method_id,
        amount_cents=row.amount_cents,
        state=row.state,
        reason=row.reason,
        sent_at=row.sent_at,
        transaction_id=row.transaction_id,
        decline=read_decline(row.decline),
        uses_key=row.uses_key,
        sends=row.sends,
        absences=row.absences,
    )
