"""Types that several nouns share."""

from datetime import date

import strawberry

from app.domain import periods


@strawberry.type(
    description=(
        "A billing period: a calendar month in the billing time zone. It starts at midnight on "
        "`startsOn` and ends just before midnight on `endsBefore`."
    )
)
class Period:
    """Built from the core's period with `Period.of`."""

    starts_on: date = strawberry.field(description="The first day of the period.")
    ends_before: date = strawberry.field(description="The day after the last day of the period.")
    time_zone: str = strawberry.field(description="The IANA time zone of the dates.")

    @classmethod
    def of(cls, period: periods.Period) -> "Period":
        """Return a period of the core for clients."""
        return cls(starts_on=period.starts_on, ends_before=period.ends_before, time_zone=periods.ZONE_NAME)
