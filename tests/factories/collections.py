"""Builders of what collecting is decided from, with figures of the seed catalogue."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from app.domain.collection import Attempt, AttemptState, Collection, CollectionStatus
from app.domain.payment_gateway import (
    ChargeReason,
    Decline,
    DeclineSeverity,
    MethodKind,
    Transaction,
    TransactionKind,
    TransactionStatus,
)
from app.domain.payment_methods import MethodStatus, PaymentMethod

NOW = datetime(2026, 8, 1, 13, 5, tzinfo=UTC)

HARD = Decline(DeclineSeverity.HARD, "2005", "Invalid Credit Card Number")
SOFT = Decline(DeclineSeverity.SOFT, "2001", "Insufficient Funds")


def a_method(number: int = 1, **changed) -> PaymentMethod:
    """The default, or a back-up when its number is above 1."""
    method = PaymentMethod(
        id=f"pm_{number}",
        account_id="acc_1",
        kind=MethodKind.CARD,
        status=MethodStatus.ACTIVE,
        is_default=number == 1,
        position=number - 1,
        brand="Visa",
        last4="1881",
        expiry_month=12,
        expiry_year=2027,
    )
    return replace(method, **changed)


def a_collection(**changed) -> Collection:
    """An invoice that was issued on 1 August 2026 and is due on receipt."""
    collection = Collection("inv_1", "acc_1", CollectionStatus.IDLE, date(2026, 8, 1), next_attempt_at=NOW)
    return replace(collection, **changed)


def an_attempt(number: int = 1, **changed) -> Attempt:
    """A declined charge to the default in the first round."""
    attempt = Attempt(
        id=f"att_{number}",
        account_id="acc_1",
        invoice_id="inv_1",
        attempt_no=number,
        round_no=1,
        method_id="pm_1",
        amount_cents=139_00,
        state=AttemptState.DECLINED,
        reason=ChargeReason.RECURRING,
        sent_at=NOW,
        decline=SOFT,
        sends=1,
    )
    return replace(attempt, **changed)


def a_transaction(status: TransactionStatus = TransactionStatus.CAPTURED, **changed) -> Transaction:
    """A sale over $139 to the default."""
    transaction = Transaction("tr_1", TransactionKind.SALE, status, 139_00, "att_1", "acc_1", "pm_1", NOW)
    return replace(transaction, **changed)
