"""The buttons of the Plan tab."""

from typing import Annotated

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_invoice
from app.graphql.types.plan_change import (
    CancelScheduledPlanChangeInput,
    CancelScheduledPlanChangeResult,
    ChangePlanInput,
    ChangePlanResult,
    PlanChangeCancelled,
    PlanChanged,
)
from app.services.plans import change_plan

ChangeInput = Annotated[ChangePlanInput, strawberry.argument(description="The quote to confirm.")]
CancelInput = Annotated[
    CancelScheduledPlanChangeInput, strawberry.argument(description="The scheduled change to cancel.")
]


@strawberry.type
class PlanMutations:
    """Mutations of the Plan tab."""

    @mutation_field(
        permission=Permission.CHANGE_PLAN,
        description=(
            "Confirms a plan change by its quote. It takes effect as soon as its invoice is paid, or next month."
        ),
    )
    async def change_plan(self, info: Info, input: ChangeInput) -> ChangePlanResult:
        """Resolve `changePlan`."""
        changed = await change_plan.change_plan(
            info.context.services,
            await info.context.caller(),
            signer=info.context.writes.signer,
            payment_runner=info.context.writes.payment_runner,
            quote_token=input.quote_id,
            idempotency_key=input.idempotency_key,
        )
        return PlanChanged(
            status=changed.outcome,
            effective_on=changed.details.effective_on,
            invoice=await load_invoice(info, changed.invoice_id) if changed.invoice_id else None,
            billing_summary=await load_summary(info),
        )

    @mutation_field(
        permission=Permission.CHANGE_PLAN,
        description="Cancels the plan change scheduled for next month. Nothing is charged or credited.",
    )
    async def cancel_scheduled_plan_change(self, info: Info, input: CancelInput) -> CancelScheduledPlanChangeResult:
        """Resolve `cancelScheduledPlanChange`."""
        await change_plan.cancel_scheduled_plan_change(
            info.context.services, await info.context.caller(), plan_version_id=input.plan_id
        )
        return PlanChangeCancelled(billing_summary=await load_summary(info))
