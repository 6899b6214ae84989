"""Events of payment methods. `address` is the IP address of whoever changed them, where it is known."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.events.event import BeforeAfter, Event
from app.domain.payment_methods import AddFailure, MethodStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodAdded(Event):
    """A payment method came on file, perhaps in the place of another."""

    kind = "payment_method.added"
    sentence = "Added the payment method {method_name}."

    method_name: str
    is_default: bool
    replaced_name: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodVerified(Event):
    """A payment method was verified, and may be added for a while."""

    kind = "payment_method.verified"
    sentence = "Verified the payment method {method_name}."

    method_name: str
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodVerificationExpired(Event):
    """A verified payment method was not added in time; the vault deletes it."""

    kind = "payment_method.verification_expired"
    sentence = "{method_name} was verified and not added; it was deleted."

    method_name: str
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodNotAdded(Event):
    """A payment method could not be put on file."""

    kind = "payment_method.failed"
    sentence = "A payment method could not be added."

    failure: AddFailure
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultPaymentMethodChanged(Event):
    """Another payment method became the default."""

    kind = "payment_method.default_changed"
    sentence = "Made {method_name} the default payment method."

    method_name: str
    former_name: str | None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BackupPaymentMethodsReordered(Event):
    """The back-up payment methods were put into another order, by their names."""

    kind = "payment_method.reordered"
    sentence = "Changed the order of the back-up payment methods."

    order: tuple[str, ...]
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodRemoved(Event):
    """A payment method was taken off file."""

    kind = "payment_method.removed"
    sentence = "Removed the payment method {method_name}."

    method_name: str
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodDeclined(Event):
    """A bank declined a payment method for good, by the code of its decline; it needs attention."""

    kind = "payment_method.declined"
    sentence = "A bank declined a payment method permanently; it needs attention."

    status: BeforeAfter[MethodStatus]
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodLost(Event):
    """What is recorded of a payment method that cannot be charged any more, and needs attention."""

    status: BeforeAfter[MethodStatus]
    method_name: str
    is_default: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodMissing(PaymentMethodLost):
    """The vault has a payment method no more."""

    kind = "payment_method.missing"
    sentence = "{method_name} cannot be charged any more; it needs attention."


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodRevoked(PaymentMethodLost):
    """The payer revoked the agreement for a payment method."""

    kind = "payment_method.revoked"
    sentence = "The payer revoked the agreement for {method_name}; it needs attention."


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentMethodUpdatedByBank(Event):
    """A bank has changed a card on file; only what changed is there."""

    kind = "payment_method.updated_by_bank"
    sentence = "A bank has changed a card on file."

    brand: BeforeAfter[str] | None = None
    last4: BeforeAfter[str | None] | None = None
    expiry_month: BeforeAfter[int | None] | None = None
    expiry_year: BeforeAfter[int | None] | None = None
    status: BeforeAfter[MethodStatus] | None = None
