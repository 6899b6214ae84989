"""The audit log, append-only."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from sqlalchemy import func, insert
from sqlmodel import col, select

from app.domain.events.event import Event, read_event, write_event
from app.models.events import EventRow
from app.ports import ORIGIN
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.ports import Ids

E = TypeVar("E", bound=Event)
E_co = TypeVar("E_co", bound=Event, covariant=True)

_INSERT = insert(EventRow)

_OTHER = ("system", "key:")
"""What came by itself, or from a system of ours whose address is nobody's business."""


@dataclass(frozen=True, slots=True)
class Entry(Generic[E_co]):
    """An entry of the audit log: who (`actor`, such as `system`, `staff:ann` or `user:usr_…`) did what, and when.

    `account_id` is None for what happened to no account, `subject_id` what the event is about, such as an invoice's id.
    """

    event: E_co
    _: KW_ONLY
    id: str
    actor: str
    occurred_at: datetime
    account_id: str | None = None
    subject_id: str | None = None
    request_id: str | None = None


class StoredEvent(NamedTuple):
    """An entry as its row has it, whatever its kind, for people to read."""

    kind: str
    actor: str
    occurred_at: datetime
    subject_id: str | None
    data: dict[str, Any]
    request_id: str | None


class EventRepository:
    """Adds to the audit log and reads it back."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def record(
        self,
        event: Event,
        *,
        ids: Ids,
        actor: str,
        at: datetime,
        account_id: str | None = None,
        subject_id: str | None = None,
        request_id: str | None = None,
    ) -> str:
        """Write an event in the caller's transaction and return the id of its entry; see `Entry` for the rest."""
        entry = Entry(
            event,
            id=ids.new("evt"),
            actor=actor,
            occurred_at=at,
            account_id=account_id,
            subject_id=subject_id,
            request_id=request_id,
        )
        await self.add_many([entry])
        return entry.id

    async def add_many(self, entries: Iterable[Entry[Event]]) -> None:
        """Write entries in the caller's transaction, with where a person's came from, as the edge has said."""
        origin = ORIGIN.get()
        rows = [
            (
                e.id,
                e.account_id,
                e.event.kind,
                e.subject_id,
                e.actor,
                e.request_id,
                write_event(e.event),
                e.occurred_at,
                None if e.actor.startswith(_OTHER) else origin,
            )
            for e in entries
        ]
        await execute_many(self._session, _INSERT, rows)

    async def list_for_account(self, account_id: str) -> list[StoredEvent]:
        """Return the audit log of an account, oldest first."""
        statement = select(EventRow).where(EventRow.account_id == account_id).order_by(col(EventRow.id))
        return [
            StoredEvent(row.kind, row.actor, row.occurred_at, row.subject_id, row.data, row.request_id)
            for row in await self._session.exec(statement)
        ]

    async def list_of(self, kind: type[E], account_id: str | None = None) -> list[Entry[E]]:
        """Return the events of a kind of an account, or of none where none is given, oldest first."""
        statement = (
            select(EventRow)
            .where(EventRow.account_id == account_id, EventRow.kind == kind.kind)
            .order_by(col(EventRow.occurred_at), col(EventRow.id))
        )
        return [
            Entry(
                read_event(kind, row.data),
                id=row.id,
                actor=row.actor,
                occurred_at=row.occurred_at,
                account_id=row.account_id,
                subject_id=row.subject_id,
                request_id=row.request_id,
            )
            for row in await self._session.exec(statement)
        ]

    async def has_happened(self, account_id: str, kind: type[Event], subject_id: str) -> bool:
        """Tell whether the account's audit log has an event of the kind about the subject."""
        statement = (
            select(col(EventRow.id))
            .where(EventRow.account_id == account_id, EventRow.kind == kind.kind, EventRow.subject_id == subject_id)
            .limit(1)
        )
        return (await self._session.exec(statement)).first() is not None

    async def last_at(self) -> datetime | None:
        """Return when the last thing happened that the audit log knows of."""
        return (await self._session.exec(select(func.max(EventRow.occurred_at)))).one()
