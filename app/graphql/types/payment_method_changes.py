"""What adding, ordering and removing payment methods did, and why it was not done."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

import strawberry

from app.domain.payment_gateway import BillingAddress
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.payment_errors import (
    AuthorizationRequired,
    CardVerificationFailed,
    DuplicatePaymentMethod,
    LastPaymentMethod,
    NonceRejected,
    PaymentGatewayUnavailable,
    RateLimited,
    VerificationExpired,
)
from app.graphql.types.payment_method import CardVerification, PaymentAuthorization, PaymentMethod, PaymentMethodList
from app.services.payment_methods.add_payment_method import AmbiguousMethod, NewMethod


class AdditionStatus(StrEnum):
    """Whether a method has come on file."""

    ADDED = "ADDED"
    PENDING = "PENDING"


described_enum(
    AdditionStatus,
    name="PaymentMethodAdditionStatus",
    description="Whether a payment method has been added.",
    values={
        AdditionStatus.ADDED: "It is on file.",
        AdditionStatus.PENDING: (
            "The payment gateway has not responded yet. Nothing is added twice: repeat the request "
            "with the same key after a few seconds."
        ),
    },
)


class VerifyingStatus(StrEnum):
    """Whether a verification is known."""

    VERIFIED = "VERIFIED"
    PENDING = "PENDING"


described_enum(
    VerifyingStatus,
    name="PaymentMethodVerificationStatus",
    description="Whether a payment method has been verified.",
    values={
        VerifyingStatus.VERIFIED: "It was verified and can be added.",
        VerifyingStatus.PENDING: (
            "The payment gateway has not responded yet. Nothing is verified twice: repeat the request "
            "with the same key after a few seconds."
        ),
    },
)


@strawberry.type(description="The token that a payment form starts with.")
class PaymentFormTokenCreated:
    """A token."""

    client_token: str = strawberry.field(
        description="The client token for the payment form. Request a new one for every form."
    )


@strawberry.type(
    description=("The payment method is on file, or its verification is pending. Includes everything that changed.")
)
class PaymentMethodAdded:
    """A method that was agreed to, verified and kept."""

    status: AdditionStatus = strawberry.field(description="Whether it is on file.")
    payment_method: PaymentMethod | None = strawberry.field(description="The payment method. Null while it is pending.")
    verification: CardVerification | None = strawberry.field(
        description="The bank's verification. Null for PayPal, and while it is pending."
    )
    authorization: PaymentAuthorization = strawberry.field(description="The accepted agreement.")
    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods after the change.")
    open_invoices: list[Invoice] = strawberry.field(
        directives=[holds(4)],
        description="The open invoices, oldest first. They are charged at once: load them again after a few seconds.",
    )
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(
    description=(
        "The payment method was verified and can be added with `addPaymentMethod` until `expiresAt`. It is not on "
        "file, and it is deleted if it is not added."
    )
)
class PaymentMethodVerified:
    """A method that waits to be added."""

    status: VerifyingStatus = strawberry.field(description="Whether the payment gateway has responded.")
    verification_id: strawberry.ID = strawberry.field(description="Send it with `addPaymentMethod`.")
    expires_at: datetime = strawberry.field(description="Until when it can be added.")
    display_name: str | None = strawberry.field(
        description="The name to show, such as `Visa ending in 1881`. Null while it is pending."
    )
    verification: CardVerification | None = strawberry.field(
        description="The bank's verification. Null for PayPal, and while it is pending."
    )
    authorization: PaymentAuthorization = strawberry.field(description="The accepted agreement.")


@strawberry.type(description="The default was changed. Open invoices are charged to it at once.")
class DefaultPaymentMethodSet:
    """Another method is charged first."""

    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods after the change.")
    open_invoices: list[Invoice] = strawberry.field(
        directives=[holds(4)],
        description="The open invoices, oldest first. They are charged at once: load them again after a few seconds.",
    )
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(description="The order of the back-ups was changed.")
class BackupPaymentMethodsReordered:
    """Another order."""

    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods after the change.")


@strawberry.type(description="The payment method was removed and will not be charged again.")
class PaymentMethodRemoved:
    """A method that is gone."""

    removed_id: strawberry.ID = strawberry.field(description="The id of the removed payment method.")
    new_default: PaymentMethod | None = strawberry.field(
        description="The back-up that became the default. Null if the default did not change. Show it to the user."
    )
    payment_methods: PaymentMethodList | None = strawberry.field(description="The payment methods after the change.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


CreatePaymentFormTokenResult = Annotated[
    PaymentFormTokenCreated | AuthorizationRequired | PaymentGatewayUnavailable | RateLimited,
    strawberry.union("CreatePaymentFormTokenResult", description="A token, or the reason there is none."),
]

AddPaymentMethodResult = Annotated[
    PaymentMethodAdded
    | AuthorizationRequired
    | CardVerificationFailed
    | DuplicatePaymentMethod
    | NonceRejected
    | PaymentGatewayUnavailable
    | RateLimited
    | VerificationExpired
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound,
    strawberry.union("AddPaymentMethodResult", description="The payment method, or the reason it was not added."),
]

VerifyPaymentMethodResult = Annotated[
    PaymentMethodVerified
    | AuthorizationRequired
    | CardVerificationFailed
    | DuplicatePaymentMethod
    | NonceRejected
    | PaymentGatewayUnavailable
    | RateLimited
    | VerificationExpired
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound,
    strawberry.union("VerifyPaymentMethodResult", description="The verification, or the reason the card was refused."),
]

SetDefaultPaymentMethodResult = Annotated[
    DefaultPaymentMethodSet | user_error.NotFound,
    strawberry.union("SetDefaultPaymentMethodResult", description="The new default, or the reason it was refused."),
]

ReorderBackupPaymentMethodsResult = Annotated[
    BackupPaymentMethodsReordered | user_error.InvalidInput,
    strawberry.union("ReorderBackupPaymentMethodsResult", description="The new order, or the reason it was refused."),
]

RemovePaymentMethodResult = Annotated[
    PaymentMethodRemoved | LastPaymentMethod | user_error.NotFound,
    strawberry.union("RemovePaymentMethodResult", description="The removal, or the reason it was refused."),
]


@strawberry.input(description="Requests a token for one payment form.")
class CreatePaymentFormTokenInput:
    """Input of `createPaymentFormToken`."""

    agreement_version: str | None = strawberry.field(
        default=None,
        description=(
            "The version of the agreement that the form will show. If it is no longer current, the "
            "current text is returned instead of a token, before a card is entered."
        ),
    )


@strawberry.input(description="The billing address that the bank compares with its records.")
class BillingAddressInput:
    """An address; every part may be left out."""

    street_address: str | None = strawberry.field(default=None, description="Street and number.")
    postal_code: str | None = strawberry.field(default=None, description="Postal code.")
    country_code: str | None = strawberry.field(default=None, description="ISO 3166 country code of two letters: `US`.")

    def value(self) -> BillingAddress:
        """Return the address for the core."""
        return BillingAddress(self.street_address, self.postal_code, self.country_code)


@strawberry.input(description="Verifies the payment method that the payment form collected, before it is added.")
class VerifyPaymentMethodInput:
    """Input of `verifyPaymentMethod`."""

    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key returns the first result."
        )
    )
    nonce: str = strawberry.field(
        description="The nonce from the payment form. It can be used once, within three hours."
    )
    authorize: bool = strawberry.field(
        description="Whether the user has accepted the agreement. If false, nothing is sent to the payment gateway."
    )
    agreement_version: str = strawberry.field(description="The version of the agreement that was shown.")
    device_data: str | None = strawberry.field(
        default=None, description="Device data from the payment form, for fraud checks. It is not stored."
    )
    billing_address: BillingAddressInput | None = strawberry.field(
        default=None, description="The billing address for the bank's address check."
    )
    replaces: strawberry.ID | None = strawberry.field(
        default=None, description="The method on file that it will replace, for example an expiring card."
    )

    def value(self) -> NewMethod:
        """Return the method for the service."""
        return NewMethod(
            nonce=self.nonce,
            agreement_version=self.agreement_version,
            is_authorized=self.authorize,
            device_data=self.device_data,
            address=self.billing_address.value() if self.billing_address else None,
            replaces=self.replaces,
        )


@strawberry.input(
    description=(
        "Adds a payment method: by its `verificationId`, after `verifyPaymentMethod`, or in one step by the `nonce` of "
        "the payment form."
    )
)
class AddPaymentMethodInput:
    """Input of `addPaymentMethod`."""

    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key returns the first result."
        )
    )
    nonce: str | None = strawberry.field(
        default=None,
        description=(
            "The nonce from the payment form. It can be used once, within three hours. Leave it out if there is a "
            "`verificationId`."
        ),
    )
    authorize: bool = strawberry.field(
        description="Whether the user has accepted the agreement. If false, nothing is sent to the payment gateway."
    )
    agreement_version: str = strawberry.field(description="The version of the agreement that was shown.")
    device_data: str | None = strawberry.field(
        default=None, description="Device data from the payment form, for fraud checks. It is not stored."
    )
    make_default: bool = strawberry.field(
        default=False,
        description="Whether to make it the default. The first method on file always becomes the default.",
    )
    billing_address: BillingAddressInput | None = strawberry.field(
        default=None, description="The billing address for the bank's address check."
    )
    replaces: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "The method on file to replace, for example an expiring card. The new one takes over "
            "its position and, if it was the default, that role."
        ),
    )
    verification_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=(
            "The id of a verification of your own. Send it without `nonce`, `deviceData`, `billingAddress` and "
            "`replaces`, which were given when the card was verified."
        ),
    )
    three_d_secure_authentication_id: str | None = strawberry.field(
        default=None, description="Reserved for 3-D Secure. It has no effect today."
    )

    @property
    def verified(self) -> str | None:
        """The verification to add by, or None for a method that comes with a nonce.

        :raises AmbiguousMethod: when neither is there, or something beside the verification.
        """
        given_before = (self.nonce, self.device_data, self.billing_address, self.replaces)
        if (self.nonce is None) is (self.verification_id is None):
            raise AmbiguousMethod
        if self.verification_id is not None and any(each is not None for each in given_before):
            raise AmbiguousMethod
        return self.verification_id

    def value(self) -> NewMethod:
        """Return the method for the service."""
        return NewMethod(
            nonce=self.nonce or "",
            agreement_version=self.agreement_version,
            is_authorized=self.authorize,
            device_data=self.device_data,
            makes_default=self.make_default,
            address=self.billing_address.value() if self.billing_address else None,
            replaces=self.replaces,
        )


@strawberry.input(description="Sets the default payment method.")
class SetDefaultPaymentMethodInput:
    """Input of `setDefaultPaymentMethod`."""

    payment_method_id: strawberry.ID = strawberry.field(description="The id of the payment method to make the default.")


@strawberry.input(description="Changes the order in which back-ups are charged.")
class ReorderBackupPaymentMethodsInput:
    """Input of `reorderBackupPaymentMethods`."""

    payment_method_ids: list[strawberry.ID] = strawberry.field(
        description="The ids of all back-ups, each exactly once, in the new order."
    )


@strawberry.input(description="Removes a payment method.")
class RemovePaymentMethodInput:
    """Input of `removePaymentMethod`."""

    payment_method_id: strawberry.ID = strawberry.field(description="The method to remove.")
