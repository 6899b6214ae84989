"""Calls as pages show them, and the part of an account's calls that stands behind a line of an invoice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, NamedTuple

from app.domain.periods import day_starts_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.invoice_lines import LineKind


class Call(NamedTuple):
    """One call, seconds by kind; `seq` is its place in the account's commit order.

    `is_corrected`: a later report has replaced it. `is_billed`: it counts on a bill.
    """

    account_id: str
    seq: int
    started_at: datetime
    on: date
    live_seconds: int
    script_seconds: int
    recording_seconds: int
    patch_seconds: int
    ivr_seconds: int
    disposition: str
    corrects_seq: int | None
    is_corrected: bool
    is_billed: bool

    @property
    def id(self) -> str:
        """What clients call the call; made from the account's id and the call's place, never stored."""
        return call_id(self.account_id, self.seq)

    @property
    def corrects_id(self) -> str | None:
        """The id of the call whose place this one takes, or None."""
        return None if self.corrects_seq is None else call_id(self.account_id, self.corrects_seq)


class UsageOfDay(NamedTuple):
    """What the billed calls of one billing date add up to, in seconds by kind."""

    on: date
    live_seconds: int
    patch_seconds: int
    ivr_seconds: int
    call_count: int


@dataclass(frozen=True, slots=True)
class CallPage:
    """A stretch of a list of calls; `total` is None when nobody asked for the count."""

    calls: Sequence[Call]
    total: int | None


@dataclass(frozen=True, slots=True)
class UnderlyingCalls:
    """The underlying calls of a line: those from `since_on` until before `before_on`, as of `watermark`.

    Whatever came in later is not among them. `earlier_watermark` is that of the invoice before: a correction of a past
    month is about what came in between the two.
    """

    kind: LineKind
    since_on: date
    before_on: date
    watermark: int
    earlier_watermark: int

    @property
    def since_at(self) -> datetime:
        """The instant at which the first day begins."""
        return day_starts_at(self.since_on)

    @property
    def before_at(self) -> datetime:
        """The instant at which the last day ends."""
        return day_starts_at(self.before_on)


def call_id(account_id: str, seq: int) -> str:
    """Return the id of a call: `call_`, the characters of its account's id, and its place."""
    return f"call_{account_id.partition('_')[2]}_{seq}"
