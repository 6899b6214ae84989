"""What we have on record of the gateway's transactions and disputes, across all accounts, by one statement each.

Accounts are named by their external ids. A month is told by two instants: from the one, before the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func
from sqlmodel import col, select

from app.domain.collection import AttemptState
from app.domain.gateway_records import GatewayPosting, RecordedCharge, RecordedDispute, RecordedRefund
from app.domain.ledger import PaymentKind
from app.domain.refunds import RefundKind
from app.models.accounts import AccountRow
from app.models.collection import DisputeRow, PaymentAttemptRow, RefundRow
from app.models.ledger import LedgerPostingRow, PaymentRow
from app.repositories.conditions import one_of

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from sqlalchemy import ColumnElement
    from sqlmodel.ext.asyncio.session import AsyncSession

_GATEWAY_KINDS = (PaymentKind.CARD, PaymentKind.PAYPAL)


class GatewayRecordRepository:
    """Reads records across all accounts; it writes nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def charges(
        self, from_at: datetime, before_at: datetime, transaction_ids: Collection[str], order_ids: Collection[str]
    ) -> list[RecordedCharge]:
        """Return charges that went through or were taken back in a month, and those behind transactions or orders."""
        row = PaymentAttemptRow
        within = _within(row.resolved_at, from_at, before_at) | _within(row.returned_at, from_at, before_at)
        is_of_month = (col(row.state) == AttemptState.SUCCEEDED) & within
        columns: Any = (
            AccountRow.external_id,
            row.id,
            func.coalesce(row.transaction_id, ""),
            row.amount_cents,
            row.state,
            row.resolved_at,
            row.returned_at,
        )
        statement = (
            select(*columns)
            .join(AccountRow, col(AccountRow.id) == col(row.account_id))
            .where(is_of_month | one_of(col(row.transaction_id), "transactions") | one_of(col(row.id), "orders"))
            .order_by(col(row.id))
        )
        given = {"transactions": list(transaction_ids), "orders": list(order_ids)}
        return [RecordedCharge(*found) for found in await self._session.exec(statement, params=given)]

    async def refunds(
        self, from_at: datetime, before_at: datetime, transaction_ids: Collection[str], order_ids: Collection[str]
    ) -> list[RecordedRefund]:
        """Return refunds that went through in a month, and those behind transactions or orders; voids are none."""
        row = RefundRow
        is_of_month = (col(row.state) == AttemptState.SUCCEEDED) & _within(row.resolved_at, from_at, before_at)
        columns: Any = (
            AccountRow.external_id,
            row.id,
            func.coalesce(row.transaction_id, ""),
            row.amount_cents,
            row.state,
            row.resolved_at,
        )
        statement = (
            select(*columns)
            .join(AccountRow, col(AccountRow.id) == col(row.account_id))
            .where(
                row.kind == RefundKind.REFUND,
                is_of_month | one_of(col(row.transaction_id), "transactions") | one_of(col(row.id), "orders"),
            )
            .order_by(col(row.id))
        )
        given = {"transactions": list(transaction_ids), "orders": list(order_ids)}
        return [RecordedRefund(*found) for found in await self._session.exec(statement, params=given)]

    async def disputes(
        self, from_at: datetime, before_at: datetime, dispute_ids: Collection[str]
    ) -> list[RecordedDispute]:
        """Return disputes that were opened in a month, and those with an id."""
        row = DisputeRow
        columns: Any = (
            AccountRow.external_id,
            row.id,
            row.amount_cents,
            row.state,
            row.opened_at,
            row.changed_at,
        )
        statement = (
            select(*columns)
            .join(AccountRow, col(AccountRow.id) == col(row.account_id))
            .where(_within(row.opened_at, from_at, before_at) | one_of(col(row.id), "ids"))
            .order_by(col(row.id))
        )
        rows = await self._session.exec(statement, params={"ids": list(dispute_ids)})
        return [RecordedDispute(*found) for found in rows]

    async def postings(self, from_at: datetime, before_at: datetime) -> list[GatewayPosting]:
        """Return what was posted in a month of payments by card or PayPal, in the order of accounts and postings."""
        posting, payment = LedgerPostingRow, PaymentRow
        columns: Any = (
            AccountRow.external_id,
            payment.reference,
            posting.kind,
            posting.amount_cents,
            posting.posted_at,
        )
        statement = (
            select(*columns)
            .join(AccountRow, col(AccountRow.id) == col(posting.account_id))
            .join(payment, col(payment.id) == col(posting.payment_id))
            .where(col(payment.kind).in_(_GATEWAY_KINDS), _within(posting.posted_at, from_at, before_at))
            .order_by(col(posting.account_id), col(posting.seq))
        )
        return [GatewayPosting(*found) for found in await self._session.exec(statement)]


def _within(at: datetime | None, from_at: datetime, before_at: datetime) -> ColumnElement[bool]:
    """Tell whether an instant is in a month; a column is typed as its value."""
    return (col(at) >= from_at) & (col(at) < before_at)
