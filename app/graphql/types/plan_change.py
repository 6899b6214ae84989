"""What changing the plan did."""

from datetime import date
from typing import Annotated

import strawberry

from app.graphql.cost import holds
from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.outcome import Outcome
from app.graphql.types.payment_errors import PaymentGatewayUnavailable
from app.graphql.types.quote import PlanChangeQuote, QuoteStale
from app.graphql.types.viewer import Viewer


@strawberry.type(description="The plan was changed, or the change is scheduled. Includes everything that changed.")
class PlanChanged:
    """A confirmed change."""

    status: Outcome = strawberry.field(description="Whether it has taken effect.")
    effective_on: date = strawberry.field(description="The first billing date on which the change applies.")
    invoice: Invoice | None = strawberry.field(description="The invoice of the change. Null if nothing is invoiced.")
    settled_invoices: list[Invoice] = strawberry.field(
        directives=[holds(2)],
        description="The earlier invoices that credit from this change has paid, wholly or in part. Usually empty.",
    )
    viewer: Viewer | None = strawberry.field(description="You and the account after the change, with the banner.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


@strawberry.type(description="The scheduled change is cancelled and the plan stays. Nothing was charged or credited.")
class PlanChangeCancelled:
    """A cancelled change."""

    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary after the change.")


PlanChangePreviewResult = Annotated[
    PlanChangeQuote
    | user_error.AccountSuspended
    | user_error.AlreadyOnPlan
    | user_error.DowngradeNotCostEffective
    | user_error.PlanNotAvailable,
    strawberry.union("PlanChangePreviewResult", description="A quote, or the reason the plan cannot be changed."),
]

ChangePlanResult = Annotated[
    PlanChanged
    | QuoteStale
    | user_error.AccountSuspended
    | user_error.AlreadyOnPlan
    | user_error.ChangeInProgress
    | user_error.DowngradeNotCostEffective
    | user_error.IdempotencyConflict
    | user_error.InvalidInput
    | user_error.NotFound
    | user_error.PaymentDeclined
    | user_error.PaymentMethodRequired
    | user_error.PaymentsPaused
    | PaymentGatewayUnavailable
    | user_error.PlanNotAvailable,
    strawberry.union("ChangePlanResult", description="The plan change, or the reason it was refused."),
]

CancelScheduledPlanChangeResult = Annotated[
    PlanChangeCancelled | user_error.NoScheduledChange,
    strawberry.union("CancelScheduledPlanChangeResult", description="The cancellation, or the reason it was refused."),
]


@strawberry.input(description="Confirms a plan change.")
class ChangePlanInput:
    """Input of `changePlan`."""

    quote_id: strawberry.ID = strawberry.field(description="The quote from `planChangePreview` to confirm.")
    idempotency_key: str = strawberry.field(
        description=(
            "A key that the app makes once per button press. Repeating the request with the same "
            "key returns the first result."
        )
    )


@strawberry.input(description="Cancels the plan change that is scheduled for next month.")
class CancelScheduledPlanChangeInput:
    """Input of `cancelScheduledPlanChange`."""

    plan_id: strawberry.ID = strawberry.field(
        description=(
            "The target plan of the scheduled change. If another change has replaced it, that one is left in place."
        )
    )
