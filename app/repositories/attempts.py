"""The charges made for invoices, and what the gateway has settled of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, update
from sqlmodel import col, select

from app.domain.books import Settlements
from app.domain.collection import OPEN_STATES, Attempt, AttemptState
from app.models.collection import PaymentAttemptRow
from app.repositories.payment_methods import decline_values, read_decline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.payment_gateway import Decline


class AttemptRepository:
    """The charges made for invoices."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of_invoice(self, invoice_id: str) -> list[Attempt]:
        """Return the charges of an invoice, in order."""
        row = PaymentAttemptRow
        statement = (
            select(row)
            .where(row.invoice_id == invoice_id)
            .order_by(col(row.attempt_no))
            .execution_options(populate_existing=True)
        )
        return [_attempt(found) for found in await self._session.exec(statement)]

    async def find(self, attempt_id: str) -> Attempt | None:
        """Return one charge."""
        row = await self._session.get(PaymentAttemptRow, attempt_id, populate_existing=True)
        return None if row is None else _attempt(row)

    async def find_by_transaction(self, transaction_id: str) -> Attempt | None:
        """Return the charge behind a transaction of the gateway."""
        statement = (
            select(PaymentAttemptRow)
            .where(PaymentAttemptRow.transaction_id == transaction_id)
            .execution_options(populate_existing=True)
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _attempt(row)

    async def add(self, attempt: Attempt, *, created_at: datetime) -> None:
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
        await self._set(attempt.id, values)

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
        await self._set(attempt_id, values)

    async def count_absence(self, attempt: Attempt) -> None:
        """Write down that a charge was looked for at the gateway, and not found."""
        await self._set(attempt.id, {"absences": attempt.absences + 1})

    async def without_outcome(self) -> list[Attempt]:
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

    async def has_charged(self, account_id: str) -> bool:
        """Tell whether any charge of the account has succeeded."""
        row = PaymentAttemptRow
        statement = (
            select(col(row.id))
            .where(col(row.account_id) == account_id, col(row.state) == AttemptState.SUCCEEDED)
            .limit(1)
        )
        return (await self._session.exec(statement)).first() is not None

    async def has_open(self, account_id: str, method_id: str | None = None) -> bool:
        """Tell whether the outcome of any charge of the account, or of one to a method, is not known yet."""
        row = PaymentAttemptRow
        statement = select(col(row.id)).where(col(row.account_id) == account_id, col(row.state).in_(OPEN_STATES))
        if method_id is not None:
            statement = statement.where(col(row.method_id) == method_id)
        return (await self._session.exec(statement.limit(1))).first() is not None

    async def _set(self, attempt_id: str, values: Mapping[str, Any]) -> None:
        row = PaymentAttemptRow
        await self._session.exec(update(row).where(col(row.id) == attempt_id).values(**values))


class SettlementRepository:
    """What the gateway has settled of successful charges."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def missing(self, sent_before: datetime) -> list[Attempt]:
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

    async def between(self, from_at: datetime, before_at: datetime) -> Settlements:
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
        result = await self._session.exec(statement)
        return bool(result.rowcount)


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
