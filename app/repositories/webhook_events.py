"""What the payment gateway told us by itself, what is held back, and what was done on its day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import delete, func, or_, update
from sqlmodel import col, select

from app.domain.payment_gateway import WebhookEvent
from app.domain.refunds import WebhookEventState
from app.models.webhook_events import HoldRow, ScheduleRunRow, WebhookEventRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

_KEEP_NOTICE = upsert(WebhookEventRow, ["payload_hash"])
_KEEP_RUN = upsert(ScheduleRunRow, ["kind", "scheduled_for"])

COLLECTION = "collection"
MESSAGES = "messages"


@dataclass(frozen=True, slots=True)
class Hold:
    """Something that is not done for the time being, since when, and why."""

    name: str
    since: datetime
    reason: str


class HoldRepository:
    """Holds by name."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, name: str) -> Hold | None:
        """Return the hold of that name, where there is one."""
        row = await self._session.get(HoldRow, name, populate_existing=True)
        return None if row is None else Hold(row.name, row.since, row.reason)

    async def put(self, hold: Hold) -> None:
        """Hold something back from now on; one that is held already keeps its first reason."""
        if await self.find(hold.name) is None:
            self._session.add(HoldRow(name=hold.name, since=hold.since, reason=hold.reason))
            await self._session.flush()

    async def lift(self, name: str) -> None:
        """Let it go on."""
        await self._session.exec(delete(HoldRow).where(col(HoldRow.name) == name))


@dataclass(frozen=True, slots=True)
class StoredWebhookEvent:
    """A notice that was received; `failures` counts how often it could not be dealt with yet."""

    id: str
    notice: WebhookEvent
    state: WebhookEventState
    failures: int
    received_at: datetime
    reason: str | None = None


class WebhookEventRepository:
    """The inbox of the payment gateway: each payload is kept once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, notice_id: str, notice: WebhookEvent, *, payload_hash: str, received_at: datetime) -> bool:
        """Keep a notice; False when the same payload is there already."""
        details = {"dispute": notice.dispute_id, "amount_cents": notice.amount_cents}
        values = (
            notice_id,
            payload_hash,
            notice.kind,
            notice.name,
            notice.sent_at,
            notice.subject_id,
            details,
            WebhookEventState.RECEIVED,
            None,
            0,
            received_at,
            None,
            None,
        )
        return bool(await execute_many(self._session, _KEEP_NOTICE, [values]))

    async def due(self, now: datetime, limit: int) -> list[StoredWebhookEvent]:
        """Return notices that are to be dealt with by now, in the order in which they came."""
        row = WebhookEventRow
        statement = (
            select(row)
            .where(
                row.state == WebhookEventState.RECEIVED,
                or_(col(row.next_action_at).is_(None), col(row.next_action_at) <= now),
            )
            .order_by(col(row.received_at), col(row.id))
            .limit(limit)
        )
        return [_notice(found) for found in await self._session.exec(statement)]

    async def list_all(self) -> list[StoredWebhookEvent]:
        """Return the whole inbox, in the order in which it came in."""
        row = WebhookEventRow
        statement = select(row).order_by(col(row.received_at), col(row.id))
        return [_notice(found) for found in await self._session.exec(statement)]

    async def close(
        self,
        notice_id: str,
        state: WebhookEventState,
        *,
        at: datetime,
        reason: str | None = None,
        was: WebhookEventState = WebhookEventState.RECEIVED,
    ) -> bool:
        """Store the outcome of a notice; False when somebody else has dealt with it."""
        row = WebhookEventRow
        statement = (
            update(row)
            .where(col(row.id) == notice_id, col(row.state) == was)
            .values(state=state, reason=reason, processed_at=at, next_action_at=None)
        )
        result = await self._session.exec(statement)
        return bool(result.rowcount)

    async def reopen(self, notice_id: str) -> bool:
        """Let a notice that is in quarantine be dealt with again; False when it is not there."""
        row = WebhookEventRow
        statement = (
            update(row)
            .where(col(row.id) == notice_id, col(row.state) == WebhookEventState.QUARANTINED)
            .values(state=WebhookEventState.RECEIVED, failures=0, next_action_at=None, processed_at=None)
        )
        result = await self._session.exec(statement)
        return bool(result.rowcount)

    async def postpone(self, stored: StoredWebhookEvent, *, until: datetime, reason: str) -> None:
        """Store that a notice is to be dealt with later, and why not now."""
        row = WebhookEventRow
        statement = (
            update(row)
            .where(col(row.id) == stored.id, col(row.state) == WebhookEventState.RECEIVED)
            .values(failures=stored.failures + 1, next_action_at=until, reason=reason)
        )
        await self._session.exec(statement)


class ScheduleRepository:
    """What happens once on each of its days."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def is_done(self, kind: str, scheduled_for: datetime) -> bool:
        """Tell whether it was done for that day."""
        row = await self._session.get(ScheduleRunRow, (kind, scheduled_for), populate_existing=True)
        return row is not None and row.done_at is not None

    async def mark_done(self, kind: str, scheduled_for: datetime, *, at: datetime) -> None:
        """Store that it was done for that day; a second time changes nothing."""
        await execute_many(self._session, _KEEP_RUN, [(kind, scheduled_for, at)])

    async def last_at(self, kind: str) -> datetime | None:
        """Return the last day that something of the kind was done for."""
        statement = select(func.max(ScheduleRunRow.scheduled_for)).where(ScheduleRunRow.kind == kind)
        return (await self._session.exec(statement)).one()


def _notice(row: WebhookEventRow) -> StoredWebhookEvent:
    notice = WebhookEvent(
        kind=row.kind,
        sent_at=row.sent_at,
        subject_id=row.subject_id,
        dispute_id=row.details["dispute"],
        amount_cents=row.details["amount_cents"],
        name=row.name,
    )
    return StoredWebhookEvent(row.id, notice, row.state, row.failures, row.received_at, row.reason)
