"""The plans beside each other."""

import strawberry

from app.graphql.refusals import as_member
from app.graphql.types.money import Money
from app.graphql.types.plan import Plan
from app.graphql.types.user_error import UserError
from app.views import plans as views


@strawberry.type(description="A plan, and what it would make of this month.")
class PlanOffer:
    """Built from an offer's view with `PlanOffer.of`."""

    plan: Plan = strawberry.field(description="The plan.")
    is_current: bool = strawberry.field(description="Whether this month is billed on this plan, at these prices.")
    cost_this_month: Money = strawberry.field(
        description="This month on this plan: its base, and the charges for the usage so far. It grows with the usage."
    )
    usage_cost: Money = strawberry.field(description="The charges for the usage so far alone.")
    can_change_now: bool = strawberry.field(description="Whether this month can change to it at once.")
    why_not: UserError | None = strawberry.field(description="What stands against that; null when nothing does.")
    is_recommended: bool = strawberry.field(description="Whether your own months advise it; see `planAdvice`.")

    @classmethod
    def of(cls, choice: views.PlanChoice) -> "PlanOffer":
        """Return an offer for clients."""
        offer = choice.offer
        return cls(
            plan=Plan.of(offer.plan),
            is_current=offer.is_current,
            cost_this_month=Money.of(offer.month_cost_cents),
            usage_cost=Money.of(offer.usage_cost_cents),
            can_change_now=choice.refusal is None,
            why_not=None if choice.refusal is None else as_member(choice.refusal),
            is_recommended=choice.is_recommended,
        )
