"""How an account pays: its methods on file, what was checked and agreed to when each was added, and the agreement."""

from datetime import date, datetime
from typing import Any

import strawberry

from app.domain import agreements, auto_pay, payment_gateway, payment_methods
from app.domain.payment_gateway import CheckResult, MethodKind, VerificationStatus
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.types.node import Node
from app.repositories.payment_methods import Consent
from app.views import payment_methods as views
from app.views.payment_methods import PaymentMethodState, state_of

described_enum(
    PaymentMethodState,
    name="PaymentMethodStatus",
    description="What there is to know of a payment method.",
    values={
        PaymentMethodState.ACTIVE: "It is charged when its turn comes.",
        PaymentMethodState.EXPIRED: "The card's last month is over. Its bank may still accept it; renew it by adding "
        "the new card with `replaces`.",
        PaymentMethodState.NEEDS_ATTENTION: "It was refused for good, and is not tried again: add another one with "
        "`replaces`.",
        PaymentMethodState.REMOVED: "It is not on file any more.",
    },
)

described_enum(
    CheckResult,
    description="What the bank said of a security code or of an address.",
    values={
        CheckResult.MATCHES: "It is the one that the bank knows.",
        CheckResult.DOES_NOT_MATCH: "It is not the one that the bank knows.",
        CheckResult.NOT_VERIFIED: "The bank did not check it.",
        CheckResult.NOT_PROVIDED: "It was not given.",
        CheckResult.NOT_SUPPORTED: "The bank does not check it for this card.",
    },
)

described_enum(
    VerificationStatus,
    description="How the verification of a card ended.",
    values={
        VerificationStatus.VERIFIED: "The bank accepts the card.",
        VerificationStatus.DECLINED: "The bank does not accept the card.",
        VerificationStatus.FAILED: "The bank could not be asked.",
        VerificationStatus.REJECTED: "The payment service does not accept the card.",
    },
)

STATE_NAMES = {
    PaymentMethodState.ACTIVE: "Active",
    PaymentMethodState.EXPIRED: "Expired",
    PaymentMethodState.NEEDS_ATTENTION: "Needs attention",
    PaymentMethodState.REMOVED: "Removed",
}


@strawberry.type(description="What the bank said when a card was added.")
class CardVerification:
    """Built with `CardVerification.of`."""

    id: strawberry.ID = strawberry.field(description="Names the verification, for our support.")
    status: VerificationStatus = strawberry.field(description="How it ended.")
    cvv_check: CheckResult = strawberry.field(description="What came of the security code.")
    postal_code_check: CheckResult = strawberry.field(description="What came of the postal code.")
    street_check: CheckResult = strawberry.field(description="What came of the street and its number.")
    checked_at: datetime = strawberry.field(description="When the bank was asked.")

    @classmethod
    def of(cls, verification: payment_gateway.Verification) -> "CardVerification":
        """Return a verification for clients; the bank's own code is for staff."""
        return cls(
            id=strawberry.ID(verification.id),
            status=verification.status,
            cvv_check=verification.cvv_check,
            postal_code_check=verification.postal_code_check,
            street_check=verification.street_check,
            checked_at=verification.checked_at,
        )


@strawberry.interface(
    description="Something that the account can pay by. A kind that you do not know has these fields too."
)
class PaymentMethod(Node):
    """What all kinds of method share; made by `payment_method_of`."""

    id: strawberry.ID = strawberry.field(description="Stays the same for as long as the method is on file.")
    display_name: str = strawberry.field(description="How to call it, such as `Visa ending in 1881`.")
    status: PaymentMethodState = strawberry.field(description="What there is to know of it.")
    status_display_name: str = strawberry.field(description="The status for people.")
    is_default: bool = strawberry.field(description="Whether it is charged first.")
    position: int = strawberry.field(description="The order in which methods are tried: 0 is the default.")
    verification: CardVerification | None = strawberry.field(
        description="What the bank said when it was added; null for PayPal, and where the answer was lost on its way."
    )


@strawberry.type(description="A card. Only what may be shown of it is known to us.")
class CardPaymentMethod(PaymentMethod):
    """A credit or debit card."""

    brand: str = strawberry.field(description="The network, such as `Visa`.")
    last4: str | None = strawberry.field(description="The last four digits of the number.")
    expiry_month: int | None = strawberry.field(description="The card's last month, 1 to 12.")
    expiry_year: int | None = strawberry.field(description="The year of that month, in four digits.")
    cardholder_name: str | None = strawberry.field(description="The name on the card, where it was given.")
    postal_code: str | None = strawberry.field(description="The postal code of the billing address.")


