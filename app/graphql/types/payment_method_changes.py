"""What adding, ordering and removing payment methods did, and why it was not done."""

from enum import StrEnum
from typing import Annotated

import strawberry

from app.domain.payment_gateway import BillingAddress
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.payment_errors import (
    AuthorizationRequired,
    CardVerificationFailed,
    DuplicatePaymentMethod,
    LastPaymentMethod,
    NonceRejected,
    PaymentGatewayUnavailable,
    RateLimited,
)
from app.graphql.types.payment_method import CardVerification, PaymentAuthorization, PaymentMethod, PaymentMethodList
from app.services.payment_methods.add_payment_method import NewMethod


class AdditionStatus(StrEnum):
    """Whether a method has come on file."""

    ADDED = "ADDED"
    PENDING = "PENDING"


described_enum(
    AdditionStatus,
    name="PaymentMethodAdditionStatus",
    description="Whether a payment method has come on file.",
    values={
        AdditionStatus.ADDED: "It is on file.",
        AdditionStatus.PENDING: "The payment service has not said yet. Nothing is kept twice: send the same request "
        "with the same key again after some seconds.",
    },
)


@strawberry.type(description="The token that a payment form begins with.")
class PaymentFormTokenCreated:
    """A token."""

    client_token: str = strawberry.field(
        description="Give it to the payment form of the browser or the phone, and ask for a new one for every form."
    )


@strawberry.type(description="The payment method is on file, or about to be. Holds everything that has changed.")
class PaymentMethodAdded:
    """A method that was agreed to, verified and kept."""

    status: AdditionStatus = strawberry.field(description="Whether it is on file.")
    payment_method: PaymentMethod | None = strawberry.field(description="The method; null while it is pending.")
    verification: CardVerification | None = strawberry.field(
        description="What the bank said of the card; null for PayPal, and while it is pending."
    )
    authorization: PaymentAuthorization = strawberry.field(description="What was agreed to.")
    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods as they are now.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="The default is changed. Open invoices are tried with it at once.")
class DefaultPaymentMethodSet:
    """Another method is charged first."""

    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods as they are now.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="The back-ups are tried in the order given from now on.")
class BackupPaymentMethodsReordered:
    """Another order."""

    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods as they are now.")


@strawberry.type(description="The payment method is not on file any more, and is never charged again.")
class PaymentMethodRemoved:
    """A method that is gone."""

    removed_id: strawberry.ID = strawberry.field(description="The method that was removed.")
    new_default: PaymentMethod | None = strawberry.field(
        description="The back-up that has become the default by this; null where the default stays. Say so."
    )
    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods as they are now.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


CreatePaymentFormTokenResult = Annotated[
    PaymentFormTokenCreated | AuthorizationRequired | PaymentGatewayUnavailable,
    strawberry.union("CreatePaymentFormTokenResult", description="A token, or why there is none."),
]

AddPaymentMethodResult = Annotated[
    PaymentMethodAdded
    | AuthorizationRequired
    | CardVerificationFailed
    | DuplicatePaymentMethod
    | NonceRejected
    | PaymentGatewayUnavailable
    | RateLimited
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound,
    strawberry.union("AddPaymentMethodResult", description="What adding did, or why it was not done."),
]

SetDefaultPaymentMethodResult = Annotated[
    DefaultPaymentMethodSet | user_error.NotFound,
    strawberry.union("SetDefaultPaymentMethodResult", description="The new default, or why there is none."),
]

ReorderBackupPaymentMethodsResult = Annotated[
    BackupPaymentMethodsReordered | user_error.InvalidInput,
    strawberry.union("ReorderBackupPaymentMethodsResult", description="The new order, or why there is none."),
]

RemovePaymentMethodResult = Annotated[
    PaymentMethodRemoved | LastPaymentMethod | user_error.NotFound,
    strawberry.union("RemovePaymentMethodResult", description="What removing did, or why it was not done."),
]


@strawberry.input(description="Asks for a token for one payment form.")
class CreatePaymentFormTokenInput:
    """Input of `createPaymentFormToken`."""

    agreement_version: str | None = strawberry.field(
        default=None,
        description="The version of the agreement that the form is going to show. Where it is not in force any more, "
        "there is no token but the current text, before anybody has entered a card.",
    )


@strawberry.input(description="The address that the bank compares with the one that it knows.")
class BillingAddressInput:
    """An address; every part may be left out."""

    street_address: str | None = strawberry.field(default=None, description="Street and number.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    country_code: str | None = strawberry.field(default=None, description="ISO 3166 country code of two letters: `US`.")

    def value(self) -> BillingAddress:
        """Return the address for the core."""
        return BillingAddress(self.street_address, self.postal_code, self.country_code)


@strawberry.input(description="Adds a payment method, as the payment form has made it.")
class AddPaymentMethodInput:
    """Input of `addPaymentMethod`."""

    idempotency_key: str = strawberry.field(
        description="Made by the app once for each press of the button: the same key again returns the first result."
    )
    nonce: str = strawberry.field(
        description="What the payment form made of the card or account: it is good for one use, and for three hours."
    )
    authorize: bool = strawberry.field(
        description="Whether the person has accepted the agreement. If not, nothing is sent to the payment service."
    )
    agreement_version: str = strawberry.field(description="The version of the agreement that was shown.")
    device_data: str | None = strawberry.field(
        default=None, description="What the payment form knows of the device, against fraud. It is not kept."
    )
    make_default: bool = strawberry.field(
        default=False, description="Whether to charge it first. The first method on file is the default in any case."
    )
    billing_address: BillingAddressInput | None = strawberry.field(
        default=None, description="The address to check the card with."
    )
    replaces: strawberry.ID | None = strawberry.field(
        default=None,
        description="The method on file that this one takes the place of: it keeps its position, and whether it is the "
        "default. Use it to renew a card.",
    )
    three_d_secure_authentication_id: str | None = strawberry.field(
        default=None, description="Reserved for cards that were authenticated by their bank; without effect for now."
    )

    def value(self) -> NewMethod:
        """Return the method for the service."""
        return NewMethod(
            nonce=self.nonce,
            agreement_version=self.agreement_version,
            is_authorized=self.authorize,
            device_data=self.device_data,
            makes_default=self.make_default,
            address=self.billing_address.value() if self.billing_address else None,
            replaces=self.replaces,
        )


@strawberry.input(description="Chooses the payment method that is charged first.")
class SetDefaultPaymentMethodInput:
    """Input of `setDefaultPaymentMethod`."""

    payment_method_id: strawberry.ID = strawberry.field(description="The method that becomes the default.")


@strawberry.input(description="Chooses the order in which back-ups are tried.")
class ReorderBackupPaymentMethodsInput:
    """Input of `reorderBackupPaymentMethods`."""

    payment_method_ids: list[strawberry.ID] = strawberry.field(
        description="Every back-up exactly once, in the order in which to try them."
    )


@strawberry.input(description="Removes a payment method.")
class RemovePaymentMethodInput:
    """Input of `removePaymentMethod`."""

    payment_method_id: strawberry.ID = strawberry.field(description="The method to remove.")
