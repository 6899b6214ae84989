"""The SDK's results sorted by what may be believed of them: a success only with the very thing that was asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.payment_gateway import (
    MONEY_MOVES,
    AnswerKind,
    ChargeAnswer,
    Decline,
    DeclineSeverity,
    Transaction,
    TransactionStatus,
    VaultAnswer,
    VaultRefusal,
    VerificationStatus,
    WebhookEvent,
    WebhookEventKind,
)
from app.gateways.braintree_values import (
    aware,
    cents_of,
    method_of,
    transaction_of,
    verification_of,
)

if TYPE_CHECKING:
    from app.gateways.braintree_sdk import sdk

KEY_NOT_ALLOWED = "915231"
NOT_VOIDABLE = "91504"
TOKEN_IN_USE = frozenset({"91719", "92906"})

# The key was used with another request, is still in flight, failed before, or broke: its outcome is not said.
_KEY_UNCLEAR = frozenset({"915232", "915233", "915234", "915235"})

_REFUSALS = {
    "93108": VaultRefusal.NONCE_UNKNOWN,
    "91732": VaultRefusal.NONCE_UNKNOWN,
    "93102": VaultRefusal.NONCE_UNKNOWN,
    "93103": VaultRefusal.NONCE_UNKNOWN,
    "93107": VaultRefusal.NONCE_CONSUMED,
    "91731": VaultRefusal.NONCE_CONSUMED,
    "93109": VaultRefusal.NONCE_CONSUMED,
    "91733": VaultRefusal.NONCE_CONSUMED,
    "82902": VaultRefusal.NONCE_NOT_REUSABLE,
    "82901": VaultRefusal.NONCE_NOT_REUSABLE,
    "81724": VaultRefusal.DUPLICATE,
    "81763": VaultRefusal.DUPLICATE,
    **dict.fromkeys(
        ("81703", "81706", "81707", "81709", "81710", "81711", "81712", "81713", "81714", "81715", "81716", "81717",
         "81723", "81736", "81737", "81750", "91734"),
        VaultRefusal.CARD_INVALID,
    ),
}  # fmt: skip

_NOTICES = {
    "check": WebhookEventKind.CHECK,
    "dispute_opened": WebhookEventKind.DISPUTE_OPENED,
    "dispute_lost": WebhookEventKind.DISPUTE_LOST,
    "dispute_won": WebhookEventKind.DISPUTE_WON,
    "dispute_accepted": WebhookEventKind.DISPUTE_CHANGED,
    "dispute_auto_accepted": WebhookEventKind.DISPUTE_CHANGED,
    "dispute_disputed": WebhookEventKind.DISPUTE_CHANGED,
    "dispute_expired": WebhookEventKind.DISPUTE_CHANGED,
    "dispute_under_review": WebhookEventKind.DISPUTE_CHANGED,
    "payment_method_revoked_by_customer": WebhookEventKind.METHOD_REVOKED,
    "account_updater_daily_report": WebhookEventKind.CARDS_UPDATED,
    "transaction_settled": WebhookEventKind.TRANSACTION_SETTLED,
    "transaction_settlement_declined": WebhookEventKind.SETTLEMENT_DECLINED,
    "refund_failed": WebhookEventKind.REFUND_FAILED,
}


def codes_of(result: sdk.SuccessfulResult | sdk.ErrorResult) -> list[str]:
    """Return the codes of a result's validation errors."""
    try:
        return [str(each.code) for each in result.errors.deep_errors]
    except (AttributeError, KeyError, TypeError):
        return []


@dataclass(frozen=True, slots=True)
class Asked:
    """What the transaction of an answer must show, or it is the answer to something else."""

    order_id: str
    amount_cents: int


def charge_answer(result: sdk.SuccessfulResult | sdk.ErrorResult, asked: Asked | None) -> ChargeAnswer:
    """Sort the result of a sale or a refund; of a void when nothing was asked for but that."""
    try:
        found = getattr(result, "transaction", None)
        transaction = None if found is None else transaction_of(found)
    except Exception as error:  # noqa: BLE001  (an answer of another shape raises anything)
        return _unknown(f"unreadable answer: {type(error).__name__}")
    if transaction is not None:
        return _answer_of_void(transaction) if asked is None else _answer_of(transaction, asked)
    codes = codes_of(result)
    if not codes:
        return _unknown("empty answer")
    reason = "refused: " + ",".join(codes)
    if _KEY_UNCLEAR & set(codes):
        return _unknown(reason)
    return ChargeAnswer(AnswerKind.REFUSED, reason=reason, decline=_METHOD_GONE if METHOD_UNKNOWN in codes else None)


