"""What is asked of a payment gateway, and its answers sorted by what may be believed of them (rule 31).

An answer that is not definite is UNKNOWN: the money may or may not have moved, and only the gateway can tell, later.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime


class AnswerKind(StrEnum):
    """What is known after a call: it was done, refused by the bank, refused by the gateway, never sent, or unknown."""

    DONE = "DONE"
    DECLINED = "DECLINED"
    REFUSED = "REFUSED"
    NEVER_SENT = "NEVER_SENT"
    UNKNOWN = "UNKNOWN"


class DeclineSeverity(StrEnum):
    """Whether the same method may be tried again: never, on a later day, or as soon as the network is back."""

    HARD = "HARD"
    SOFT = "SOFT"
    NETWORK = "NETWORK"


DUPLICATE = "duplicate"
"""The code with which the gateway rejects a charge that equals one it took a moment ago."""


@dataclass(frozen=True, slots=True)
class Decline:
    """Why a bank or the gateway said no. `code` and `text` are for staff; customers get words of ours."""

    severity: DeclineSeverity
    code: str
    text: str
    advice_code: str | None = None

    @property
    def is_duplicate(self) -> bool:
        """Tell whether it says that an equal charge came before, and so nothing of what became of the money."""
        return self.code == DUPLICATE


class ChargeReason(StrEnum):
    """What a charge is to the card schemes: the first after consent, a monthly one, or one off the cycle."""

    FIRST = "FIRST"
    RECURRING = "RECURRING"
    UNSCHEDULED = "UNSCHEDULED"


@dataclass(frozen=True, slots=True)
class ChargeRequest:
    """A charge, exactly as it is sent each time. `attempt_id` is order id and, where `uses_key`, request key in one."""

    attempt_id: str
    amount_cents: int
    customer_id: str
    method_token: str
    reason: ChargeReason
    uses_key: bool = True


class TransactionKind(StrEnum):
    """The direction in which a transaction moves money."""

    SALE = "SALE"
    REFUND = "REFUND"


class TransactionStatus(StrEnum):
    """How far a transaction has come; the gateway's finer words are sorted into these."""

    AUTHORIZED = "AUTHORIZED"
    CAPTURED = "CAPTURED"
    SETTLED = "SETTLED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"
    VOIDED = "VOIDED"
    SETTLEMENT_DECLINED = "SETTLEMENT_DECLINED"


MONEY_MOVES = frozenset({TransactionStatus.AUTHORIZED, TransactionStatus.CAPTURED, TransactionStatus.SETTLED})
"""The statuses in which the money is taken or about to be."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """One transaction as the gateway has it; `refunded_id` is the sale that a refund gives back."""

    id: str
    kind: TransactionKind
    status: TransactionStatus
    amount_cents: int
    order_id: str | None
    customer_id: str | None
    method_token: str | None
    created_at: datetime
    refunded_id: str | None = None
    decline: Decline | None = None

    @property
    def moves_money(self) -> bool:
        """Tell whether the money is taken or about to be."""
        return self.status in MONEY_MOVES

    @property
    def is_duplicate(self) -> bool:
        """Tell whether it was rejected for an equal one before it."""
        return self.decline is not None and self.decline.is_duplicate


@dataclass(frozen=True, slots=True)
class ChargeAnswer:
    """What a charge, a void or a refund came to. `reason` is for the log and names no secret.

    A rejection as a duplicate is UNKNOWN, with its decline: the charge before it tells the outcome.

    `keys_refused` where it was refused for its request key alone, which the gateway does not take from us.
    """

    kind: AnswerKind
    transaction: Transaction | None = None
    decline: Decline | None = None
    reason: str = ""
    keys_refused: bool = False

    @property
    def is_duplicate(self) -> bool:
        """Tell whether the gateway rejected it for an equal one before it."""
        return self.decline is not None and self.decline.is_duplicate


class MethodKind(StrEnum):
    """What one can pay by."""

    CARD = "CARD"
    PAYPAL = "PAYPAL"


class CheckResult(StrEnum):
    """What the bank said of a security code or an address."""

    MATCHES = "MATCHES"
    DOES_NOT_MATCH = "DOES_NOT_MATCH"
    NOT_VERIFIED = "NOT_VERIFIED"
    NOT_PROVIDED = "NOT_PROVIDED"
    NOT_SUPPORTED = "NOT_SUPPORTED"


class VerificationStatus(StrEnum):
    """How the verification of a card ended."""

    VERIFIED = "VERIFIED"
    DECLINED = "DECLINED"
    FAILED = "FAILED"
    REJECTED = "REJECTED"


@dataclass(frozen=True, slots=True)
class Verification:
    """The bank's answer about a card that was to be added."""

    id: str
    status: VerificationStatus
    cvv_check: CheckResult
    postal_code_check: CheckResult
    street_check: CheckResult
    checked_at: datetime
    decline: Decline | None = None


