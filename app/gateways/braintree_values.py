"""The SDK's objects as our values: cents for amounts, aware instants for naive ones, our words for theirs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from app.domain.payment_gateway import (
    CheckResult,
    Decline,
    DeclineSeverity,
    MethodKind,
    Transaction,
    TransactionKind,
    TransactionStatus,
    VaultedMethod,
    Verification,
    VerificationStatus,
)
from app.domain.refunds import Dispute, DisputeState
from app.gateways.braintree_sdk import sdk

if TYPE_CHECKING:
    from decimal import Decimal

_STATUSES = {
    "authorizing": TransactionStatus.AUTHORIZED,
    "authorized": TransactionStatus.AUTHORIZED,
    "submitted_for_settlement": TransactionStatus.CAPTURED,
    "settling": TransactionStatus.CAPTURED,
    "settlement_pending": TransactionStatus.CAPTURED,
    "settlement_confirmed": TransactionStatus.CAPTURED,
    "settled": TransactionStatus.SETTLED,
    "processor_declined": TransactionStatus.DECLINED,
    "failed": TransactionStatus.FAILED,
    "settlement_failed": TransactionStatus.SETTLEMENT_DECLINED,
    "settlement_declined": TransactionStatus.SETTLEMENT_DECLINED,
    "gateway_rejected": TransactionStatus.REJECTED,
    "voided": TransactionStatus.VOIDED,
    "authorization_expired": TransactionStatus.VOIDED,
}
_VERIFICATIONS = {
    "verified": VerificationStatus.VERIFIED,
    "processor_declined": VerificationStatus.DECLINED,
    "failed": VerificationStatus.FAILED,
    "gateway_rejected": VerificationStatus.REJECTED,
}
_CHECKS = {
    "M": CheckResult.MATCHES,
    "N": CheckResult.DOES_NOT_MATCH,
    "U": CheckResult.NOT_VERIFIED,
    "I": CheckResult.NOT_PROVIDED,
    "S": CheckResult.NOT_SUPPORTED,
    "A": CheckResult.NOT_SUPPORTED,
    "B": CheckResult.NOT_SUPPORTED,
}
_DISPUTES = {
    "open": DisputeState.OPEN,
    "disputed": DisputeState.OPEN,
    "under_review": DisputeState.OPEN,
    "won": DisputeState.WON,
    "lost": DisputeState.LOST,
    "accepted": DisputeState.LOST,
    "auto_accepted": DisputeState.LOST,
    "expired": DisputeState.LOST,
}
# Where the gateway does not say how hard a decline is: these never get better.
_HARD_CODES = frozenset(
    {"2004", "2005", "2007", "2012", "2013", "2014", "2015", "2017", "2018", "2022", "2043", "2047", "2053"}
)
_HARD_REJECTIONS = frozenset({"fraud", "risk_threshold", "excessive_retry"})
_NETWORK_CODE = "3000"


def amount_text(cents: int) -> str:
    """Return cents as the gateway wants them: dollars with two places."""
    if cents <= 0:
        raise ValueError("only positive amounts are sent")
    return f"{cents // 100}.{cents % 100:02d}"


def cents_of(amount: Decimal) -> int:
    """Return an amount in cents.

    :raises ValueError: when it is finer than a cent.
    """
    cents = amount * 100
    if cents != int(cents):
        raise ValueError("an amount is finer than a cent")
    return int(cents)


def aware(naive: datetime) -> datetime:
    """Return an instant of the SDK, which has UTC in mind without saying so."""
    return naive.replace(tzinfo=UTC) if naive.tzinfo is None else naive.astimezone(UTC)


def transaction_of(found: sdk.Transaction) -> Transaction:
    """Return a transaction of the SDK as ours.

    :raises Exception: whatever, when the gateway's answer had not the shape of one.
    """
    status = _STATUSES[found.status]
    method = getattr(found, "credit_card_details", None)
    paypal = getattr(found, "paypal_details", None)
    token = getattr(paypal, "token", None) or getattr(method, "token", None)
    customer = getattr(found, "customer_details", None)
    return Transaction(
        id=_text(found.id),
        kind=TransactionKind.REFUND if found.type == "credit" else TransactionKind.SALE,
        status=status,
        amount_cents=cents_of(found.amount),
        order_id=found.order_id or None,
        customer_id=getattr(customer, "id", None) or None,
        method_token=token or None,
        created_at=aware(found.created_at),
        refunded_id=getattr(found, "refunded_transaction_id", None) or None,
        decline=decline_of(found, status),
    )


def dispute_of(found: sdk.Dispute) -> Dispute:
    """Return a dispute of the SDK as ours; one that we accepted or did not answer is lost.

    :raises Exception: whatever, when the gateway's answer had not the shape of one.
    """
    return Dispute(
        id=_text(found.id),
        transaction_id=_text(found.transaction.id),
        amount_cents=cents_of(found.amount_disputed),
        state=_DISPUTES[found.status],
        opened_at=aware(found.created_at),
        changed_at=aware(found.updated_at),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("an id is missing")
    return value


def decline_of(found: sdk.Transaction | sdk.CreditCardVerification, status: TransactionStatus) -> Decline | None:
    """Return why a transaction did not come about, or None when it did."""
    advice = getattr(found, "merchant_advice_code", None) or None
    if status is TransactionStatus.REJECTED:
        reason = str(getattr(found, "gateway_rejection_reason", None) or "unknown")
        severity = DeclineSeverity.HARD if reason in _HARD_REJECTIONS else DeclineSeverity.SOFT
        return Decline(severity, reason, f"Gateway Rejected: {reason}", advice)
    if status is TransactionStatus.SETTLEMENT_DECLINED:
        code = str(getattr(found, "processor_settlement_response_code", None) or "")
        text = str(getattr(found, "processor_settlement_response_text", None) or "")
        return Decline(DeclineSeverity.SOFT, code, text, advice)
    if status not in {TransactionStatus.DECLINED, TransactionStatus.FAILED}:
        return None
    return _processor_decline(found, has_failed=status is TransactionStatus.FAILED, advice=advice)


def _processor_decline(
    found: sdk.Transaction | sdk.CreditCardVerification, *, has_failed: bool, advice: str | None
) -> Decline:
    code = str(getattr(found, "processor_response_code", None) or "")
    text = str(getattr(found, "processor_response_text", None) or "")
    kind = getattr(found, "processor_response_type", None)
    if has_failed or code.startswith(_NETWORK_CODE[0]):
        severity = DeclineSeverity.NETWORK
    elif kind == "hard_declined" or (kind != "soft_declined" and code in _HARD_CODES):
        severity = DeclineSeverity.HARD
    else:
        severity = DeclineSeverity.SOFT
    return Decline(severity, code, text, advice)


def verification_of(found: sdk.CreditCardVerification | None) -> Verification | None:
    """Return a verification of the SDK as ours, or None where there is none."""
    if found is None:
        return None
    status = _VERIFICATIONS[found.status]
    decline = None
    if status is VerificationStatus.REJECTED:
        decline = decline_of(found, TransactionStatus.REJECTED)
    elif status is not VerificationStatus.VERIFIED:
        decline = _processor_decline(found, has_failed=status is VerificationStatus.FAILED, advice=None)
    return Verification(
        id=_text(found.id),
        status=status,
        cvv_check=_check(found.cvv_response_code),
        postal_code_check=_check(found.avs_postal_code_response_code),
        street_check=_check(found.avs_street_address_response_code),
        checked_at=aware(found.created_at),
        decline=decline,
    )


def _check(code: object) -> CheckResult:
    return _CHECKS.get(str(code), CheckResult.NOT_VERIFIED)


def method_of(found: sdk.Resource) -> VaultedMethod | None:
    """Return a method of the SDK as ours, or None when its kind is none that we know."""
    if isinstance(found, sdk.CreditCard):
        return VaultedMethod(
            token=_text(found.token),
            customer_id=_text(found.customer_id),
            kind=MethodKind.CARD,
            brand=str(found.card_type),
            last4=found.last_4,
            expiry_month=int(found.expiration_month),
            expiry_year=int(found.expiration_year),
            cardholder=getattr(found, "cardholder_name", None) or None,
            postal_code=getattr(found.billing_address, "postal_code", None) or None,
            fingerprint=getattr(found, "unique_number_identifier", None) or None,
            network_transaction_id=_network_transaction(found),
            is_default=bool(found.default),
            verification=_kept_verification(found),
        )
    if isinstance(found, sdk.PayPalAccount):
        return VaultedMethod(
            token=_text(found.token),
            customer_id=_text(found.customer_id),
            kind=MethodKind.PAYPAL,
            brand="PayPal",
            payer_email=getattr(found, "email", None) or None,
            is_default=bool(found.default),
        )
    return None


def _network_transaction(card: sdk.CreditCard) -> str | None:
    verification = getattr(card, "verification", None)
    return getattr(verification, "network_transaction_id", None) or None


def _kept_verification(card: sdk.CreditCard) -> Verification | None:
    """Return the verification that a card was kept with; one of a shape that we do not know is no reason to miss it."""
    try:
        return verification_of(getattr(card, "verification", None))
    except (AttributeError, KeyError, TypeError):
        return None
