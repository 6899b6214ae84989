"""The outcome of reported calls: recorded once, recognised again, corrected, or refused (rules 24, 25)."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from app.domain.periods import day_starts_at
from app.domain.policies import policies_on
from app.domain.usage import CallReport, RefusalReason, is_charged, refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.domain.policies import Policies


class RecordedCall(NamedTuple):
    """A call as it is kept. `seq` is its place in the account's order; `corrects_seq` the call that it replaces."""

    account_id: str
    seq: int
    source: str
    event_id: str
    started_at: datetime
    on_date: date
    script_seconds: int
    recording_seconds: int
    live_seconds: int
    patch_seconds: int
    ivr_seconds: int
    disposition: str
    is_billable: bool
    corrects_seq: int | None
    received_at: datetime


class Outcome(StrEnum):
    """The outcome of one reported call."""

    ACCEPTED = "ACCEPTED"
    DUPLICATE = "DUPLICATE"
    CONFLICT = "CONFLICT"
    QUARANTINED = "QUARANTINED"


class MeteringResult(NamedTuple):
    """The outcome for one report; `reason` where it was not accepted, `is_billable` where it was."""

    outcome: Outcome
    reason: RefusalReason | None = None
    is_billable: bool = False


@dataclass(slots=True)
class MeteredAccount:
    """What metering needs of an account: the first day not yet closed, and its last sequence number so far.

    A closed account has had its last invoice: nothing is recorded for it any more. `is_watched` tells whether usage of
    the open month may pass a limit that is told.
    """

    id: str
    open_from: date
    seq: int
    is_closed: bool = False
    is_watched: bool = True


@dataclass(slots=True)
class DayDelta:
    """What a batch adds to the sums of one billing date; seconds and counts, negative after corrections."""

    live_seconds: int = 0
    patch_seconds: int = 0
    ivr_seconds: int = 0
    call_count: int = 0
    free_call_count: int = 0
    last_started_at: datetime | None = None


_NO_TIME = timedelta(0)
_SHORTEST_DAY = timedelta(hours=23)  # when the clocks go forward; so much later it may be another date


class _Day(NamedTuple):
    """One billing date, kept because calls come in runs of one day: its beginning, its policies, and between which
    instants its calls are taken unasked.
    """

    on: date
    starts_at: datetime
    policies: Policies
    taken_from: datetime
    taken_until: datetime