@dataclass(frozen=True, slots=True)
class BillingAddress:
    """What an address check compares; every part may be missing."""

    street: str | None = None
    postal_code: str | None = None
    country_code: str | None = None


@dataclass(frozen=True, slots=True)
class Customer:
    """Whom the vault keeps methods for; the id is ours."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class VaultRequest:
    """A method to verify and keep, under a token of ours. `nonce` and `device_data` are never stored or logged."""

    customer: Customer
    method_token: str
    nonce: str
    device_data: str | None = None
    address: BillingAddress | None = None

    def __repr__(self) -> str:
        """Name the token alone, for the rest is secret."""
        return f"VaultRequest(method_token={self.method_token!r})"


@dataclass(frozen=True, slots=True)
class VaultedMethod:
    """A method as the vault keeps it. `fingerprint` is the same for the same card number within our merchant.

    `verification` is the one that a card was kept with, where the vault still tells.
    """

    token: str
    customer_id: str
    kind: MethodKind
    brand: str
    last4: str | None = None
    expiry_month: int | None = None
    expiry_year: int | None = None
    cardholder: str | None = None
    postal_code: str | None = None
    payer_email: str | None = None
    fingerprint: str | None = None
    network_transaction_id: str | None = None
    is_default: bool = False
    verification: Verification | None = None


class VaultRefusal(StrEnum):
    """Why the gateway would not take a nonce."""

    NONCE_UNKNOWN = "NONCE_UNKNOWN"
    NONCE_CONSUMED = "NONCE_CONSUMED"
    NONCE_NOT_REUSABLE = "NONCE_NOT_REUSABLE"
    CARD_INVALID = "CARD_INVALID"
    DUPLICATE = "DUPLICATE"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class VaultAnswer:
    """What adding a method came to."""

    kind: AnswerKind
    method: VaultedMethod | None = None
    verification: Verification | None = None
    refusal: VaultRefusal | None = None
    reason: str = ""


class WebhookEventKind(StrEnum):
    """What the gateway tells us by itself; what we do not know is OTHER and kept."""

    CHECK = "CHECK"
    DISPUTE_OPENED = "DISPUTE_OPENED"
    DISPUTE_LOST = "DISPUTE_LOST"
    DISPUTE_WON = "DISPUTE_WON"
    DISPUTE_CHANGED = "DISPUTE_CHANGED"
    METHOD_REVOKED = "METHOD_REVOKED"
    CARDS_UPDATED = "CARDS_UPDATED"
    TRANSACTION_SETTLED = "TRANSACTION_SETTLED"
    SETTLEMENT_DECLINED = "SETTLEMENT_DECLINED"
    REFUND_FAILED = "REFUND_FAILED"
    OTHER = "OTHER"


@dataclass(frozen=True, slots=True)
class WebhookEvent:
    """One verified webhook. `subject_id` is the transaction or the method token that it is about, if any."""

    kind: WebhookEventKind
    sent_at: datetime
    subject_id: str | None = None
    dispute_id: str | None = None
    amount_cents: int | None = None
    name: str = ""


class GatewayUnavailable(ConnectionError):
    """The gateway cannot be asked now, or answered nonsense; `reason` is for the log."""

    def __init__(self, reason: str) -> None:
        super().__init__("The payment gateway cannot be reached. Try again in a few minutes; nothing was charged.")
        self.reason = reason


class WebhookForged(ValueError):
    """A webhook that the gateway did not sign, or that cannot be read."""

    def __init__(self, reason: str) -> None:
        super().__init__("The notice is not signed by the payment gateway.")
        self.reason = reason
