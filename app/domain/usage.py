"""Calls and what they add up to: quantities in seconds, and which calls are taken (rules 3, 6, 8, 10, 24, 25)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from app.domain.periods import billing_date

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.policies import Policies


class RefusalReason(StrEnum):
    """Why a call could not be recorded and waits in quarantine."""

    MALFORMED = "MALFORMED"
    UNKNOWN_ACCOUNT = "UNKNOWN_ACCOUNT"
    TOO_OLD = "TOO_OLD"
    IN_THE_FUTURE = "IN_THE_FUTURE"
    CONFLICT = "CONFLICT"
    UNKNOWN_ORIGINAL = "UNKNOWN_ORIGINAL"
    ALREADY_CORRECTED = "ALREADY_CORRECTED"
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"


class Resolution(StrEnum):
    """The outcome of a quarantined call."""

    RELEASED = "RELEASED"
    DISCARDED = "DISCARDED"


@dataclass(frozen=True, slots=True)
class UsageTotals:
    """What a set of calls adds up to: seconds by kind, and how many calls."""

    live_seconds: int = 0
    patch_seconds: int = 0
    ivr_seconds: int = 0
    call_count: int = 0

    def __add__(self, other: UsageTotals) -> UsageTotals:
        """Return the sum of both."""
        return UsageTotals(
            self.live_seconds + other.live_seconds,
            self.patch_seconds + other.patch_seconds,
            self.ivr_seconds + other.ivr_seconds,
            self.call_count + other.call_count,
        )


class CallReport(NamedTuple):
    """One call as its source reports it; (`source`, `event_id`) names it for ever (rule 24).

    `script_seconds` is the operator's time on the script, `recording_seconds` the length of the recording;
    `corrects` names the event of the same source that this one replaces.
    """

    source: str
    event_id: str
    account: str
    started_at: datetime
    script_seconds: int = 0
    recording_seconds: int = 0
    patch_seconds: int = 0
    ivr_seconds: int = 0
    disposition: str = ""
    is_billable: bool = True
    corrects: str | None = None

    @property
    def live_seconds(self) -> int:
        """Operator seconds that count: the longer of script and recording (rule 6)."""
        return max(self.script_seconds, self.recording_seconds)

    @property
    def on(self) -> date:
        """The billing date on which the call began; it is not split at midnight (rule 3)."""
        return billing_date(self.started_at)


def is_charged(is_billable: bool, disposition: str, policies: Policies) -> bool:  # noqa: FBT001
    """Tell whether a call counts: its source says so and its disposition is not on the free list (rule 8)."""
    return is_billable and disposition not in policies.non_billable_dispositions


def refuse(started_at: datetime, now: datetime, open_from: date, policies: Policies) -> RefusalReason | None:
    """Return why a call cannot be recorded now, or None when it can (rule 25).

    `open_from` is the first day of the oldest month of the account not yet closed. A call of an open month is always
    taken; one of a closed month for `late_call_days`; one that begins later than now plus the tolerance is refused.
    """
    if started_at > now + policies.future_tolerance:
        return RefusalReason.IN_THE_FUTURE
    if started_at < now - timedelta(days=policies.late_call_days) and billing_date(started_at) < open_from:
        return RefusalReason.TOO_OLD
    return None
