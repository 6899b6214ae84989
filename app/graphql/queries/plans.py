"""The plans, and what each would cost this month."""

from typing import Annotated

import strawberry

from app.domain.plan_changes import When
from app.graphql.context import Info
from app.graphql.cost import cost, holds
from app.graphql.permissions import Permission, root_field
from app.graphql.selections import mentions
from app.graphql.types.plan_change import PlanChangePreviewResult
from app.graphql.types.plan_offer import PlanOffer
from app.graphql.types.quote import PlanChangeQuote
from app.repositories.pages.account_snapshot import ACCOUNT_SNAPSHOT
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.pages.usage import USAGE_BY_MONTH
from app.services.common.account_snapshot import snapshot_dates
from app.services.plans.change_plan import preview_plan_change
from app.services.plans.next_invoice import next_invoice_after
from app.services.plans.plan_advice import plan_advice, plan_advice_dates
from app.services.plans.plan_offers import plan_choices, plan_offers
from app.services.usage.usage_months import current_month

PlanIdArgument = Annotated[
    strawberry.ID, strawberry.argument(description="The id of the plan to change to, from `plans`.")
]
WhenArgument = Annotated[When, strawberry.argument(description="When the change would take effect.")]


async def load_offers(info: Info) -> list[PlanOffer] | None:
    """Return every plan on sale, and the account's own, as it is offered to the caller's account."""
    now = info.context.clock.now()
    month = current_month(now)
    facts, advice = await info.context.load_together(
        (USAGE_BY_MONTH, {"since": month.starts_on, "before": month.ends_before}),
        (PLAN_ADVICE, plan_advice_dates(now)),
    )
    if facts is None or advice is None:
        return None
    best = plan_advice(advice).recommended if mentions(info, "isRecommended") else None
    choices = plan_choices(plan_offers(facts=facts, now=now), advice.snapshot, best.id if best else None)
    return [PlanOffer.of(choice, advice.snapshot.account_id) for choice in choices]


async def load_quote(info: Info, plan_id: str, when: When) -> PlanChangeQuote | None:
    """Return the quote for a change to a plan.

    :raises PlanChangeRefused, PlanNotAvailable, AccountSuspended: see `preview_plan_change`.
    """
    now = info.context.clock.now()
    snapshot, facts = await info.context.load_together((ACCOUNT_SNAPSHOT, snapshot_dates(now)), (NEXT_INVOICE, {}))
    if snapshot is None or facts is None:
        return None
    quoted = preview_plan_change(snapshot, plan_id, when, info.context.writes.signer)
    following = next_invoice_after(
        facts=facts, offer=quoted.offer, month=snapshot.period, catalogue=snapshot.catalogue, now=now
    )
    return PlanChangeQuote.of(quoted, following)


@strawberry.type
class PlanQueries:
    """Root fields about plans."""

    @root_field(
        costs=[cost(300), holds(8)],
        permission=Permission.VIEW_PLANS,
        description="The plans on sale today and the account's own plan, with what each would cost this month.",
    )
    async def plans(self, info: Info) -> list[PlanOffer] | None:
        """Resolve `plans`."""
        return await load_offers(info)

    @root_field(
        costs=[cost(350)],
        permission=Permission.CHANGE_PLAN,
        description="A quote for changing to a plan, or the reason the plan cannot be changed.",
    )
    async def plan_change_preview(
        self, info: Info, plan_id: PlanIdArgument, when: WhenArgument
    ) -> PlanChangePreviewResult | None:
        """Resolve `planChangePreview`."""
        return await load_quote(info, plan_id, when)
