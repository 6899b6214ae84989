"""Events of an account: its life, its service, its taxes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from app.domain.accounts import AccountStatus
from app.domain.events.event import BeforeAfter, Event


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountOpened(Event):
    """An account was created, with its members (subject and role) if any were named."""

    kind = "account.created"
    sentence = "Opened the account."

    members: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanged(Event):
    """Particulars of an account changed, or its members (subject and role); only what changed is there."""

    kind = "account.changed"
    sentence = "Changed the account's particulars or people."

    name: BeforeAfter[str] | None = None
    trial_ends_on: BeforeAfter[date | None] | None = None
    paid_starts_on: BeforeAfter[date] | None = None
    plan_version_id: BeforeAfter[str] | None = None
    members: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountClosed(Event):
    """An account was closed. `final_invoice` is the number of its last invoice, if there was anything to bill."""

    kind = "account.closed"
    sentence = "Closed the account."

    status: BeforeAfter[AccountStatus]
    final_invoice: int | None
    applied_cents: int
    paid_out_cents: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspensionAnnounced(Event):
    """The customer was told when service will be suspended, for what is open on the invoice."""

    kind = "suspension.scheduled"
    sentence = "Announced that service will be suspended: {amount_cents} is open on invoice {number}."

    number: int
    suspend_at: datetime
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSuspended(Event):
    """Service was suspended, for what had been open on the invoice for too long."""

    kind = "account.suspended"
    sentence = "Suspended the account: {amount_cents} had been open for too long."

    number: int
    status: BeforeAfter[AccountStatus]
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountReactivated(Event):
    """Service came back after a suspension."""

    kind = "account.reactivated"
    sentence = "Served the account again: everything that was open is paid."

    status: BeforeAfter[AccountStatus]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTaxesSet(Event):
    """The account's taxes were set from a day on; each is in words, such as `County tax 1.25 %`."""

    kind = "taxes.set"
    sentence = "Set the taxes of the account."

    valid_from: date
    taxes: BeforeAfter[tuple[str, ...]]
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountTaxSet(Event):
    """Its only tax was set, as releases with one tax for an account did; nothing writes it any more."""

    kind = "tax.set"
    sentence = "Set the tax rate of the account."

    valid_from: date
    name: str
    ten_thousandths: int
    reason: str