METHOD_UNKNOWN = "91518"
_METHOD_GONE = Decline(DeclineSeverity.HARD, METHOD_UNKNOWN, "The vault has no such payment method.")
"""Refused for the method itself: it is not to be tried again, and it is for the customer to replace it."""


def _unknown(reason: str) -> ChargeAnswer:
    return ChargeAnswer(AnswerKind.UNKNOWN, reason=reason)


def _answer_of_void(transaction: Transaction) -> ChargeAnswer:
    is_done = transaction.status is TransactionStatus.VOIDED
    kind = AnswerKind.DONE if is_done else AnswerKind.UNKNOWN
    return ChargeAnswer(kind, transaction, reason=f"status {transaction.status}")


def _answer_of(transaction: Transaction, asked: Asked) -> ChargeAnswer:
    status, decline = transaction.status, transaction.decline
    if (transaction.order_id, transaction.amount_cents) != (asked.order_id, asked.amount_cents):
        return _unknown("the answer is about another order or amount")
    if status in MONEY_MOVES:
        return ChargeAnswer(AnswerKind.DONE, transaction)
    if transaction.is_duplicate:
        # The first of the two has probably worked.
        return ChargeAnswer(AnswerKind.UNKNOWN, decline=decline, reason="rejected as a duplicate")
    if decline is not None:
        return ChargeAnswer(AnswerKind.DECLINED, transaction, decline, reason=f"{status} {decline.code}")
    return ChargeAnswer(AnswerKind.REFUSED, transaction, reason=f"status {status}")


def vault_answer(result: sdk.SuccessfulResult | sdk.ErrorResult, method_token: str) -> VaultAnswer:
    """Sort the result of keeping a method: a success only if it is of a known kind and carries our token."""
    try:
        if getattr(result, "is_success", False):
            method = method_of(result.payment_method)
            if method is None or method.token != method_token:
                return VaultAnswer(AnswerKind.UNKNOWN, reason=f"answered {type(result.payment_method).__name__}")
            verification = verification_of(getattr(result.payment_method, "verification", None))
            return VaultAnswer(AnswerKind.DONE, method, verification)
        verification = verification_of(getattr(result, "credit_card_verification", None))
    except Exception as error:  # noqa: BLE001  (an answer of another shape raises anything)
        return VaultAnswer(AnswerKind.UNKNOWN, reason=f"unreadable answer: {type(error).__name__}")
    if verification is not None and verification.status is not VerificationStatus.VERIFIED:
        return VaultAnswer(AnswerKind.DECLINED, verification=verification, reason=f"verification {verification.status}")
    codes = codes_of(result)
    if not codes:
        return VaultAnswer(AnswerKind.UNKNOWN, reason="empty answer")
    refusal = next((_REFUSALS[code] for code in codes if code in _REFUSALS), VaultRefusal.OTHER)
    return VaultAnswer(AnswerKind.REFUSED, refusal=refusal, reason="refused: " + ",".join(codes))


def webhook_event_of(found: sdk.WebhookNotification) -> WebhookEvent:
    """Return a webhook of the SDK as ours."""
    dispute, transaction = getattr(found, "dispute", None), getattr(found, "transaction", None)
    revoked = getattr(found, "revoked_payment_method_metadata", None)
    subject_id = (
        getattr(getattr(dispute, "transaction", None), "id", None)
        or getattr(transaction, "id", None)
        or getattr(revoked, "token", None)
    )
    amount = getattr(dispute, "amount_disputed", None) or getattr(transaction, "amount", None)
    return WebhookEvent(
        kind=_NOTICES.get(found.kind, WebhookEventKind.OTHER),
        sent_at=aware(found.timestamp),
        subject_id=subject_id,
        dispute_id=getattr(dispute, "id", None),
        amount_cents=None if amount is None else cents_of(amount),
        name=str(found.kind),
    )
