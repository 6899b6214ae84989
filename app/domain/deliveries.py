"""A message on its way: its states, when it is tried again, and when it is given up (rule 37)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING
from zlib import crc32

if TYPE_CHECKING:
    from datetime import datetime

MOST_ATTEMPTS = 12

_PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=4),
    timedelta(hours=12),
)
_SPREAD_PERCENT = 20


class DeliveryState(StrEnum):
    """Where a message stands; UNKNOWN is a phone call that may have been made: a person decides, it is never repeated.

    A mail has none: it is sent again, for twice is better than never.
    """

    QUEUED = "QUEUED"
    SENDING = "SENDING"
    SENT = "SENT"
    FAILED = "FAILED"
    UNKNOWN = "UNKNOWN"


class CallOutcome(StrEnum):
    """What the operator's system reports of a call that it made, or did not."""

    ANSWERED = "ANSWERED"
    VOICEMAIL = "VOICEMAIL"
    NO_ANSWER = "NO_ANSWER"
    BUSY = "BUSY"
    DECLINED = "DECLINED"
    WRONG_NUMBER = "WRONG_NUMBER"
    NOT_MADE = "NOT_MADE"


def pause_after(attempts: int, key: str) -> timedelta:
    """Return how long to wait after so many attempts; `key` spreads those that failed together over a fifth more."""
    pause = _PAUSES[min(attempts, len(_PAUSES)) - 1]
    return pause + pause * (crc32(key.encode()) % _SPREAD_PERCENT) / 100


def is_given_up(attempts: int) -> bool:
    """Tell whether a message has been tried often enough: over more than three days."""
    return attempts >= MOST_ATTEMPTS


class MailResult(StrEnum):
    """What a mail server made of a mail. UNREACHABLE speaks of the server, the others of the mail."""

    ACCEPTED = "ACCEPTED"
    REFUSED = "REFUSED"
    LATER = "LATER"
    UNREACHABLE = "UNREACHABLE"


class MailProblem(StrEnum):
    """What came back of a mail after its server had taken it."""

    BOUNCE = "BOUNCE"
    COMPLAINT = "COMPLAINT"


@dataclass(frozen=True, slots=True)
class MailReport:
    """One address that a mail bounced from for good, or whose owner complained of it; `reason` is for people."""

    problem: MailProblem
    address: str
    reason: str


class CallResult(StrEnum):
    """What the operator's system made of a call that was handed to it. UNKNOWN: it may have it, or not."""

    TAKEN = "TAKEN"
    REFUSED = "REFUSED"
    NOT_REACHED = "NOT_REACHED"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail to one person. `id` gives its Message-ID, the same however often it is sent."""

    id: str
    to_name: str
    to_address: str
    subject: str
    text: str
    html: str
    written_at: datetime
    unsubscribe_url: str | None = None


@dataclass(frozen=True, slots=True)
class MailAnswer:
    """A server's answer; `detail` is its own words, for the log of deliveries.

    `was_offered` where the server was there and the mail on its way to it: what breaks a connection again and again is
    the mail's own fault in the end.
    """

    result: MailResult
    detail: str
    was_offered: bool = False

    @property
    def counts(self) -> bool:
        """Tell whether the mail was tried: where no server was there, it only waits."""
        return self.was_offered or self.result is not MailResult.UNREACHABLE


@dataclass(frozen=True, slots=True)
class CallTask:
    """A phone call for the operator's system: `number` is E.164, `not_after` the end of the contact's hours."""

    id: str
    account: str
    name: str
    number: str
    kind: str
    script: str
    not_before: datetime
    not_after: datetime


@dataclass(frozen=True, slots=True)
class CallAnswer:
    """The answer of the operator's system to a task."""

    result: CallResult
    detail: str
