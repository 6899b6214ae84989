"""Events of payments, charges and dunning: money that came in, or did not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.domain.events.event import BeforeAfter, Event
from app.domain.payment_gateway import DeclineSeverity


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRecorded(Event):
    """Staff recorded money received; `paid` are the ids of the invoices that it paid in full."""

    kind = "payment.recorded"
    sentence = "Recorded a payment of {amount_cents}."

    amount_cents: int
    reference: str
    reason: str
    paid: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PrepaymentRecorded(Event):
    """Staff recorded money received in advance; `credit_cents` is all credit of the account."""

    kind = "payment.prepaid"
    sentence = "Recorded a prepayment of {amount_cents}, which became credit."

    amount_cents: int
    reference: str
    reason: str
    credit_cents: BeforeAfter[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRequested(Event):
    """The customer asked to be charged now: for one invoice by its number, or for so many open `invoices`."""

    kind = "payment.requested"
    sentence = "Requested payment now."

    number: int | None = None
    invoices: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeSucceeded(Event):
    """A payment method was charged for an invoice."""

    kind = "payment.received"
    sentence = "Charged {amount_cents} to {method_name} for invoice {number}."

    number: int
    amount_cents: int
    method: str
    method_name: str
    is_backup: bool
    attempt: str
    payment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeDeclined(Event):
    """A charge for an invoice was declined; without a severity the gateway refused it, and no bank was asked."""

    kind = "payment.declined"
    sentence = "A charge of {amount_cents} for invoice {number} was declined."

    number: int
    amount_cents: int
    method: str
    attempt: str
    code: str
    severity: DeclineSeverity | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionFailed(Event):
    """No payment method paid an invoice: the ids of those tried, the codes of their declines, and the next attempt."""

    kind = "payment.failed"
    sentence = "Could not collect {amount_cents} for invoice {number}."

    number: int
    amount_cents: int
    methods: tuple[str, ...]
    codes: tuple[str, ...]
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionResumed(Event):
    """Staff let the collection of a parked invoice go on."""

    kind = "collection.resumed"
    sentence = "Resumed the collection of invoice {number}."

    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownChargeMatched(Event):
    """A charge that only the gateway knew was matched to the invoice that it paid."""

    kind = "charge.adopted"
    sentence = "Matched a charge of {amount_cents} at the payment gateway to invoice {number}."

    number: int
    transaction: str
    attempt: str
    amount_cents: int