@dataclass(slots=True)
class Metering:
    """Takes the reports of one batch one by one; what is to be written collects in `calls`, `days` and `accounts`.

    `accounts`: by external id. `known`: calls already recorded under the event ids of the batch, of one source.
    `corrected`: (account id, seq) of recorded calls that another has replaced.
    """

    now: datetime
    accounts: Mapping[str, MeteredAccount]
    known: dict[str, RecordedCall]
    corrected: set[tuple[str, int]] = field(default_factory=set)
    calls: list[RecordedCall] = field(default_factory=list)
    days: defaultdict[tuple[str, date], DayDelta] = field(default_factory=lambda: defaultdict(DayDelta))
    _day: _Day | None = None

    def take(self, reports: Iterable[CallReport]) -> list[MeteringResult]:
        """Judge every report in order and return one metered for each."""
        return [self._judge(report) for report in reports]

    def _judge(self, report: CallReport) -> MeteringResult:
        account = self.accounts.get(report.account)
        if account is None:
            return _REFUSED[RefusalReason.UNKNOWN_ACCOUNT]
        known = self.known.get(report.event_id)
        if known is not None:
            return self._compare(report, known, account)
        if account.is_closed:
            return _REFUSED[RefusalReason.ACCOUNT_CLOSED]
        day = self._day
        if day is None or not _NO_TIME <= report.started_at - day.starts_at < _SHORTEST_DAY:
            day = self._day = self._day_of(report)
        if not day.taken_from <= report.started_at <= day.taken_until:
            reason = refuse(report.started_at, self.now, account.open_from, day.policies)
            if reason is not None:
                return _REFUSED[reason]
        original = None
        if report.corrects is not None:
            original = self.known.get(report.corrects)
            reason = self._refuse_correction(original, account)
            if reason is not None:
                return _REFUSED[reason]
        is_billable = is_charged(report.is_billable, report.disposition, day.policies)
        self._record(report, account, day.on, is_billable, original)
        return _ACCEPTED[is_billable]

    def _day_of(self, report: CallReport) -> _Day:
        on = report.on
        policies = policies_on(on)
        return _Day(
            on,
            day_starts_at(on),
            policies,
            self.now - timedelta(days=policies.late_call_days),
            self.now + policies.future_tolerance,
        )

    def _compare(self, report: CallReport, known: RecordedCall, account: MeteredAccount) -> MeteringResult:
        same = (
            known.account_id == account.id
            and known.started_at == report.started_at
            and known.script_seconds == report.script_seconds
            and known.recording_seconds == report.recording_seconds
            and known.patch_seconds == report.patch_seconds
            and known.ivr_seconds == report.ivr_seconds
            and known.disposition == report.disposition
            and known.is_billable == is_charged(report.is_billable, report.disposition, policies_on(known.on_date))
            and self._corrects_the_same(report, known)
        )
        return _DUPLICATE if same else _CONFLICT

    def _corrects_the_same(self, report: CallReport, known: RecordedCall) -> bool:
        if report.corrects is None:
            return known.corrects_seq is None
        original = self.known.get(report.corrects)
        return original is not None and (original.account_id, original.seq) == (known.account_id, known.corrects_seq)

    def _refuse_correction(self, original: RecordedCall | None, account: MeteredAccount) -> RefusalReason | None:
        if original is None or original.account_id != account.id:
            return RefusalReason.UNKNOWN_ORIGINAL
        if (original.account_id, original.seq) in self.corrected:
            return RefusalReason.ALREADY_CORRECTED
        return refuse(original.started_at, self.now, account.open_from, policies_on(original.on_date))

    def _record(
        self,
        report: CallReport,
        account: MeteredAccount,
        on: date,
        is_billable: bool,  # noqa: FBT001
        original: RecordedCall | None,
    ) -> None:
        account.seq += 1
        call = RecordedCall(
            account.id,
            account.seq,
            report.source,
            report.event_id,
            report.started_at,
            on,
            report.script_seconds,
            report.recording_seconds,
            report.live_seconds,
            report.patch_seconds,
            report.ivr_seconds,
            report.disposition,
            is_billable,
            original.seq if original is not None else None,
            self.now,
        )
        self.known[report.event_id] = call
        self.calls.append(call)
        self._add_to_day(call, 1)
        if original is not None:
            self.corrected.add((original.account_id, original.seq))
            self._add_to_day(original, -1)

    def _add_to_day(self, call: RecordedCall, sign: int) -> None:
        day = self.days[call.account_id, call.on_date]
        if day.last_started_at is None or call.started_at > day.last_started_at:
            day.last_started_at = call.started_at
        if not call.is_billable:
            day.free_call_count += sign
            return
        day.live_seconds += sign * call.live_seconds
        day.patch_seconds += sign * call.patch_seconds
        day.ivr_seconds += sign * call.ivr_seconds
        day.call_count += sign


_ACCEPTED = {is_billable: MeteringResult(Outcome.ACCEPTED, None, is_billable) for is_billable in (False, True)}
_DUPLICATE = MeteringResult(Outcome.DUPLICATE)
_CONFLICT = MeteringResult(Outcome.CONFLICT, RefusalReason.CONFLICT)
_REFUSED = {reason: MeteringResult(Outcome.QUARANTINED, reason) for reason in RefusalReason}


REFUSALS: dict[RefusalReason, str] = {
    RefusalReason.MALFORMED: "The record cannot be read.",
    RefusalReason.UNKNOWN_ACCOUNT: "No account has this id. Create the account, then release the call.",
    RefusalReason.TOO_OLD: "The month of this call is closed, and its time for late calls is over.",
    RefusalReason.IN_THE_FUTURE: "The call begins later than now. Check the clock of its source.",
    RefusalReason.CONFLICT: (
        "Another call with this event id is recorded with other figures. Send a correction instead."
    ),
    RefusalReason.UNKNOWN_ORIGINAL: "The call that this one corrects is not recorded for the account.",
    RefusalReason.ACCOUNT_CLOSED: "The account is closed and has had its last invoice.",
    RefusalReason.ALREADY_CORRECTED: "The call that this one corrects was corrected already. Correct the correction.",
}
"""What to tell about each refusal."""
