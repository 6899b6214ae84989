"""What customers are told of a charge: in words of ours, never the code or the text of a bank."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.payment_gateway import DeclineSeverity

if TYPE_CHECKING:
    from app.views.invoices import ChargeAttempt, Collecting

DECLINED = {
    DeclineSeverity.HARD: "The bank declined it for good. Replace this payment method, or ask your bank.",
    DeclineSeverity.SOFT: "The bank declined it this time. It may go through on a later day.",
    DeclineSeverity.NETWORK: "The bank could not be reached. It is tried again.",
}

NEEDS_ATTENTION = "A bank has declined it for good. Replace this payment method, or ask your bank."
RETURNED = "The bank did not pay it after all."
VOIDED = "The payment gateway withdrew the charge."
TAKEN_BACK = "The bank took the payment back, because it was disputed."
NOT_ACCEPTED = "It was not accepted by the payment gateway. Nothing was taken."

ATTEMPTS = {
    AttemptState.PLANNED: "The payment gateway could not be reached yet. It is tried again in a moment.",
    AttemptState.SENT: "Under way.",
    AttemptState.SUCCEEDED: "Paid.",
    AttemptState.DECLINED: NOT_ACCEPTED,
    AttemptState.UNKNOWN: "The bank has not answered yet. Nothing else is charged until we know.",
}

COLLECTIONS = {
    CollectionStatus.IDLE: "It is about to be charged.",
    CollectionStatus.CHARGING: "It is being charged.",
    CollectionStatus.UNKNOWN: "We are waiting for the bank. Nothing else is charged until we know.",
    CollectionStatus.DONE: "Nothing is left to collect.",
    CollectionStatus.PARKED: "Our staff are looking at it. You need not do anything.",
}


def attempt_words(attempt: ChargeAttempt) -> str:
    """Return the outcome of a charge, and what to do."""
    if attempt.state is AttemptState.DECLINED and attempt.decline is not None:
        return DECLINED[DeclineSeverity(attempt.decline["severity"])]
    return ATTEMPTS[attempt.state]


def collection_words(collecting: Collecting) -> str:
    """Return where the collecting of an invoice stands."""
    if collecting.status is not CollectionStatus.WAITING:
        return COLLECTIONS[collecting.status]
    if collecting.next_attempt_at is None:
        return "It is not charged again by itself. Pay it now, or add another payment method."
    return "It could not be charged. It is tried again on the next date; you may pay it now, too."
