"""Calls, append-only, with the daily sums that every page reads instead of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, func, insert, update
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from app.domain.metering import RecordedCall
from app.domain.periods import Period
from app.domain.usage import UsageTotals
from app.models.accounts import AccountRow
from app.models.calls import CallRow, QuarantinedCallRow, UsageDayRow
from app.repositories.billing_facts import total
from app.repositories.bulk import execute_many, read_rows, upsert
from app.repositories.conditions import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.metering import DayDelta
    from app.domain.usage import RefusalReason, Resolution
    from app.repositories.bulk import Columns, Merged

_CALL_COLUMNS = tuple(col(getattr(CallRow, name)) for name in RecordedCall._fields)
_BILLED_SECONDS = (col(CallRow.live_seconds), col(CallRow.patch_seconds), col(CallRow.ivr_seconds))
_INSERT_CALL = insert(CallRow)
_FIND_KNOWN = select(*_CALL_COLUMNS).where(CallRow.source == bindparam("source"), one_of(CallRow.event_id, "event_ids"))


def _add_to_day(stored: Columns, incoming: Columns) -> Merged:
    later = incoming.last_started_at > stored.last_started_at
    changes = {name: stored[name] + incoming[name] for name in _DAY_SUMS}
    return {**changes, "last_started_at": case((later, incoming.last_started_at), else_=stored.last_started_at)}


_DAY_SUMS = ("live_seconds", "patch_seconds", "ivr_seconds", "call_count", "free_call_count")
_UPSERT_DAY = upsert(UsageDayRow, ("account_id", "on_date"), _add_to_day)
_KEEP_QUARANTINED = upsert(
    QuarantinedCallRow,
    ("fingerprint",),
    None,
    ("id", "fingerprint", "source", "position", "payload", "reason", "message", "received_at"),
)


@dataclass(frozen=True, slots=True)
class QuarantinedCall:
    """A call that could not be used: its whole text, where it stood, and why."""

    id: str
    fingerprint: str
    source: str
    position: int
    payload: str
    reason: RefusalReason
    message: str
    received_at: datetime
    resolution: Resolution | None = None


class CallRepository:
    """Records calls and adds them up."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find_known(self, source: str, event_ids: Iterable[str]) -> dict[str, RecordedCall]:
        """Return the calls already recorded under these event ids of the source."""
        rows = await read_rows(self._session, _FIND_KNOWN, source=source, event_ids=list(event_ids))
        return {call.event_id: call for call in map(RecordedCall._make, rows)}

    async def find_corrected(self, calls: Iterable[RecordedCall]) -> set[tuple[str, int]]:
        """Return which of the calls, as (account id, seq), another call has replaced."""
        by_account: dict[str, list[int]] = {}
        for call in calls:
            by_account.setdefault(call.account_id, []).append(call.seq)
        corrected = set()
        for account_id, seqs in by_account.items():
            statement = select(CallRow.corrects_seq).where(
                CallRow.account_id == account_id, col(CallRow.corrects_seq).in_(seqs)
            )
            corrected |= {(account_id, seq) for seq in await self._session.exec(statement) if seq is not None}
        return corrected

    async def add_many(self, calls: Sequence[RecordedCall]) -> None:
        """Append calls."""
        await execute_many(self._session, _INSERT_CALL, calls)

    async def add_to_days(self, days: Mapping[tuple[str, date], DayDelta]) -> None:
        """Add a batch to the daily sums."""
        rows = [
            (
                account_id,
                on,
                Period.containing(on).starts_on,
                day.live_seconds,
                day.patch_seconds,
                day.ivr_seconds,
                day.call_count,
                day.free_call_count,
                day.last_started_at,
            )
            for (account_id, on), day in days.items()
        ]
        await execute_many(self._session, _UPSERT_DAY, rows)

    async def sum_days(self, account_id: str, since: date, before: date, watermark: int) -> dict[date, UsageTotals]:
        """Add up raw calls by billing date, as they stood when the account had `watermark` calls.

        A call replaced by then does not count; the sums that pages read are never consulted.
        """
        later = aliased(CallRow)
        replaced = (
            select(later.seq)
            .where(later.account_id == CallRow.account_id, later.corrects_seq == CallRow.seq, later.seq <= watermark)
            .exists()
        )
        columns: Any = (CallRow.on_date, *(total(column) for column in _BILLED_SECONDS), func.count())
        statement = (
            select(*columns)
            .where(
                CallRow.account_id == account_id,
                CallRow.on_date >= since,
                CallRow.on_date < before,
                CallRow.seq <= watermark,
                col(CallRow.is_billable),
                ~replaced,
            )
            .group_by(col(CallRow.on_date))
        )
        rows = await self._session.exec(statement)
        return {on: UsageTotals(live, patch, ivr, count) for on, live, patch, ivr, count in rows}

    async def count(self, account_id: str) -> tuple[int, int]:
        """Return how many calls the account has, and the number of its last: they differ if one was lost."""
        calls = select(func.count()).where(CallRow.account_id == account_id).scalar_subquery()
        statement = select(calls, AccountRow.usage_seq).where(AccountRow.id == account_id)
        return tuple((await self._session.exec(statement)).one())

    async def days(self, account_id: str) -> dict[date, UsageTotals]:
        """Return the daily sums that pages read."""
        rows = await self._session.exec(select(UsageDayRow).where(UsageDayRow.account_id == account_id))
        return {r.on_date: UsageTotals(r.live_seconds, r.patch_seconds, r.ivr_seconds, r.call_count) for r in rows}


