"""Events of the operation: usage, access keys, webhook events, the gateway and the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.accounts import KeyPurpose
from app.domain.events.event import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecorded(Event):
    """Calls of an account were recorded; `last_call` is the number of its last call."""

    kind = "usage.recorded"

    calls: int
    last_call: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedCallReleased(Event):
    """Staff released a call from quarantine, and it was recorded."""

    kind = "quarantine.released"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class QuarantinedCallDiscarded(Event):
    """Staff discarded a call in quarantine: it is never billed."""

    kind = "quarantine.discarded"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKeyCreated(Event):
    """Staff created an access key; `source` is whose calls an ingest key may report."""

    kind = "key.created"

    name: str
    purpose: KeyPurpose
    source: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKeyRevoked(Event):
    """Staff revoked an access key."""

    kind = "key.revoked"

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEventQuarantined(Event):
    """A webhook event, by its name at the gateway, could not be processed and waits for staff."""

    kind = "notice.quarantined"

    name: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEventReopened(Event):
    """Staff let a webhook event in quarantine be processed again."""

    kind = "notice.reopened"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookEventDismissed(Event):
    """Staff dismissed a webhook event in quarantine."""

    kind = "notice.dismissed"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewaySwept(Event):
    """The nightly sweep of the gateway found something for staff to look at."""

    kind = "gateway.swept"

    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TransactionAccepted(Event):
    """Staff have looked at a transaction of the gateway that belongs in no book of ours."""

    kind = "transaction.accepted"

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayReconciled(Event):
    """A restored database was compared with the gateway; `is_lifted` tells whether money moves again."""

    kind = "gateway.reconciled"

    since: datetime
    matched: int
    adopted: tuple[str, ...]
    problems: tuple[str, ...]
    is_lifted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseRestored(Event):
    """A backup was restored: its data ends at `data_until`, and invoice numbers go on from `next_number`."""

    kind = "database.restored"

    data_until: datetime | None
    next_number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceNumbersSkipped(Event):
    """Invoice numbers that may have been used since a backup are left out: from one on, before the other."""

    kind = "invoice_numbers.skipped"

    from_: int
    before: int
