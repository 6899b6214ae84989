"""Whether what somebody confirmed has taken effect."""

from app.graphql.enums import described_enum
from app.services.payments.customer_charges import Outcome

__all__ = ["Outcome"]

described_enum(
    Outcome,
    name="ChangeStatus",
    description="Whether a change has taken effect, or a payment has been made.",
    values={
        Outcome.APPLIED: "It has taken effect, and what it costs at once is paid.",
        Outcome.SCHEDULED: "It will take effect on its date, and can be cancelled until then.",
        Outcome.PAYMENT_PENDING: "The outcome of the payment is not known yet. Nothing is charged twice: ask for the "
        "invoice again, or send the same request with the same key.",
    },
)
