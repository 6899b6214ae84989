"""Which plan fits, shown by the bills of the account's own months; and months that might be."""

from datetime import date

import strawberry

from app.domain import recommendation, what_if
from app.domain.plans import Catalogue, PlanVersion
from app.domain.recommendation import NoAdvice
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.plan import Plan
from app.services.usage.usage_months import show_plan
from app.views.account_snapshot import AccountSnapshot

described_enum(
    NoAdvice,
    description="Why no other plan is recommended.",
    values={
        NoAdvice.TOO_FEW_MONTHS: "There are too few full months of usage.",
        NoAdvice.ALREADY_CHEAPEST: "The current plan is the cheapest for these months.",
        NoAdvice.SAVING_TOO_SMALL: "Another plan would save too little to be worth changing.",
    },
)


def plan_of(version: PlanVersion, catalogue: Catalogue, today: date) -> Plan:
    """Return a plan of the core for clients."""
    return Plan.of(show_plan(version, catalogue, today))


@strawberry.type(description="A month that the plan advice is based on.")
class AdviceMonth:
    """A full month, or the current one as projected."""

    period: Period = strawberry.field(description="The month.")
    is_projected: bool = strawberry.field(description="Whether it is the current month, projected to its end.")
    live: Duration = strawberry.field(description="Its live time.")


@strawberry.type(description="The cost of the months on one plan, without taxes and add-ons.")
class PlanSimulation:
    """One plan beside the others."""

    plan: Plan = strawberry.field(description="The plan.")
    is_current: bool = strawberry.field(description="Whether it is the plan for next month as currently scheduled.")
    bills: list[Money] = strawberry.field(
        directives=[holds(12)], description="The bill of each month, in the order of `PlanAdvice.months`."
    )
    total: Money = strawberry.field(description="The sum of the bills.")
    average: Money = strawberry.field(description="The average monthly bill.")


@strawberry.type(description="The plan that fits the account's own usage best, with the bills that show it.")
class PlanAdvice:
    """Built from advice of the core with `PlanAdvice.of`."""

    months: list[AdviceMonth] = strawberry.field(
        directives=[holds(12)], description="The months considered, oldest first."
    )
    simulations: list[PlanSimulation] = strawberry.field(
        directives=[holds(6)], description="The same months on every plan, cheapest base price first."
    )
    recommended: Plan | None = strawberry.field(description="The plan to change to. Null if it is best to stay.")
    no_advice: NoAdvice | None = strawberry.field(description="Why no plan is recommended. Null if one is.")
    average_saving: Money = strawberry.field(
        description="The average monthly saving of the cheapest plan, recommended or not."
    )
    explanation: str = strawberry.field(description="The advice in one sentence.")

    @classmethod
    def of(cls, found: recommendation.PlanAdvice, snapshot: AccountSnapshot) -> "PlanAdvice":
        """Return advice for clients."""
        catalogue, today = snapshot.catalogue, snapshot.today
        return cls(
            months=[
                AdviceMonth(
                    period=Period.of(month.period),
                    is_projected=month.is_projected,
                    live=Duration.of(month.usage.live_seconds),
                )
                for month in found.months
            ],
            simulations=[
                PlanSimulation(
                    plan=plan_of(simulation.plan, catalogue, today),
                    is_current=simulation is found.current,
                    bills=[Money.of(cents) for cents in simulation.month_cents],
                    total=Money.of(simulation.total_cents),
                    average=Money.of(simulation.average_cents),
                )
                for simulation in found.simulations
            ],
            recommended=plan_of(found.recommended, catalogue, today) if found.recommended else None,
            no_advice=found.no_advice,
            average_saving=Money.of(found.average_saving_cents),
            explanation=found.explanation,
        )


@strawberry.type(description="The bill of a hypothetical month on one plan. The parts add up to the total.")
class WhatIfBill:
    """One plan beside the others."""

    plan: Plan = strawberry.field(description="The plan.")
    is_current: bool = strawberry.field(description="Whether it is the plan for next month as currently scheduled.")
    is_cheapest: bool = strawberry.field(description="Whether this is the cheapest plan for such a month.")
    base: Money = strawberry.field(description="The base price of the plan.")
    add_ons: Money = strawberry.field(description="Add-ons and additional lines.")
    overage: Money = strawberry.field(description="Live time above the included minutes.")
    patch: Money = strawberry.field(description="Patched calls.")
    ivr: Money = strawberry.field(description="Automated (IVR) time.")
    tax: Money = strawberry.field(description="Tax on all of it.")
    total: Money = strawberry.field(description="The total before credit.")


@strawberry.type(description="The cost of a hypothetical full month on each plan.")
class WhatIf:
    """Built from what the core worked out with `WhatIf.of`."""

    period: Period = strawberry.field(description="The month that the simulation uses: the next one.")
    bills: list[WhatIfBill] = strawberry.field(
        directives=[holds(8)], description="The bill on every plan, cheapest base price first."
    )

    @classmethod
    def of(cls, found: what_if.WhatIf, snapshot: AccountSnapshot) -> "WhatIf":
        """Return the bills for clients."""
        return cls(
            period=Period.of(found.period),
            bills=[
                WhatIfBill(
                    plan=plan_of(bill.plan, snapshot.catalogue, snapshot.today),
                    is_current=bill.is_current,
                    is_cheapest=bill is found.cheapest,
                    base=Money.of(bill.base_cents),
                    add_ons=Money.of(bill.add_on_cents),
                    overage=Money.of(bill.overage_cents),
                    patch=Money.of(bill.patch_cents),
                    ivr=Money.of(bill.ivr_cents),
                    tax=Money.of(bill.tax_cents),
                    total=Money.of(bill.total_cents),
                )
                for bill in found.bills
            ],
        )
