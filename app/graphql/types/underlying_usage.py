"""What the underlying calls of a line of an invoice add up to."""

from collections.abc import Sequence
from datetime import date

import strawberry

from app.graphql.cost import holds
from app.graphql.types.duration import Duration
from app.views.calls import UsageOfDay


@strawberry.type(description="One day of the usage that an invoice line bills.")
class UnderlyingUsageDay:
    """The sums of a day."""

    on: date = strawberry.field(description="The billing date.")
    live: Duration = strawberry.field(description="Live time of the day.")
    patch: Duration = strawberry.field(description="Time of patched calls.")
    ivr: Duration = strawberry.field(description="Automated (IVR) time.")
    call_count: int = strawberry.field(description="The number of billed calls.")


@strawberry.type(
    description="The usage that an invoice line bills, added up from individual calls as of the invoice's issue."
)
class UnderlyingUsage:
    """Built from the sums of days with `UnderlyingUsage.of`."""

    live: Duration = strawberry.field(description="Live time of the month, the allowance included.")
    patch: Duration = strawberry.field(description="Time of patched calls in the month.")
    ivr: Duration = strawberry.field(description="Automated (IVR) time of the month.")
    call_count: int = strawberry.field(description="The number of billed calls in the month.")
    days: list[UnderlyingUsageDay] = strawberry.field(
        directives=[holds(31)], description="The days with billed calls, in order."
    )

    @classmethod
    def of(cls, days: Sequence[UsageOfDay]) -> "UnderlyingUsage":
        """Return sums of days for clients."""
        return cls(
            live=Duration.of(sum(day.live_seconds for day in days)),
            patch=Duration.of(sum(day.patch_seconds for day in days)),
            ivr=Duration.of(sum(day.ivr_seconds for day in days)),
            call_count=sum(day.call_count for day in days),
            days=[_day(day) for day in days],
        )


def _day(day: UsageOfDay) -> UnderlyingUsageDay:
    return UnderlyingUsageDay(
        on=day.on,
        live=Duration.of(day.live_seconds),
        patch=Duration.of(day.patch_seconds),
        ivr=Duration.of(day.ivr_seconds),
        call_count=day.call_count,
    )
