"""The buttons of the Plan tab."""

import asyncio
from typing import Annotated, Any

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, mutation_field
from app.graphql.queries.billing_summary import load_summary
from app.graphql.queries.invoices import load_invoice, load_settled_invoices
from app.graphql.queries.viewer import load_viewer_again
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


async def load_changed(info: Info, invoice_id: str | None) -> dict[str, Any]:
    """Return what a change of plan with this invoice may have changed, read together."""
    invoice, settled, viewer, summary = await asyncio.gather(
        load_invoice(info, invoice_id or ""),
        load_settled_invoices(info, invoice_id or ""),
        load_viewer_again(info),
        load_summary(info),
    )
    return {"invoice": invoice, "settled_invoices": settled, "viewer": viewer, "billing_summary": summary}


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
            **await load_changed(info, changed.invoice_id),
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