@strawberry.type(description="A PayPal account that has agreed to be charged.")
class PayPalPaymentMethod(PaymentMethod):
    """An account with PayPal."""

    payer_email: str | None = strawberry.field(description="The e-mail address of the PayPal account.")


def payment_method_of(method: payment_methods.PaymentMethod, today: date) -> PaymentMethod:
    """Return a method for clients, as the type of its kind."""
    state = state_of(method, today)
    shared: dict[str, Any] = {
        "id": strawberry.ID(method.id),
        "display_name": method.display_name,
        "status": state,
        "status_display_name": STATE_NAMES[state],
        "is_default": method.is_default,
        "position": method.position,
        "verification": CardVerification.of(method.verification) if method.verification else None,
    }
    if method.kind is MethodKind.PAYPAL:
        return PayPalPaymentMethod(**shared, payer_email=method.payer_email)
    return CardPaymentMethod(
        **shared,
        brand=method.brand,
        last4=method.last4,
        expiry_month=method.expiry_month,
        expiry_year=method.expiry_year,
        cardholder_name=method.cardholder,
        postal_code=method.postal_code,
    )


@strawberry.type(
    description="The payment methods on file. Where the default cannot be charged, the back-ups are tried in order."
)
class PaymentMethodList(Node):
    """Built with `PaymentMethodList.of`."""

    id: strawberry.ID = strawberry.field(description="Names this account's list; it stays the same.")
    default: PaymentMethod | None = strawberry.field(description="The one that is charged first; null without any.")
    backups: list[PaymentMethod] = strawberry.field(description="The others, in the order in which they are tried.")

    @classmethod
    def of(cls, found: views.PaymentMethods, today: date) -> "PaymentMethodList":
        """Return the methods on file for clients."""
        return cls(
            id=derived_id("methods", found.account_id),
            default=next((payment_method_of(each, today) for each in found.methods if each.is_default), None),
            backups=[payment_method_of(each, today) for each in found.methods if not each.is_default],
        )


@strawberry.type(
    description="Automatic payment. As long as it is required, a payment method has to stay on file; invoices are "
    "charged to what is on file in any case."
)
class AutoPay:
    """Built with `AutoPay.of`."""

    required: bool = strawberry.field(description="Whether a payment method has to stay on file.")
    required_until: date | None = strawberry.field(description="The first day on which it need not; null if not now.")
    next_charge_on: date | None = strawberry.field(
        description="The day of the next charge: of the next invoice, or of the next try for an open one. Null while "
        "nothing on file can be charged, and where nothing is going to be."
    )
    method: PaymentMethod | None = strawberry.field(
        description="What would be charged first; null while nothing on file can be."
    )

    @classmethod
    def of(cls, found: auto_pay.AutoPay, today: date) -> "AutoPay":
        """Return how the account pays by itself, for clients."""
        return cls(
            required=found.is_required,
            required_until=found.required_until,
            next_charge_on=found.next_charge_on,
            method=payment_method_of(found.method, today) if found.method else None,
        )


@strawberry.type(description="What somebody agrees to by adding a payment method.")
class PaymentAgreement:
    """Built with `PaymentAgreement.of`."""

    version: str = strawberry.field(description="Names this wording: send it with `addPaymentMethod` once accepted.")
    text: str = strawberry.field(description="The text to show beside the box that authorizes charges.")
    text_hash: str = strawberry.field(description="The SHA-256 of the text in UTF-8, in hexadecimal digits.")

    @classmethod
    def of(cls, agreement: agreements.PaymentAgreement) -> "PaymentAgreement":
        """Return the agreement for clients."""
        return cls(version=agreement.version, text=agreement.text, text_hash=agreement.text_hash)


@strawberry.type(description="What was agreed to when a payment method was added.")
class PaymentAuthorization:
    """Built with `PaymentAuthorization.of`."""

    agreement_version: str = strawberry.field(description="The version of the agreement that was accepted.")
    text_hash: str = strawberry.field(description="The fingerprint of the text that was accepted.")
    accepted_at: datetime = strawberry.field(description="When it was accepted.")

    @classmethod
    def of(cls, consent: Consent) -> "PaymentAuthorization":
        """Return a consent for clients."""
        return cls(
            agreement_version=consent.agreement_version,
            text_hash=consent.text_hash,
            accepted_at=consent.accepted_at,
        )
