"""The plans beside each other."""

import strawberry

from app.graphql.derived_ids import derived_id
from app.graphql.refusals import UserError, as_member
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.graphql.types.plan import Plan
from app.views import plans as views


@strawberry.type(description="A plan, and what this month would cost on it.")
class PlanOffer(Node):
    """Built from an offer's view with `PlanOffer.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies what this account is offered of the plan.")
    plan: Plan = strawberry.field(description="The plan.")
    is_current: bool = strawberry.field(description="Whether this month is billed on this plan at these prices.")
    cost_this_month: Money = strawberry.field(
        description=(
            "The cost of this month to date on this plan: its base price plus usage charges. It grows with usage."
        )
    )
    usage_cost: Money = strawberry.field(description="The usage charges of this month to date on this plan.")
    can_change_now: bool = strawberry.field(description="Whether the account can change to it immediately.")
    why_not: UserError | None = strawberry.field(
        description="Why the account cannot change to it immediately. Null if it can."
    )
    is_recommended: bool = strawberry.field(
        description="Whether the account's usage makes it the recommended plan. See `planAdvice`."
    )

    @classmethod
    def of(cls, choice: views.PlanChoice, account_id: str) -> "PlanOffer":
        """Return an offer for clients."""
        offer = choice.offer
        return cls(
            id=derived_id("offer", account_id, offer.plan.version.id.partition("_")[2]),
            plan=Plan.of(offer.plan),
            is_current=offer.is_current,
            cost_this_month=Money.of(offer.month_cost_cents),
            usage_cost=Money.of(offer.usage_cost_cents),
            can_change_now=choice.refusal is None,
            why_not=None if choice.refusal is None else as_member(choice.refusal),
            is_recommended=choice.is_recommended,
        )
