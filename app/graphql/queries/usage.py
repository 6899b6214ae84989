"""Usage by month."""

from typing import Annotated

import strawberry

from app.domain.periods import InvalidMonth, Period
from app.graphql.connections import is_selected
from app.graphql.context import Info
from app.graphql.cost import cost, sliced
from app.graphql.errors import BadInput
from app.graphql.permissions import Permission, root_field
from app.graphql.types.usage import UsageMonth
from app.repositories.pages.usage import USAGE_BY_DAY, USAGE_BY_MONTH
from app.services.usage.usage_months import current_month, usage_history, usage_month
from app.views.usage import UsageFacts

MOST_MONTHS = 36

MonthArgument = Annotated[
    str | None, strawberry.argument(description="The month as `YYYY-MM`. Defaults to the current month.")
]
MonthsArgument = Annotated[
    int,
    strawberry.argument(
        description=f"The maximum number of months, the current one included, from 1 to {MOST_MONTHS}."
    ),
]


def read_month(month: str | None, current: Period) -> Period:
    """Return the month of an argument, or the current one.

    :raises BadInput: when the text is no month.
    """
    try:
        return current if month is None else Period.parse(month)
    except InvalidMonth as error:
        raise BadInput(str(error)) from None


def check_months(months: int) -> None:
    """Let pass a number of months that can be answered.

    :raises BadInput: when it cannot.
    """
    if not 1 <= months <= MOST_MONTHS:
        raise BadInput(f"`months` is {months}. Ask for 1 to {MOST_MONTHS} months.")


async def load_usage(info: Info, first: Period, last: Period) -> UsageFacts | None:
    """Return the usage of a range of months, with its days where the field at hand selects them."""
    page = USAGE_BY_DAY if is_selected(info, "days") else USAGE_BY_MONTH
    return await info.context.load(page, since=first.starts_on, before=last.ends_before)


@strawberry.type
class UsageQueries:
    """Root fields about usage."""

    @root_field(
        costs=[cost(150)],
        permission=Permission.VIEW_USAGE,
        description="The usage of one month. Null for a future month or one before paid service started.",
    )
    async def usage(self, info: Info, month: MonthArgument = None) -> UsageMonth | None:
        """Resolve `usage`."""
        now = info.context.clock.now()
        period = read_month(month, current_month(now))
        facts = await load_usage(info, period, period)
        found = usage_month(facts=facts, period=period, now=now) if facts else None
        return UsageMonth.of(found) if found else None

    @root_field(
        costs=[cost(150), sliced("months")],
        permission=Permission.VIEW_USAGE,
        description=(
            "The usage of the current month and the months before it, newest first, back to the start of paid service."
        ),
    )
    async def usage_history(self, info: Info, months: MonthsArgument = 12) -> list[UsageMonth] | None:
        """Resolve `usageHistory`."""
        check_months(months)
        now = info.context.clock.now()
        current = current_month(now)
        facts = await load_usage(info, current.shifted(1 - months), current)
        return [UsageMonth.of(month) for month in usage_history(facts=facts, months=months, now=now)] if facts else None
