"""What goes back to customers: refunds by staff, and charges that banks dispute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, update
from sqlmodel import col, select

from app.domain.collection import OPEN_STATES, AttemptState
from app.domain.refunds import Dispute, DisputeState, Refund
from app.models.collection import DisputeRow, PaymentAttemptRow, RefundRow

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession


class RefundRepository:
    """Refunds; one at a time of a charge is under way."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, refund: Refund, *, created_at: datetime) -> None:
        """Write a refund down before it is sent; the database refuses a second open one of the charge."""
        self._session.add(
            RefundRow(
                id=refund.id,
                account_id=refund.account_id,
                attempt_id=refund.attempt_id,
                kind=refund.kind,
                amount_cents=refund.amount_cents,
                state=refund.state,
                uses_key=refund.uses_key,
                sends=refund.sends,
                absences=refund.absences,
                actor=refund.actor,
                why=refund.why,
                created_at=created_at,
                sent_at=refund.sent_at,
                resolved_at=None if refund.state in OPEN_STATES else created_at,
                transaction_id=refund.transaction_id,
                next_action_at=refund.next_action_at,
            )
        )
        await self._session.flush()

    async def find(self, refund_id: str) -> Refund | None:
        """Return one refund."""
        row = await self._session.get(RefundRow, refund_id, populate_existing=True)
        return None if row is None else _refund(row)

    async def find_by_transaction(self, transaction_id: str) -> Refund | None:
        """Return the refund behind a transaction of the gateway."""
        statement = select(RefundRow).where(RefundRow.transaction_id == transaction_id)
        row = (await self._session.exec(statement.execution_options(populate_existing=True))).first()
        return None if row is None else _refund(row)

    async def list_of_attempt(self, account_id: str, attempt_id: str) -> list[Refund]:
        """Return every refund of a charge, oldest first."""
        statement = (
            select(RefundRow)
            .where(RefundRow.account_id == account_id, RefundRow.attempt_id == attempt_id)
            .order_by(col(RefundRow.created_at), col(RefundRow.id))
            .execution_options(populate_existing=True)
        )
        return [_refund(row) for row in await self._session.exec(statement)]

    async def due(self, now: datetime, limit: int) -> list[Refund]:
        """Return refunds whose outcome is to be looked for by now, the longest overdue first."""
        statement = (
            select(RefundRow)
            .where(col(RefundRow.next_action_at) <= now, col(RefundRow.state).in_(OPEN_STATES))
            .order_by(col(RefundRow.next_action_at), col(RefundRow.id))
            .limit(limit)
        )
        return [_refund(row) for row in await self._session.exec(statement)]

    async def list_open(self) -> list[Refund]:
        """Return every refund whose outcome is not known."""
        statement = select(RefundRow).where(col(RefundRow.state).in_(OPEN_STATES)).order_by(col(RefundRow.id))
        return [_refund(row) for row in await self._session.exec(statement)]

    async def claim(self, refund: Refund, until: datetime) -> bool:
        """Become the one who looks after a refund until then; False when somebody else is by now."""
        row = RefundRow
        statement = (
            update(row)
            .where(
                col(row.id) == refund.id,
                col(row.state).in_(OPEN_STATES),
                col(row.sends) == refund.sends,
                col(row.next_action_at) == refund.next_action_at,
            )
            .values(next_action_at=until)
        )
        result = await self._session.exec(statement)
        return bool(result.rowcount)

    async def save(self, refund: Refund, *, at: datetime) -> None:
        """Store how far a refund has come."""
        values: Mapping[str, Any] = {
            "kind": refund.kind,
            "state": refund.state,
            "uses_key": refund.uses_key,
            "sends": refund.sends,
            "absences": refund.absences,
            "sent_at": refund.sent_at,
            "resolved_at": None if refund.state in OPEN_STATES else at,
            "transaction_id": refund.transaction_id,
            "next_action_at": refund.next_action_at if refund.state in OPEN_STATES else None,
        }
        await self._session.exec(update(RefundRow).where(col(RefundRow.id) == refund.id).values(values))

    async def fail(self, refund_id: str, *, at: datetime) -> None:
        """Store that a refund that went through has come back to us."""
        values = {"state": AttemptState.DECLINED, "resolved_at": at}
        await self._session.exec(update(RefundRow).where(col(RefundRow.id) == refund_id).values(values))

    async def gone_back_cents(self, attempt_id: str) -> int:
        """Return how much of a charge went back: by refunds, by lost disputes, or all of it at settlement."""
        refunded = select(func.coalesce(func.sum(RefundRow.amount_cents), 0)).where(
            RefundRow.attempt_id == attempt_id, RefundRow.state == AttemptState.SUCCEEDED
        )
        lost = select(func.coalesce(func.sum(DisputeRow.amount_cents), 0)).where(
            DisputeRow.attempt_id == attempt_id, DisputeRow.state == DisputeState.LOST
        )
        attempt = (
            await self._session.exec(
                select(PaymentAttemptRow)
                .where(PaymentAttemptRow.id == attempt_id)
                .execution_options(populate_existing=True)
            )
        ).one()
        if attempt.returned_at is not None:
            return attempt.amount_cents
        parts = [(await self._session.exec(statement)).one() for statement in (refunded, lost)]
        return sum(map(int, parts))


class DisputeRepository:
    """Disputes, as far as the gateway has told of them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_state(self, dispute_id: str) -> DisputeState | None:
        """Return how far we know a dispute to have come; None for one that we have not heard of."""
        row = await self._session.get(DisputeRow, dispute_id, populate_existing=True)
        return None if row is None else row.state

    async def put(self, dispute: Dispute, *, account_id: str, attempt_id: str) -> None:
        """Store a dispute as the gateway has it."""
        row = await self._session.get(DisputeRow, dispute.id, populate_existing=True)
        if row is None:
            row = DisputeRow(
                id=dispute.id,
                account_id=account_id,
                attempt_id=attempt_id,
                amount_cents=dispute.amount_cents,
                state=dispute.state,
                opened_at=dispute.opened_at,
                changed_at=dispute.changed_at,
            )
            self._session.add(row)
        row.state, row.amount_cents, row.changed_at = dispute.state, dispute.amount_cents, dispute.changed_at
        await self._session.flush()


def _refund(row: RefundRow) -> Refund:
    return Refund(
        id=row.id,
        account_id=row.account_id,
        attempt_id=row.attempt_id,
        kind=row.kind,
        amount_cents=row.amount_cents,
        state=row.state,
        actor=row.actor,
        why=row.why,
        uses_key=row.uses_key,
        sends=row.sends,
        absences=row.absences,
        sent_at=row.sent_at,
        transaction_id=row.transaction_id,
        next_action_at=row.next_action_at,
    )
