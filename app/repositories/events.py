"""The audit log, append-only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert
from sqlmodel import col, select

from app.models.events import EventRow
from app.ports import ORIGIN
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

_INSERT = insert(EventRow)

_OTHER = ("system", "key:")
"""What came by itself, or from a system of ours whose address is nobody's business."""


@dataclass(frozen=True, slots=True)
class Event:
    """One change of state: who (`actor`, such as `system`, `staff:ann` or `user:usr_…`) did what, to what, and when.

    From where is kept as the edge has said, for what a person did.
    """

    id: str
    account_id: str | None
    kind: str
    actor: str
    occurred_at: datetime
    subject_id: str | None = None
    data: dict[str, Any] = field(default_factory=dict)
    request_id: str | None = None


class EventRepository:
    """Adds to the audit log and reads it back."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_many(self, events: Iterable[Event]) -> None:
        """Write events in the caller's transaction."""
        origin = ORIGIN.get()
        rows = [
            (
                e.id,
                e.account_id,
                e.kind,
                e.subject_id,
                e.actor,
                e.request_id,
                e.data,
                e.occurred_at,
                None if e.actor.startswith(_OTHER) else origin,
            )
            for e in events
        ]
        await execute_many(self._session, _INSERT, rows)

    async def list_for_account(self, account_id: str) -> list[Event]:
        """Return the audit log of an account, oldest first."""
        statement = select(EventRow).where(EventRow.account_id == account_id).order_by(col(EventRow.id))
        return [_event(row) for row in await self._session.exec(statement)]

    async def list_of_business(self, kind: str) -> list[Event]:
        """Return what of a kind happened to no account but to all of them, oldest first."""
        statement = (
            select(EventRow)
            .where(col(EventRow.account_id).is_(None), EventRow.kind == kind)
            .order_by(col(EventRow.occurred_at), col(EventRow.id))
        )
        return [_event(row) for row in await self._session.exec(statement)]

    async def has_happened(self, account_id: str, kind: str, subject_id: str) -> bool:
        """Tell whether the account's audit log has an event of the kind about the subject."""
        statement = (
            select(col(EventRow.id))
            .where(EventRow.account_id == account_id, EventRow.kind == kind, EventRow.subject_id == subject_id)
            .limit(1)
        )
        return (await self._session.exec(statement)).first() is not None

    async def last_at(self) -> datetime | None:
        """Return when the last thing happened that the audit log knows of."""
        return (await self._session.exec(select(func.max(EventRow.occurred_at)))).one()


def _event(row: EventRow) -> Event:
    return Event(row.id, row.account_id, row.kind, row.actor, row.occurred_at, row.subject_id, row.data, row.request_id)
