"""What of the money waits for a person of ours, in figures across all accounts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import func, text
from sqlmodel import col, select

from app.domain.collection import CollectionStatus
from app.domain.refunds import DisputeState
from app.models.collection import OPEN_ATTEMPT, CollectionRow, DisputeRow, PaymentAttemptRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession


class MoneyWaiting(NamedTuple):
    """Charges sent long ago with no known outcome, collections that broke off, and disputes without an end."""

    unknown_charges: int
    parked: int
    disputes: int


class DutyRepository:
    """Counts for the person on duty."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def money_waiting(self, sent_before: datetime) -> MoneyWaiting:
        """Return the figures of now; a charge counts once it was sent before the instant."""
        unknown = select(func.count()).where(text(OPEN_ATTEMPT), col(PaymentAttemptRow.sent_at) < sent_before)
        parked = select(func.count()).where(CollectionRow.status == CollectionStatus.PARKED)
        disputes = select(func.count()).where(DisputeRow.state == DisputeState.OPEN)
        statement = select(unknown.scalar_subquery(), parked.scalar_subquery(), disputes.scalar_subquery())
        return MoneyWaiting(*(await self._session.exec(statement)).one())
