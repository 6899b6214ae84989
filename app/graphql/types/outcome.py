"""Whether what somebody confirmed has taken effect."""

from app.graphql.enums import described_enum
from app.services.payments.customer_charges import Outcome

__all__ = ["Outcome"]

described_enum(
    Outcome,
    name="ChangeStatus",
    description="Whether a change has taken effect or a payment has been made.",
    values={
        Outcome.APPLIED: "The change has taken effect, and any amount due is paid.",
        Outcome.SCHEDULED: "The change takes effect on its date and can be cancelled until then.",
        Outcome.PAYMENT_PENDING: (
            "The result of the payment is not known yet. Nothing is charged twice: load the invoice "
            "again, or repeat the request with the same key."
        ),
    },
)
