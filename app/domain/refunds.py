"""Money that goes back: refunds by staff, disputes, returned payments; each opens the invoice's balance again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.collection import (
    ABSENCES_TO_BELIEVE,
    GATEWAY_DEADLINE,
    KEY_LIFE,
    AttemptState,
    CollectionStatus,
    opened_collection,
    state_after,
)
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import AnswerKind
from app.domain.periods import billing_instant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.domain.collection import Collection, CollectionChange
    from app.domain.payment_gateway import ChargeAnswer
    from app.domain.policies import CollectionPolicies


class RefundKind(StrEnum):
    """How it goes back: a charge that is not settled yet is taken back whole, a settled one is refunded."""

    VOID = "VOID"
    REFUND = "REFUND"


class DisputeState(StrEnum):
    """How far a dispute has come."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


class WebhookEventState(StrEnum):
    """The outcome of a webhook event of the payment gateway."""

    RECEIVED = "RECEIVED"
    DONE = "DONE"
    QUARANTINED = "QUARANTINED"


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of one charge given back by staff, whole or in part. Its id is the refund's order id at the gateway.

    `sent_at` is when it was sent last without a request key, or first with one; `absences` counts how often it was
    looked for since then, and not found.
    """

    id: str
    account_id: str
    attempt_id: str
    kind: RefundKind
    amount_cents: int
    state: AttemptState
    actor: str
    why: str
    uses_key: bool = True
    sends: int = 0
    absences: int = 0
    sent_at: datetime | None = None
    transaction_id: str | None = None
    next_action_at: datetime | None = None

    @property
    def request_key(self) -> str:
        """The key that makes sending it again harmless; a void and the refund in its place are two requests."""
        return f"{self.id}-void" if self.kind is RefundKind.VOID else self.id


@dataclass(frozen=True, slots=True)
class Dispute:
    """A charge that the customer's bank disputes, as the gateway has it."""

    id: str
    transaction_id: str
    amount_cents: int
    state: DisputeState
    opened_at: datetime
    changed_at: datetime


def net_received_cents(sums: Mapping[PostingKind, int]) -> int:
    """Return what was received on an invoice less what went back, from the sums of its postings by kind."""
    back = sum(sums.get(kind, 0) for kind in (PostingKind.REFUNDED, PostingKind.CHARGED_BACK, PostingKind.RETURNED))
    return sums.get(PostingKind.PAYMENT_RECEIVED, 0) - back


def refund_state_after(refund: Refund, answer: ChargeAnswer, *, was_sent: bool) -> AttemptState:
    """Return what a refund is after an answer of the gateway; `was_sent` where it had been sent before this time.

    A void is refused only for a sale that is past voiding, so that tells of an earlier sending too.
    """
    if refund.kind is RefundKind.REFUND:
        return state_after(answer, was_sent=was_sent)
    if answer.kind is AnswerKind.DONE:
        return AttemptState.SUCCEEDED
    if answer.kind in {AnswerKind.DECLINED, AnswerKind.REFUSED}:
        return AttemptState.DECLINED
    is_unsent = answer.kind is AnswerKind.NEVER_SENT and not was_sent
    return AttemptState.PLANNED if is_unsent else AttemptState.UNKNOWN


def can_refund_again(refund: Refund, now: datetime) -> bool:
    """Tell whether sending a refund again is safe: under its key, or when it was not found twice (rule 31)."""
    if refund.sent_at is None or refund.state is AttemptState.PLANNED:
        return True
    has_key = refund.uses_key and now - refund.sent_at < KEY_LIFE
    return has_key or refund.absences >= ABSENCES_TO_BELIEVE


def sent_again(refund: Refund, now: datetime) -> Refund:
    """Return a refund as it is when it is about to be sent; without a key, every sending is looked for anew."""
    is_first = refund.sent_at is None or refund.state is AttemptState.PLANNED
    sent_at = refund.sent_at if refund.uses_key and not is_first else now
    return replace(refund, state=AttemptState.SENT, sends=refund.sends + 1, absences=0, sent_at=sent_at)


def is_decided(sent_at: datetime | None, now: datetime) -> bool:
    """Tell whether the gateway has decided by now about what was sent: looking for it then tells something."""
    return sent_at is None or now >= sent_at + GATEWAY_DEADLINE


BY_HAND: CollectionChange = {
    "is_by_hand": True,
    "is_requested": False,
    "is_checkout": False,
    "next_attempt_at": None,
    "late_fee_at": None,
    "warn_at": None,
    "suspend_at": None,
}


def collected_by_hand(collection: Collection) -> CollectionChange:
    """Return the fields that change when money of an invoice goes back for a reason: nothing is charged by itself.

    No fee and no suspension follow either; what is under way is left to end.
    """
    if collection.status is not CollectionStatus.DONE:
        return BY_HAND.copy()
    return {**BY_HAND, "status": CollectionStatus.WAITING, "retry_at": None, "failures": 0}


def collected_again(
    collection: Collection,
    *,
    returned_on: date,
    paid_starts_on: date,
    had_late_fee: bool,
    policies: CollectionPolicies,
) -> CollectionChange:
    """Return the fields that change when a bank returns a payment: its day is the first of the schedule, and that round
    has failed (rules 30, 32, 33). The fee is due once for an invoice, however often it is returned.
    """
    if collection.status is not CollectionStatus.DONE:
        return {}
    slots = [billing_instant(returned_on + timedelta(days=days), policies.collects_at) for days in policies.retry_days]
    begun = opened_collection(
        invoice_id=collection.invoice_id,
        account_id=collection.account_id,
        due_on=returned_on,
        issued_at=slots[0],
        paid_starts_on=paid_starts_on,
        policies=policies,
    )
    return {
        "status": CollectionStatus.WAITING,
        "due_on": returned_on,
        "is_by_hand": False,
        "is_checkout": False,
        "is_requested": False,
        "slots_used": 1,
        "next_attempt_at": next(iter(slots[1:]), None),
        "late_fee_at": None if had_late_fee else begun.late_fee_at,
        "warn_at": begun.warn_at,
        "suspend_at": begun.suspend_at,
        "retry_at": None,
        "failures": 0,
    }