class QuarantineRepository:
    """What could not be used, until a person releases or discards it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_many(self, calls: Sequence[QuarantinedCall]) -> None:
        """Keep calls; one that is kept already is left as it is."""
        rows = [
            (c.id, c.fingerprint, c.source, c.position, c.payload, c.reason, c.message, c.received_at) for c in calls
        ]
        await execute_many(self._session, _KEEP_QUARANTINED, rows)

    async def list_open(self, limit: int) -> list[QuarantinedCall]:
        """Return what waits for a person, oldest first."""
        statement = (
            select(QuarantinedCallRow)
            .where(col(QuarantinedCallRow.resolution).is_(None))
            .order_by(col(QuarantinedCallRow.id))
            .limit(limit)
        )
        return [_quarantined(row) for row in await self._session.exec(statement)]

    async def list_waiting(self, source: str, reason: RefusalReason) -> list[QuarantinedCall]:
        """Return what waits of a source for one reason, oldest first."""
        row = QuarantinedCallRow
        statement = (
            select(row)
            .where(col(row.resolution).is_(None), row.source == source, row.reason == reason)
            .order_by(col(row.id))
        )
        return [_quarantined(found) for found in await self._session.exec(statement)]

    async def count_open(self) -> int:
        """Return how many wait for a person."""
        statement = select(func.count()).where(col(QuarantinedCallRow.resolution).is_(None))
        return (await self._session.exec(statement)).one()

    async def count_open_since(self, instant: datetime) -> int:
        """Return how many of those came in since an instant."""
        statement = select(func.count()).where(
            col(QuarantinedCallRow.resolution).is_(None), QuarantinedCallRow.received_at >= instant
        )
        return (await self._session.exec(statement)).one()

    async def find(self, quarantined_id: str) -> QuarantinedCall | None:
        """Return one, resolved or not."""
        row = await self._session.get(QuarantinedCallRow, quarantined_id)
        return None if row is None else _quarantined(row)

    async def resolve(self, quarantined_id: str, resolution: Resolution, *, at: datetime, by: str, note: str) -> None:
        """Store its outcome."""
        values = {"resolution": resolution, "resolved_at": at, "resolved_by": by, "resolution_note": note}
        statement = update(QuarantinedCallRow).where(col(QuarantinedCallRow.id) == quarantined_id).values(values)
        await self._session.exec(statement)


def _quarantined(row: QuarantinedCallRow) -> QuarantinedCall:
    return QuarantinedCall(
        id=row.id,
        fingerprint=row.fingerprint,
        source=row.source,
        position=row.position,
        payload=row.payload,
        reason=row.reason,
        message=row.message,
        received_at=row.received_at,
        resolution=row.resolution,
    )
