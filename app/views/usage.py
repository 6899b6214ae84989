"""Usage by month: what a page reads of an account's calls, and a month as the portal shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.pricing import RatedUsage
    from app.domain.usage_months import UsageDay, UsageSums
    from app.views.plans import Plan


@dataclass(frozen=True, slots=True)
class UsageFacts:
    """An account's calls in a range of months, summed since its paid start.

    `chosen_plan` is the plan the account chose, `plans` those of its opened months, `sums` the usage; both by the
    month's first day. `days` are those with calls, where the page read them. `catalogue` holds what was on sale then.
    """

    account_id: str
    paid_starts_on: date
    chosen_plan: PlanVersion
    plans: Mapping[date, PlanVersion]
    sums: Mapping[date, UsageSums]
    days: tuple[UsageDay, ...]
    catalogue: Catalogue

    def plan_of(self, period: Period) -> PlanVersion:
        """Return the plan that a month is billed on: its own once it has been opened, else the chosen one."""
        return self.plans.get(period.starts_on, self.chosen_plan)


@dataclass(frozen=True, slots=True)
class UsageMonth:
    """A month's usage on its plan; `days` are those with calls, `first_on` to `last_on` the dates that it covers.

    `cost_effective_minutes` is that of this very month, None on the highest plan; `read_at` is when it was read.
    """

    account_id: str
    period: Period
    plan: Plan
    sums: UsageSums
    rated: RatedUsage
    cost_effective_minutes: int | None
    first_on: date
    last_on: date
    days: tuple[UsageDay, ...]
    read_at: datetime

    @property
    def remaining_seconds(self) -> int:
        """What is left of the month's allowance of live seconds."""
        return max(0, self.rated.allowance_seconds - self.sums.charged.live_seconds)
