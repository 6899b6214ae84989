"""Expected refusals around payment methods, with what a screen shows beside the words."""

from datetime import datetime

import strawberry

from app.domain import agreements, payment_gateway, payment_methods
from app.domain.confirmations import AskedTooSoon
from app.error_codes import ErrorCode
from app.graphql.fields import computed
from app.graphql.refusals import UserError, refusal
from app.graphql.types.payment_method import CardVerification, PaymentAgreement
from app.services.invoices.resend_invoice import ResentTooOften
from app.services.notifications.confirmations import TooOften
from app.services.payment_methods import add_payment_method
from app.services.payment_methods.add_payment_method import TooManyAttempts


@refusal(
    agreements.AuthorizationRequired,
    code=ErrorCode.AUTHORIZATION_REQUIRED,
    description=(
        "The current agreement was not accepted: `authorize` is false, or the version differs. Show "
        "this text and ask again. Nothing was sent to the payment gateway."
    ),
)
class AuthorizationRequired(UserError):
    """A method without consent."""

    refused: strawberry.Private[agreements.AuthorizationRequired]

    @computed(description="The current agreement.")
    def agreement(self) -> PaymentAgreement:
        """Return the agreement."""
        return PaymentAgreement.of(self.refused.agreement)


@refusal(
    add_payment_method.CardVerificationFailed,
    code=ErrorCode.CARD_VERIFICATION_FAILED,
    description="The bank or the payment gateway rejected the card. It is not on file.",
)
class CardVerificationFailed(UserError):
    """A card that was refused."""

    refused: strawberry.Private[add_payment_method.CardVerificationFailed]

    @computed(
        description=(
            "The checks and their results. Always present; nullable so that it can be selected "
            "beside `PaymentMethodAdded.verification`."
        )
    )
    def verification(self) -> CardVerification | None:
        """Return the checks."""
        return CardVerification.of(self.refused.verification)


@refusal(
    add_payment_method.NonceRejected,
    code=ErrorCode.NONCE_REJECTED,
    description=(
        "The payment gateway rejected the payment form's nonce: it is unknown, expired, already "
        "used or not a valid card. Ask the user to fill in the form again."
    ),
)
class NonceRejected(UserError):
    """A nonce that cannot be used."""


@refusal(
    add_payment_method.VerificationExpired,
    code=ErrorCode.VERIFICATION_EXPIRED,
    description=(
        "The verification was used already, is older than 15 minutes, or belongs to another person. Nothing was "
        "added: verify the card again."
    ),
)
class VerificationExpired(UserError):
    """A verification that adds nothing."""


@refusal(
    add_payment_method.DuplicatePaymentMethod,
    code=ErrorCode.DUPLICATE_PAYMENT_METHOD,
    description="The same card or PayPal account is already on file. Nothing was changed.",
)
class DuplicatePaymentMethod(UserError):
    """A method that is on file."""

    refused: strawberry.Private[add_payment_method.DuplicatePaymentMethod]

    @computed(description="The method already on file. Null if it has been removed since.")
    def payment_method_id(self) -> strawberry.ID | None:
        """Return the method's id."""
        return strawberry.ID(self.refused.method.id) if self.refused.method else None


@refusal(
    payment_gateway.GatewayUnavailable,
    code=ErrorCode.PAYMENT_GATEWAY_UNAVAILABLE,
    description=(
        "The payment gateway cannot be reached. Nothing was added or charged. Try again in a few "
        "minutes with a new key."
    ),
)
class PaymentGatewayUnavailable(UserError):
    """Nobody to ask."""


@refusal(
    TooManyAttempts,
    ResentTooOften,
    TooOften,
    AskedTooSoon,
    code=ErrorCode.RATE_LIMITED,
    description="Too many attempts on this account.",
)
class RateLimited(UserError):
    """A limit against those who try out stolen cards, or reach out to strangers."""

    refused: strawberry.Private[TooManyAttempts | ResentTooOften | TooOften | AskedTooSoon]

    @computed(description="When to try again.")
    def retry_after(self) -> datetime:
        """Return the time."""
        return self.refused.retry_at


@refusal(
    payment_methods.LastPaymentMethod,
    code=ErrorCode.LAST_PAYMENT_METHOD,
    description=(
        "The last chargeable payment method cannot be removed while one is required or a balance is "
        "due. Add another one first."
    ),
)
class LastPaymentMethod(UserError):
    """A removal that would leave nothing to charge."""

    refused: strawberry.Private[payment_methods.LastPaymentMethod]

    @computed(description="True if a payment method is required in the first months. False if a balance is due.")
    def is_required(self) -> bool:
        """Return whether a method is required."""
        return self.refused.is_required
