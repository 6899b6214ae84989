"""How an account pays: its methods on file, what was checked and agreed to when each was added, and the agreement."""

from datetime import date, datetime
from typing import Any

import strawberry

from app.domain import agreements, auto_pay, payment_gateway, payment_methods
from app.domain.payment_gateway import CheckResult, MethodKind, VerificationStatus
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.enums import described_enum
from app.graphql.types.node import Node
from app.repositories.payment_methods import Consent
from app.views import payment_methods as views
from app.views.payment_methods import PaymentMethodState, state_of

described_enum(
    PaymentMethodState,
    name="PaymentMethodStatus",
    description="The status of a payment method.",
    values={
        PaymentMethodState.ACTIVE: "It can be charged.",
        PaymentMethodState.EXPIRED: (
            "The card has expired. The bank may still accept it. Replace it by adding the new card with `replaces`."
        ),
        PaymentMethodState.NEEDS_ATTENTION: (
            "It was declined permanently and is not charged any more. Add another one with `replaces`."
        ),
        PaymentMethodState.REMOVED: "It was removed.",
    },
)

described_enum(
    CheckResult,
    description="The bank's result for a CVV or address check.",
    values={
        CheckResult.MATCHES: "It matches the bank's records.",
        CheckResult.DOES_NOT_MATCH: "It does not match the bank's records.",
        CheckResult.NOT_VERIFIED: "The bank did not check it.",
        CheckResult.NOT_PROVIDED: "It was not provided.",
        CheckResult.NOT_SUPPORTED: "The bank does not check it for this card.",
    },
)

described_enum(
    VerificationStatus,
    description="The result of verifying a card.",
    values={
        VerificationStatus.VERIFIED: "The bank accepted the card.",
        VerificationStatus.DECLINED: "The bank declined the card.",
        VerificationStatus.FAILED: "The bank could not be asked.",
        VerificationStatus.REJECTED: "The payment gateway rejected the card.",
    },
)

STATE_NAMES = {
    PaymentMethodState.ACTIVE: "Active",
    PaymentMethodState.EXPIRED: "Expired",
    PaymentMethodState.NEEDS_ATTENTION: "Needs attention",
    PaymentMethodState.REMOVED: "Removed",
}


@strawberry.type(description="The result of verifying a card with its bank.")
class CardVerification:
    """Built with `CardVerification.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the verification when you contact support.")
    status: VerificationStatus = strawberry.field(description="The result.")
    cvv_check: CheckResult = strawberry.field(description="The result of the CVV check.")
    postal_code_check: CheckResult = strawberry.field(description="The result of the postal code check.")
    street_check: CheckResult = strawberry.field(description="The result of the street address check.")
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


@strawberry.interface(description="A payment method on file. Types that your app does not know have these fields too.")
class PaymentMethod(Node):
    """What all kinds of method share; made by `payment_method_of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the payment method for as long as it is on file.")
    display_name: str = strawberry.field(description="The name to show, such as `Visa ending in 1881`.")
    status: PaymentMethodState = strawberry.field(description="The status of the payment method.")
    status_display_name: str = strawberry.field(description="The status to show.")
    is_default: bool = strawberry.field(description="Whether it is the default, which is charged first.")
    position: int = strawberry.field(description="The position in the order of charging; 0 is the default.")
    verification: CardVerification | None = strawberry.field(
        description="The bank's verification when it was added. Null for PayPal, and if the response was lost."
    )


@strawberry.type(description="A card. We only know the details that may be shown.")
class CardPaymentMethod(PaymentMethod):
    """A credit or debit card."""

    brand: str = strawberry.field(description="The card network, such as `Visa`.")
    last4: str | None = strawberry.field(description="The last four digits of the card number.")
    expiry_month: int | None = strawberry.field(description="The month of expiry, 1 to 12.")
    expiry_year: int | None = strawberry.field(description="The year of expiry, in four digits.")
    cardholder_name: str | None = strawberry.field(description="The name on the card, if it was given.")
    postal_code: str | None = strawberry.field(description="The postal code of the billing address.")


@strawberry.type(description="A PayPal account that may be charged.")
class PayPalPaymentMethod(PaymentMethod):
    """An account with PayPal."""

    payer_email: str | None = strawberry.field(description="The email address of the PayPal account.")


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
    description="The payment methods on file. If the default cannot be charged, the back-ups are tried in order."
)
class PaymentMethodList(Node):
    """Built with `PaymentMethodList.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies this account's list. It never changes.")
    default: PaymentMethod | None = strawberry.field(
        description="The default, which is charged first. Null if there is none."
    )
    backups: list[PaymentMethod] = strawberry.field(
        directives=[holds(2)], description="The back-ups, in the order in which they are charged."
    )

    @classmethod
    def of(cls, found: views.PaymentMethods, today: date) -> "PaymentMethodList":
        """Return the methods on file for clients."""
        return cls(
            id=derived_id("methods", found.account_id),
            default=next((payment_method_of(each, today) for each in found.methods if each.is_default), None),
            backups=[payment_method_of(each, today) for each in found.methods if not each.is_default],
        )


@strawberry.type(
    description=(
        "Automatic payment. While it is required, a payment method must stay on file. Invoices are "
        "always charged to the methods on file."
    )
)
class AutoPay:
    """Built with `AutoPay.of`."""

    required: bool = strawberry.field(description="Whether a payment method must stay on file.")
    required_until: date | None = strawberry.field(
        description="The first day on which no payment method is required. Null if none is required now."
    )
    next_charge_on: date | None = strawberry.field(
        description=(
            "The date of the next charge: for the next invoice, or for the next attempt to collect "
            "an open one. Null if none can be charged or nothing will be due."
        )
    )
    method: PaymentMethod | None = strawberry.field(
        description="The method that is charged first. Null if none can be charged."
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


@strawberry.type(description="The agreement that a user accepts when adding a payment method.")
class PaymentAgreement:
    """Built with `PaymentAgreement.of`."""

    version: str = strawberry.field(
        description=("Identifies this version of the text. Send it with `addPaymentMethod` when the user accepts.")
    )
    text: str = strawberry.field(description="The text to show beside the box that authorizes charges.")
    text_hash: str = strawberry.field(description="The SHA-256 of the text in UTF-8, in hexadecimal digits.")

    @classmethod
    def of(cls, agreement: agreements.PaymentAgreement) -> "PaymentAgreement":
        """Return the agreement for clients."""
        return cls(version=agreement.version, text=agreement.text, text_hash=agreement.text_hash)


@strawberry.type(description="The agreement that was accepted when a payment method was added.")
class PaymentAuthorization:
    """Built with `PaymentAuthorization.of`."""

    agreement_version: str = strawberry.field(description="The version of the agreement that was accepted.")
    text_hash: str = strawberry.field(description="The hash of the accepted text.")
    accepted_at: datetime = strawberry.field(description="When it was accepted.")

    @classmethod
    def of(cls, consent: Consent) -> "PaymentAuthorization":
        """Return a consent for clients."""
        return cls(
            agreement_version=consent.agreement_version,
            text_hash=consent.text_hash,
            accepted_at=consent.accepted_at,
        )
