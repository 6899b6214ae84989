"""A month of calls as its customer reads it: day by day, beside the allowance, and how far the plan pays off in it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.money import UNIT_PRICE_PER_CENT
from app.domain.proration import prorated_cents, prorated_minutes
from app.domain.usage import UsageTotals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.domain.periods import Period
    from app.domain.plans import PlanVersion

NO_USAGE = UsageTotals()


@dataclass(frozen=True, slots=True)
class UsageSums:
    """What some days of calls add up to: what is charged, the calls that are not, and when the last call began."""

    charged: UsageTotals = NO_USAGE
    free_call_count: int = 0
    last_started_at: datetime | None = None

    def __add__(self, other: UsageSums) -> UsageSums:
        """Return the sum of both."""
        starts = [at for at in (self.last_started_at, other.last_started_at) if at is not None]
        return UsageSums(
            self.charged + other.charged,
            self.free_call_count + other.free_call_count,
            max(starts, default=None),
        )


@dataclass(frozen=True, slots=True)
class UsageDay:
    """The calls of one billing date; `cumulative_live_seconds` counts from the month's first day on."""

    on: date
    sums: UsageSums
    cumulative_live_seconds: int = 0


def daily_series(days: Iterable[UsageDay], first_on: date, last_on: date) -> Iterator[UsageDay]:
    """Give every date from the first to the last with its usage, in order, those without a call included."""
    known = {day.on: day for day in days}
    live_seconds = 0
    for offset in range((last_on - first_on).days + 1):
        on = first_on + timedelta(days=offset)
        day = known.get(on, UsageDay(on, UsageSums()))
        live_seconds += day.sums.charged.live_seconds
        yield replace(day, cumulative_live_seconds=live_seconds)


def month_cost_effective_minutes(plan: PlanVersion, higher: PlanVersion, period: Period, paid_starts_on: date) -> int:
    """Return the last whole live minute of the month at which `plan` costs no more than `higher` (section 1.3).

    In a first, partial month with the prices and the allowance of its paid days (rules 9, 10).
    """
    base, higher_base = (prorated_cents(version.base_cents, period, paid_starts_on) for version in (plan, higher))
    included = prorated_minutes(plan.included_minutes, period, paid_starts_on)
    return included + (higher_base - base) * UNIT_PRICE_PER_CENT // plan.overage_rate
