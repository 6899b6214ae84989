"""What changing the plan did."""

from datetime import date
from typing import Annotated

import strawberry

from app.graphql.types import user_error
from app.graphql.types.billing_summary import BillingSummary
from app.graphql.types.invoice import Invoice
from app.graphql.types.outcome import Outcome
from app.graphql.types.payment_errors import PaymentGatewayUnavailable
from app.graphql.types.quote import PlanChangeQuote, QuoteStale


@strawberry.type(description="The plan is changed, or the change is arranged. Holds everything that has changed.")
class PlanChanged:
    """A confirmed change."""

    status: Outcome = strawberry.field(description="Whether it has taken effect.")
    effective_on: date = strawberry.field(description="The first billing date that the change counts for.")
    invoice: Invoice | None = strawberry.field(description="The invoice of the change; null where nothing is invoiced.")
    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


@strawberry.type(description="The scheduled change is cancelled; the plan stays as it is, and no money moved.")
class PlanChangeCancelled:
    """A cancelled change."""

    billing_summary: BillingSummary | None = strawberry.field(description="The Billing Summary as it is now.")


PlanChangePreviewResult = Annotated[
    PlanChangeQuote
    | user_error.AccountSuspended
    | user_error.AlreadyOnPlan
    | user_error.DowngradeNotCostEffective
    | user_error.PlanNotAvailable,
    strawberry.union("PlanChangePreviewResult", description="A quote, or why the plan cannot be changed so."),
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
    strawberry.union("ChangePlanResult", description="What changing the plan did, or why it was not done."),
]

CancelScheduledPlanChangeResult = Annotated[
    PlanChangeCancelled | user_error.NoScheduledChange,
    strawberry.union("CancelScheduledPlanChangeResult", description="What cancelling did, or why it was not done."),
]


@strawberry.input(description="Confirms a change of plan.")
class ChangePlanInput:
    """Input of `changePlan`."""

    quote_id: strawberry.ID = strawberry.field(description="The quote of `planChangePreview` that is confirmed.")
    idempotency_key: str = strawberry.field(
        description="Made by the app once for each press of the button: the same key again returns the first result."
    )


@strawberry.input(description="Cancels the change of plan that is scheduled for the next month.")
class CancelScheduledPlanChangeInput:
    """Input of `cancelScheduledPlanChange`."""

    plan_id: strawberry.ID = strawberry.field(
        description="The plan that the scheduled change leads to: a change that has come in between is left alone."
    )
