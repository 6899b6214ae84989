"""Usage by month and by day."""

from datetime import date, datetime

import strawberry

from app.domain.usage_months import UsageDay as Day
from app.domain.usage_months import daily_series
from app.graphql.cost import holds
from app.graphql.derived_ids import derived_id
from app.graphql.fields import computed
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.money import Money
from app.graphql.types.node import Node
from app.graphql.types.plan import Plan
from app.views import usage as views


@strawberry.type(description="The calls that started on one billing date.")
class UsageDay:
    """Built from a day of the core with `UsageDay.of`."""

    on: date = strawberry.field(description="The billing date.")
    live: Duration = strawberry.field(description="Live time of the day.")
    cumulative_live: Duration = strawberry.field(
        description="Live time of the month up to and including this day. Compare it with the allowance."
    )
    patch: Duration = strawberry.field(description="Patched time of the day.")
    ivr: Duration = strawberry.field(description="Automated (IVR) time of the day.")
    call_count: int = strawberry.field(description="The number of billed calls.")

    @classmethod
    def of(cls, day: Day) -> "UsageDay":
        """Return a day for clients."""
        charged = day.sums.charged
        return cls(
            on=day.on,
            live=Duration.of(charged.live_seconds),
            cumulative_live=Duration.of(day.cumulative_live_seconds),
            patch=Duration.of(charged.patch_seconds),
            ivr=Duration.of(charged.ivr_seconds),
            call_count=charged.call_count,
        )


@strawberry.type(
    description=(
        "The usage of one billing month to date, and its cost on that month's plan. Trial calls are "
        "not counted. Calls that are not charged count only in `freeCallCount`."
    )
)
class UsageMonth(Node):
    """Built from a month's view with `UsageMonth.of`."""

    view: strawberry.Private[views.UsageMonth]
    id: strawberry.ID = strawberry.field(description="Identifies this month of the account.")
    period: Period = strawberry.field(description="The month.")
    plan: Plan = strawberry.field(description="The plan that the month is billed on.")
    allowance: Duration = strawberry.field(
        description="The live time included in this month. It is prorated if paid service started within the month."
    )
    live: Duration = strawberry.field(description="Live time to date: per call, the longer of script and recording.")
    remaining: Duration = strawberry.field(description="The remaining allowance.")
    overage: Duration = strawberry.field(description="Live time above the allowance.")
    patch: Duration = strawberry.field(description="Patched time, charged from the first second.")
    ivr: Duration = strawberry.field(description="Automated (IVR) time, charged from the first second.")
    overage_cost: Money = strawberry.field(description="The charge for live time above the allowance.")
    patch_cost: Money = strawberry.field(description="The charge for patched time.")
    ivr_cost: Money = strawberry.field(description="The charge for automated (IVR) time.")
    total_cost: Money = strawberry.field(
        description="All usage charges of the month to date, without the plan's base price."
    )
    cost_effective_to_minutes: int | None = strawberry.field(
        description="Up to this many live minutes in this month, no larger plan is cheaper. Null on the largest plan."
    )
    call_count: int = strawberry.field(description="The number of billed calls.")
    free_call_count: int = strawberry.field(description="The number of calls that are recorded and not charged.")
    as_of: datetime = strawberry.field(
        description="When these figures were read. They include every call known by then."
    )
    last_event_at: datetime | None = strawberry.field(
        description=(
            "When the latest known call of this month started. Null before the first. Later calls "
            "may not have been reported yet."
        )
    )

    @classmethod
    def of(cls, month: views.UsageMonth) -> "UsageMonth":
        """Return a month for clients."""
        charged, rated = month.sums.charged, month.rated
        return cls(
            view=month,
            id=derived_id("usage", month.account_id, month.period.month),
            period=Period.of(month.period),
            plan=Plan.of(month.plan),
            allowance=Duration.of(rated.allowance_seconds),
            live=Duration.of(charged.live_seconds),
            remaining=Duration.of(month.remaining_seconds),
            overage=Duration.of(rated.overage_seconds),
            patch=Duration.of(charged.patch_seconds),
            ivr=Duration.of(charged.ivr_seconds),
            overage_cost=Money.of(rated.overage_cents),
            patch_cost=Money.of(rated.patch_cents),
            ivr_cost=Money.of(rated.ivr_cents),
            total_cost=Money.of(rated.total_cents),
            cost_effective_to_minutes=month.cost_effective_minutes,
            call_count=charged.call_count,
            free_call_count=month.sums.free_call_count,
            as_of=month.read_at,
            last_event_at=month.sums.last_started_at,
        )

    @computed(
        costs=[holds(31)],
        description=(
            "Every day from the first paid day of the month up to today, days without calls "
            "included. Use it for the usage chart."
        ),
    )
    def days(self) -> list[UsageDay]:
        """Return the series."""
        month = self.view
        return [UsageDay.of(day) for day in daily_series(month.days, month.first_on, month.last_on)]
