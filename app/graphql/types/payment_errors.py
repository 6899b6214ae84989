"""Expected refusals around payment methods, with what a screen shows beside the words."""

from datetime import datetime

import strawberry

from app.graphql.types.payment_method import CardVerification, PaymentAgreement
from app.graphql.types.user_error import UserError


@strawberry.type(
    description="The agreement in force was not accepted: `authorize` is false, or its version is another. Show this "
    "text, and ask again. Nothing was sent to the payment service."
)
class AuthorizationRequired(UserError):
    """A method without consent."""

    agreement: PaymentAgreement = strawberry.field(description="The agreement in force.")


@strawberry.type(description="The bank or the payment service did not accept the card. Nothing is on file of it.")
class CardVerificationFailed(UserError):
    """A card that was refused."""

    verification: CardVerification | None = strawberry.field(
        description="What was checked, and what came of it. Always there; nullable so that it can be asked for beside "
        "`PaymentMethodAdded.verification`."
    )


@strawberry.type(
    description="The payment service did not take what the payment form made: it is unknown, too old, used, or no "
    "valid card. Let the person fill in a new form."
)
class NonceRejected(UserError):
    """A nonce that cannot be used."""


@strawberry.type(description="The same card, or the same PayPal account, is on file already. Nothing has changed.")
class DuplicatePaymentMethod(UserError):
    """A method that is on file."""

    payment_method_id: strawberry.ID | None = strawberry.field(
        description="The method on file; null where it is gone meanwhile."
    )


@strawberry.type(
    description="The payment service cannot be reached, so nothing was added or charged. Try again in a few minutes, "
    "with a new key."
)
class PaymentGatewayUnavailable(UserError):
    """Nobody to ask."""


@strawberry.type(description="Too many payment methods were tried on this account of late.")
class RateLimited(UserError):
    """A limit against those who try out stolen cards."""

    retry_after: datetime = strawberry.field(description="When it may be tried again.")


@strawberry.type(
    description="The last payment method that can be charged stays on file while one is required, or an amount is "
    "open. Add another one first."
)
class LastPaymentMethod(UserError):
    """A removal that would leave nothing to charge."""

    is_required: bool = strawberry.field(
        description="Whether it is because a payment method is required in the first months; otherwise, because an "
        "amount is open."
    )
