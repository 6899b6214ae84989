"""Where the current month is heading: its usage at the end, and the upgrades on the way there."""

from datetime import date

import strawberry

from app.domain import projection, upgrade_forecast
from app.domain.periods import billing_date
from app.domain.projection import ProjectionBasis
from app.graphql.cost import holds
from app.graphql.enums import described_enum
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import PreviewLine
from app.graphql.types.plan import Plan
from app.services.cycle import billing_summary as services
from app.services.usage.usage_months import show_plan

described_enum(
    ProjectionBasis,
    description="The method of a projection.",
    values={
        ProjectionBasis.MONTH_IS_OVER: "The month is over; the figures are final usage.",
        ProjectionBasis.TOO_LITTLE_DATA: "There is too little data to project; the figures are usage to date.",
        ProjectionBasis.DAILY_AVERAGE: "The average day so far, for every remaining day.",
        ProjectionBasis.WEEKDAY_PATTERN: "The average of each weekday so far, for every remaining day.",
    },
)


@strawberry.type(
    description=("This month's usage projected to its end at the current pace. It becomes more reliable every day.")
)
class Projection:
    """Built from a projection of the core with `Projection.of`."""

    is_made: bool = strawberry.field(description="Whether there is enough data to project. If not, show no forecast.")
    basis: ProjectionBasis = strawberry.field(description="The method of projection.")
    explanation: str = strawberry.field(description="The method in one sentence.")
    observed_from: date = strawberry.field(description="The first day it is based on.")
    observed_days: int = strawberry.field(description="The number of whole days it is based on.")
    live: Duration = strawberry.field(description="Projected live time.")
    patch: Duration = strawberry.field(description="Projected time of patched calls.")
    ivr: Duration = strawberry.field(description="Projected automated (IVR) time.")

    @classmethod
    def of(cls, found: projection.Projection) -> "Projection":
        """Return a projection for clients."""
        return cls(
            is_made=found.is_made,
            basis=found.basis,
            explanation=found.explanation,
            observed_from=found.observed_from,
            observed_days=found.observed_days,
            live=Duration.of(found.usage.live_seconds),
            patch=Duration.of(found.usage.patch_seconds),
            ivr=Duration.of(found.usage.ivr_seconds),
        )


@strawberry.type(description="An automatic upgrade that is expected this month at the current pace.")
class UpgradeForecast:
    """Built from a forecast of the core with `UpgradeForecast.of`."""

    on: date = strawberry.field(description="The day on which the upgrade is expected.")
    plan: Plan = strawberry.field(description="The plan that usage outgrows.")
    target: Plan = strawberry.field(description="The plan that the month is upgraded to.")
    is_permanent: bool = strawberry.field(description="Whether the upgrade also applies to the following months.")
    lines: list[PreviewLine] = strawberry.field(directives=[holds(2)], description="The lines that will be invoiced.")
    base_difference: Money = strawberry.field(description="The new base price less the one already billed.")
    amount_due: Money = strawberry.field(
        description="The amount that will be due for it, including tax and after credit."
    )
    saving: Money = strawberry.field(
        description="How much less the whole month costs with the upgrade, usage included."
    )

    @classmethod
    def of(cls, found: upgrade_forecast.UpgradeForecast, summary: services.BillingSummary) -> "UpgradeForecast":
        """Return a forecast for clients."""
        catalogue, today = summary.facts.usage.catalogue, billing_date(summary.now)
        return cls(
            on=found.on,
            plan=Plan.of(show_plan(found.plan, catalogue, today)),
            target=Plan.of(show_plan(found.target, catalogue, today)),
            is_permanent=found.is_permanent,
            lines=[PreviewLine.of(line) for line in found.draft.lines],
            base_difference=Money.of(found.base_difference_cents),
            amount_due=Money.of(found.amount_due_cents),
            saving=Money.of(found.saving_cents),
        )
