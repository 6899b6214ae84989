"""Where the current month is heading: its usage at the end, and the upgrades on the way there."""

from datetime import date

import strawberry

from app.domain import projection, upgrade_forecast
from app.domain.periods import billing_date
from app.domain.projection import ProjectionBasis
from app.graphql.enums import described_enum
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.next_invoice import PreviewLine
from app.graphql.types.plan import Plan
from app.services.cycle import billing_summary as services
from app.services.usage.usage_months import show_plan

described_enum(
    ProjectionBasis,
    description="What a projection rests on.",
    values={
        ProjectionBasis.MONTH_IS_OVER: "The month is over: this is its usage.",
        ProjectionBasis.TOO_LITTLE_DATA: "There are too few days to project from: this is the usage so far.",
        ProjectionBasis.DAILY_AVERAGE: "Every day to come counts as the average day so far.",
        ProjectionBasis.WEEKDAY_PATTERN: "Every day to come counts as the average of its weekday so far.",
    },
)


@strawberry.type(description="This month's usage at its end, if it goes on at its pace. It grows surer with every day.")
class Projection:
    """Built from a projection of the core with `Projection.of`."""

    is_made: bool = strawberry.field(description="Whether there is enough to project from; if not, show no forecast.")
    basis: ProjectionBasis = strawberry.field(description="What it rests on.")
    explanation: str = strawberry.field(description="What it rests on, in one sentence.")
    observed_from: date = strawberry.field(description="The first day that it looks at.")
    observed_days: int = strawberry.field(description="How many whole days it looks at.")
    live: Duration = strawberry.field(description="Live time at the end of the month.")
    patch: Duration = strawberry.field(description="Time of patched calls at the end of the month.")
    ivr: Duration = strawberry.field(description="Automated (IVR) time at the end of the month.")

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


@strawberry.type(description="An automatic upgrade that this month is heading for, at its pace.")
class UpgradeForecast:
    """Built from a forecast of the core with `UpgradeForecast.of`."""

    on: date = strawberry.field(description="The day by whose end it is to be expected.")
    plan: Plan = strawberry.field(description="The plan that the usage outgrows.")
    target: Plan = strawberry.field(description="The plan that the month moves up to.")
    is_permanent: bool = strawberry.field(description="Whether the months after it stay on that plan.")
    lines: list[PreviewLine] = strawberry.field(description="What it will invoice.")
    base_difference: Money = strawberry.field(description="The new price of the month less the one billed already.")
    amount_due: Money = strawberry.field(description="What will be left to pay for it, with tax and after credit.")
    saving: Money = strawberry.field(description="What the whole month costs less by it, usage included.")

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
