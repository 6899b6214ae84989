"""Calls come in: each is recorded once, recognised when it comes again, or kept in quarantine (rules 24, 25)."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from app.domain.events.operations import QuarantinedCallDiscarded, QuarantinedCallReleased, UsageRecorded
from app.domain.metering import REFUSALS, Metering, MeteringResult, Outcome
from app.domain.usage import CallReport, RefusalReason, Resolution
from app.repositories import unit_of_work
from app.repositories.calls import QuarantinedCall
from app.repositories.events import Entry
from app.services.notifications.evaluate_thresholds import evaluate_usage
from app.services.usage.call_items import Unreadable, read_call_text, write_call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from app.domain.metering import MeteredAccount
    from app.ports import Clock, Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

BATCH_SIZE = 1_000
"""How many reports one transaction takes: long enough to be cheap, short enough not to hold others up."""

RECORDED = frozenset({Outcome.ACCEPTED, Outcome.DUPLICATE})
"""Outcomes after which a call is among those that count."""

ORIGINAL_CAME = "The call that it corrects has come in."


class Item(NamedTuple):
    """One thing a source sent: its place there, and the call it was read as; its text where it could not be read."""

    position: int
    call: CallReport | Unreadable
    text: str | None = None


async def record_calls(services: Services, *, source: str, items: Sequence[Item], actor: str) -> list[MeteringResult]:
    """Record a batch of one source in one transaction and return one result for each item, in order.

    Whatever is not recorded and is not a duplicate waits in quarantine with its text and its reason. A correction that
    came before its original is recorded with it.
    """

    async def work(uow: UnitOfWork) -> list[MeteringResult]:
        return await record_within(uow, services.clock, services.ids, source, items, actor)

    return await unit_of_work.write(services.database, work)


async def record_within(
    uow: UnitOfWork, clock: Clock, ids: Ids, source: str, items: Sequence[Item], actor: str
) -> list[MeteringResult]:
    """Do the work of `record_calls` in the caller's transaction."""
    reports = [item.call for item in items if isinstance(item.call, CallReport)]
    metering = await _prepare(uow, clock, source, reports)
    evaluated = iter(metering.take(reports))
    results = [next(evaluated) if isinstance(item.call, CallReport) else _MALFORMED for item in items]
    await _store(uow, metering, ids, actor)
    refused = [
        _quarantined(item, metered, source, metering, ids)
        for item, metered in zip(items, results, strict=True)
        if metered.reason is not None
    ]
    await uow.quarantine.add_many(refused)
    released = await _release_corrections(uow, clock, ids, source, metering, actor)
    corrected = {at: released.get(kept.fingerprint) for at, kept in zip(_refused_at(results), refused, strict=True)}
    return [corrected.get(at) or metered for at, metered in enumerate(results)]


def _refused_at(results: Sequence[MeteringResult]) -> list[int]:
    return [at for at, metered in enumerate(results) if metered.reason is not None]


async def _release_corrections(
    uow: UnitOfWork, clock: Clock, ids: Ids, source: str, metering: Metering, actor: str
) -> dict[str, MeteringResult]:
    """Record the corrections whose originals have come with this batch; return their results by fingerprint."""
    recorded = {call.event_id for call in metering.calls}
    if not recorded:
        return {}
    waiting = []
    for call in await uow.quarantine.list_waiting(source, RefusalReason.UNKNOWN_ORIGINAL):
        report = read_call_text(call.payload, source)
        if isinstance(report, CallReport) and report.corrects in recorded:
            waiting.append((call, Item(call.position, report, call.payload)))
    if not waiting:
        return {}
    results = await record_within(uow, clock, ids, source, [item for _, item in waiting], actor)
    released = {}
    for (call, _), metered in zip(waiting, results, strict=True):
        if metered.outcome in RECORDED:
            await resolve(uow, clock, ids, call, Resolution.RELEASED, actor, ORIGINAL_CAME)
            released[call.fingerprint] = metered
    return released


async def resolve(
    uow: UnitOfWork, clock: Clock, ids: Ids, call: QuarantinedCall, resolution: Resolution, actor: str, reason: str
) -> None:
    """Store the outcome of a quarantined call, and tell the audit log."""
    now = clock.now()
    await uow.quarantine.resolve(call.id, resolution, at=now, by=actor, note=reason)
    kind = QuarantinedCallReleased if resolution is Resolution.RELEASED else QuarantinedCallDiscarded
    await uow.events.record(kind(reason=reason), ids=ids, actor=actor, at=now, subject_id=call.id)


async def _prepare(uow: UnitOfWork, clock: Clock, source: str, reports: Sequence[CallReport]) -> Metering:
    event_ids = [report.event_id for report in reports]
    originals = [report.corrects for report in reports if report.corrects is not None]
    accounts = await uow.accounts.lock_for_metering(report.account for report in reports)
    known = await uow.calls.find_known(source, [*event_ids, *originals])
    corrected = await uow.calls.find_corrected([known[name] for name in originals if name in known])
    return Metering(clock.now(), accounts, known, corrected)


async def _store(uow: UnitOfWork, metering: Metering, ids: Ids, actor: str) -> None:
    if not metering.calls:
        return
    counts: dict[str, int] = {}
    for call in metering.calls:
        counts[call.account_id] = counts.get(call.account_id, 0) + 1
    touched = [account for account in metering.accounts.values() if account.id in counts]
    await uow.calls.add_many(metering.calls)
    await uow.calls.add_to_days(metering.days)
    await uow.accounts.save_usage_seq(touched)
    await uow.events.add_many(
        Entry(
            UsageRecorded(calls=counts[account.id], last_call=account.seq),
            id=ids.new("evt"),
            actor=actor,
            occurred_at=metering.now,
            account_id=account.id,
        )
        for account in touched
    )
    await evaluate_usage(uow, ids=ids, now=metering.now, open_months=_open_months(metering, touched))


def _open_months(metering: Metering, touched: Sequence[MeteredAccount]) -> dict[str, date]:
    """Return the open month of each account that has limits ahead in it and whose batch holds calls of it, or later."""
    watched = {account.id: account.open_from for account in touched if account.is_watched}
    return {
        account_id: watched[account_id]
        for (account_id, on), day in metering.days.items()
        if day.live_seconds and account_id in watched and on >= watched[account_id]
    }


def _quarantined(item: Item, metered: MeteringResult, source: str, metering: Metering, ids: Ids) -> QuarantinedCall:
    payload = _payload(item).replace("\0", "\N{REPLACEMENT CHARACTER}")  # PostgreSQL keeps no NUL in a text
    reason = metered.reason or RefusalReason.MALFORMED
    message = item.call.message if isinstance(item.call, Unreadable) else REFUSALS[reason]
    fingerprint = sha256(f"{source}\n{payload}".encode()).hexdigest()
    return QuarantinedCall(ids.new("qua"), fingerprint, source, item.position, payload, reason, message, metering.now)


def _payload(item: Item) -> str:
    """Return the item's text, or its call in the form that `call_items` reads again."""
    return write_call(item.call) if item.text is None and isinstance(item.call, CallReport) else item.text or ""


_MALFORMED = MeteringResult(Outcome.QUARANTINED, RefusalReason.MALFORMED)
