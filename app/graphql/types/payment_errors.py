"""Expected refusals around payment methods, with what a screen shows beside the words."""

from datetime import datetime

import strawberry

from app.graphql.types.payment_method import CardVerification, PaymentAgreement
from app.graphql.types.user_error import UserError


@strawberry.type(
    description=(
        "The current agreement was not accepted: `authorize` is false, or the version differs. Show "
        "this text and ask again. Nothing was sent to the payment gateway."
    )
)
class AuthorizationRequired(UserError):
    """A method without consent."""

    agreement: PaymentAgreement = strawberry.field(description="The current agreement.")


@strawberry.type(description="The bank or the payment gateway rejected the card. It is not on file.")
class CardVerificationFailed(UserError):
    """A card that was refused."""

    verification: CardVerification | None = strawberry.field(
        description=(
            "The checks and their results. Always present; nullable so that it can be selected "
            "beside `PaymentMethodAdded.verification`."
        )
    )


@strawberry.type(
    description=(
        "The payment gateway rejected the payment form's nonce: it is unknown, expired, already "
        "used or not a valid card. Ask the user to fill in the form again."
    )
)
class NonceRejected(UserError):
    """A nonce that cannot be used."""


@strawberry.type(description="The same card or PayPal account is already on file. Nothing was changed.")
class DuplicatePaymentMethod(UserError):
    """A method that is on file."""

    payment_method_id: strawberry.ID | None = strawberry.field(
        description="The method already on file. Null if it has been removed since."
    )


@strawberry.type(
    description=(
        "The payment gateway cannot be reached. Nothing was added or charged. Try again in a few "
        "minutes with a new key."
    )
)
class PaymentGatewayUnavailable(UserError):
    """Nobody to ask."""


@strawberry.type(description="Too many attempts on this account.")
class RateLimited(UserError):
    """A limit against those who try out stolen cards."""

    retry_after: datetime = strawberry.field(description="When to try again.")


@strawberry.type(
    description=(
        "The last chargeable payment method cannot be removed while one is required or a balance is "
        "due. Add another one first."
    )
)
class LastPaymentMethod(UserError):
    """A removal that would leave nothing to charge."""

    is_required: bool = strawberry.field(
        description="True if a payment method is required in the first months. False if a balance is due."
    )
