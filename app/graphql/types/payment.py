"""What paying now did."""

from typing import Annotated

import strawberry

from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.outcome import Outcome
from app.graphql.types.viewer import Viewer
from app.services.payments.pay_invoice import PaymentResult

described_enum(
    PaymentResult,
    description="The payment result of one invoice.",
    values={
        PaymentResult.PAID: "It is paid.",
        PaymentResult.PENDING: "The result is not known yet. Nothing is charged twice: load the invoice again.",
        PaymentResult.DECLINED: "No payment method could be charged.",
    },
)


@strawberry.type(description="The invoice is paid, or its payment is pending. Includes everything that changed.")
class InvoicePaid:
    """A payment."""

    status: Outcome = strawberry.field(description="Whether it is paid, or the result is not known yet.")
    invoice: Invoice | None = strawberry.field(description="The invoice after the change.")
    viewer: Viewer | None = strawberry.field(description="You and the account after the change, with the banner.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(description="The payment result of one open invoice.")
class InvoicePaymentOutcome:
    """One of several payments."""

    invoice: Invoice | None = strawberry.field(description="The invoice after the change.")
    result: PaymentResult = strawberry.field(description="The result.")


@strawberry.type(description="Every open invoice was charged, oldest first. Includes everything that changed.")
class OpenBalancePaid:
    """Several payments."""

    outcomes: list[InvoicePaymentOutcome] = strawberry.field(
        directives=[holds(4)], description="The result for each invoice, oldest first."
    )
    viewer: Viewer | None = strawberry.field(description="You and the account after the change, with the banner.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


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
    strawberry.union("PayInvoiceResult", description="The payment, or the reason it was refused."),
]

PayOpenBalanceResult = Annotated[
    OpenBalancePaid
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NothingToPay
    | user_error.PaymentMethodRequired
    | user_error.PaymentsPaused,
    strawberry.union("PayOpenBalanceResult", description="The payment, or the reason it was refused."),
]


@strawberry.input(description="Pays an invoice now.")
class PayInvoiceInput:
    """Input of `payInvoice`."""

    invoice_id: strawberry.ID = strawberry.field(description="The invoice to pay.")
    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key charges nothing more and returns the status of that payment."
        )
    )


@strawberry.input(description="Pays all open invoices now.")
class PayOpenBalanceInput:
    """Input of `payOpenBalance`."""

    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key charges nothing more and returns the status of those payments."
        )
    )
