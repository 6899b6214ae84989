"""Events of money that went back, or was to: refunds, returned payments, chargebacks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TypedDict

from app.domain.events.event import Event
from app.domain.refunds import DisputeState, RefundKind


class ReversedCharge(TypedDict):
    """The charge that a reversal is of; `is_open` tells whether its invoice is open now."""

    number: int | None
    method: str
    method_name: str
    attempt: str
    is_open: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reversal(Event):
    """What every kind of reversal records: the charge (see `ReversedCharge`) and how much of it went back."""

    number: int | None
    method: str
    method_name: str
    attempt: str
    is_open: bool
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentRefunded(Reversal):
    """Staff refunded a charge, or voided it before it was settled."""

    kind = "payment.refunded"
    sentence = "Refunded {amount_cents} to {method_name}; it is open again on invoice {number}."

    refund: str
    kind_: RefundKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundDeclined(Reversal):
    """The gateway declined a refund; nothing changed."""

    kind = "refund.refused"
    sentence = "The payment gateway declined a refund of {amount_cents}; nothing changed."

    refund: str
    code: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RefundFailed(Reversal):
    """A refund did not reach the customer, and its money is ours again."""

    kind = "refund.failed"
    sentence = "A refund of {amount_cents} failed and returned to us; our staff will refund it another way."

    refund: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownRefundMatched(Reversal):
    """A refund that only the gateway knew was matched to its charge."""

    kind = "refund.adopted"
    sentence = "Matched a refund of {amount_cents} at the payment gateway; it is open again on invoice {number}."

    refund: str
    transaction: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentReturned(Reversal):
    """The bank returned a payment; `next_attempt_at` is when it is charged again by itself, if at all."""

    kind = "payment.returned"
    sentence = "A payment of {amount_cents} was returned by the bank; it is open again on invoice {number}."

    code: str | None
    next_attempt_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargeVoidedAtGateway(Reversal):
    """Somebody voided a charge at the gateway."""

    kind = "payment.voided_elsewhere"
    sentence = "A charge of {amount_cents} was voided at the gateway; it is open again on invoice {number}."


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeChanged(Reversal):
    """What every step of a dispute records: its id, and the state that it had before."""

    dispute: str
    was: DisputeState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(DisputeChanged):
    """A bank disputes a charge."""

    kind = "dispute.opened"
    sentence = "A dispute was opened over {amount_cents} that paid invoice {number}."


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeWon(DisputeChanged):
    """A dispute was won: the charge stands."""

    kind = "dispute.won"
    sentence = "Won a dispute: {amount_cents} for invoice {number} stays paid."


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeLost(DisputeChanged):
    """A dispute was lost: the charge went back."""

    kind = "dispute.lost"
    sentence = "Lost a dispute: {amount_cents} was charged back, and invoice {number} is open again."
