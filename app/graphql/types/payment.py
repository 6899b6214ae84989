"""What paying now did."""

from typing import Annotated

import strawberry

from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.outcome import Outcome
from app.services.payments.pay_invoice import PaymentResult

described_enum(
    PaymentResult,
    description="What became of the payment of one invoice.",
    values={
        PaymentResult.PAID: "It is paid.",
        PaymentResult.PENDING: "The outcome is not known yet. Nothing is charged twice: ask for the invoice again.",
        PaymentResult.DECLINED: "No payment method could be charged.",
    },
)


@strawberry.type(description="The invoice is paid, or its payment is under way. Holds everything that has changed.")
class InvoicePaid:
    """A payment."""

    status: Outcome = strawberry.field(description="Whether it is paid, or the outcome is not known yet.")
    invoice: Invoice | None = strawberry.field(description="The invoice as it is now.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="What became of one open invoice.")
class InvoicePaymentOutcome:
    """One of several payments."""

    invoice: Invoice | None = strawberry.field(description="The invoice as it is now.")
    result: PaymentResult = strawberry.field(description="What became of its payment.")


@strawberry.type(description="Every open invoice was charged, the oldest first. Holds everything that has changed.")
class OpenBalancePaid:
    """Several payments."""

    outcomes: list[InvoicePaymentOutcome] = strawberry.field(description="What became of each, the oldest first.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


PayInvoiceResult = Annotated[
    InvoicePaid
    | user_error.ChangeInProgress
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound
    | user_error.NothingToPay
    | user_error.PaymentDeclined
    | user_error.PaymentMethodRequired
    | user_error.PaymentsPaused,
    strawberry.union("PayInvoiceResult", description="What paying did, or why it was not done."),
]

PayOpenBalanceResult = Annotated[
    OpenBalancePaid
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NothingToPay
    | user_error.PaymentMethodRequired
    | user_error.PaymentsPaused,
    strawberry.union("PayOpenBalanceResult", description="What paying did, or why it was not done."),
]


@strawberry.input(description="Pays an invoice now.")
class PayInvoiceInput:
    """Input of `payInvoice`."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice to pay.")
    idempotency_key: str = strawberry.field(
        description="Made by the app once for each press of the button: the same key again charges nothing more, and "
        "returns how that payment stands."
    )


@strawberry.input(description="Pays everything that is open now.")
class PayOpenBalanceInput:
    """Input of `payOpenBalance`."""

    idempotency_key: str = strawberry.field(
        description="Made by the app once for each press of the button: the same key again charges nothing more, and "
        "returns how those payments stand."
    )
