"""Calls of an answering service and what they add up to."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from app.domain.metering import MeteredAccount, Metering
from app.domain.periods import Period
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.usage import CallReport, UsageTotals, is_charged


def a_call(
    *,
    started_at: datetime = datetime(2026, 9, 14, 17, 30, tzinfo=UTC),
    event_id: str = "AA0101/48213/260914",
    source: str = "call-centre",
    account: str = "AA0101",
    script_seconds: int = 120,
    recording_seconds: int = 150,
    patch_seconds: int = 0,
    ivr_seconds: int = 0,
    disposition: str = "MESSAGE",
    is_billable: bool = True,
    corrects: str | None = None,
) -> CallReport:
    return CallReport(
        source=source,
        event_id=event_id,
        account=account,
        started_at=started_at,
        script_seconds=script_seconds,
        recording_seconds=recording_seconds,
        patch_seconds=patch_seconds,
        ivr_seconds=ivr_seconds,
        disposition=disposition,
        is_billable=is_billable,
        corrects=corrects,
    )


def usage(
    *,
    live_minutes: int = 0,
    live_seconds: int = 0,
    patch_seconds: int = 0,
    ivr_seconds: int = 0,
    call_count: int = 0,
) -> UsageTotals:
    """Totals of a month; live time is the sum of both live figures."""
    return UsageTotals(live_minutes * 60 + live_seconds, patch_seconds, ivr_seconds, call_count)


def usage_of(
    calls: Iterable[CallReport], period: Period, *, paid_starts_on: date, policies: Policies = POLICY_VERSIONS[-1]
) -> UsageTotals:
    """What the charged calls of a month add up to; calls of the trial are left out (rule 10)."""
    totals = UsageTotals()
    for call in calls:
        charged = is_charged(call.is_billable, call.disposition, policies)
        if charged and period.contains(call.on) and call.on >= paid_starts_on:
            totals += UsageTotals(call.live_seconds, call.patch_seconds, call.ivr_seconds, 1)
    return totals


def a_metering(
    *,
    now: datetime = datetime(2026, 9, 15, 12, 0, tzinfo=UTC),
    accounts: Iterable[str] = ("AA0101", "AA0102"),
    open_from: date = date(2026, 9, 1),
    after: Metering | None = None,
) -> Metering:
    """A batch in which each account has three calls so far; `after` carries on where an earlier batch ended."""
    if after is None:
        metered = {name: MeteredAccount(f"acc_{name.lower()}", open_from, 3) for name in accounts}
        return Metering(now, metered, known={})
    return Metering(now, after.accounts, dict(after.known), set(after.corrected))
