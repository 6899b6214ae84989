"""The plans, and what each would cost this month."""

import strawberry

from app.graphql.context import Info
from app.graphql.permissions import Permission, root_field
from app.graphql.types.plan_offer import PlanOffer
from app.repositories.pages.usage import USAGE_BY_MONTH
from app.services.plan_offers import plan_offers
from app.services.usage_months import current_month


@strawberry.type
class PlanQueries:
    """Root fields about plans."""

    @root_field(
        permission=Permission.VIEW_PLANS,
        description="The plans on sale today, with yours among them even if it is sold no more, and what each would "
        "cost this month.",
    )
    async def plans(self, info: Info) -> list[PlanOffer] | None:
        """Resolve `plans`."""
        now = info.context.clock.now()
        month = current_month(now)
        facts = await info.context.load(USAGE_BY_MONTH, since=month.starts_on, before=month.ends_before)
        return [PlanOffer.of(offer) for offer in plan_offers(facts=facts, now=now)] if facts else None
