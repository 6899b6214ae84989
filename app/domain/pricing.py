"""Rating a month's usage on one plan: overage, patch and IVR, each rounded once (rules 4, 6, 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.money import price_of
from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.policies import policies_on
from app.domain.proration import prorated_cents, prorated_minutes

if TYPE_CHECKING:
    from datetime import date

    from app.domain.periods import Period
    from app.domain.plans import PlanVersion
    from app.domain.policies import Policies
    from app.domain.usage import UsageTotals


@dataclass(frozen=True, slots=True)
class RatedUsage:
    """A month's usage priced on one plan; seconds and cents."""

    allowance_seconds: int
    overage_seconds: int
    overage_cents: int
    patch_cents: int
    ivr_cents: int

    @property
    def total_cents(self) -> int:
        """The usage charges of the month."""
        return self.overage_cents + self.patch_cents + self.ivr_cents


def allowance_seconds(plan: PlanVersion, period: Period, paid_starts_on: date) -> int:
    """Return the live seconds included in the period, prorated in a first partial month (rule 10)."""
    return prorated_minutes(plan.included_minutes, period, paid_starts_on) * SECONDS_PER_MINUTE


def rate_usage(
    usage: UsageTotals, plan: PlanVersion, period: Period, paid_starts_on: date, policies: Policies
) -> RatedUsage:
    """Price a month's usage; live seconds use the allowance, patch and IVR bill from the first second (rules 6, 7)."""
    allowance = allowance_seconds(plan, period, paid_starts_on)
    overage = max(0, usage.live_seconds - allowance)
    return RatedUsage(
        allowance_seconds=allowance,
        overage_seconds=overage,
        overage_cents=price_of(overage, plan.overage_rate, SECONDS_PER_MINUTE),
        patch_cents=price_of(usage.patch_seconds, policies.patch_rate, SECONDS_PER_MINUTE),
        ivr_cents=price_of(usage.ivr_seconds, policies.ivr_rate, SECONDS_PER_MINUTE),
    )


def month_cost_cents(usage: UsageTotals, plan: PlanVersion, period: Period, paid_starts_on: date) -> int:
    """Return what the whole month costs on the plan, under the month's policies: base and usage charges, in cents."""
    base = prorated_cents(plan.base_cents, period, paid_starts_on)
    return base + rate_usage(usage, plan, period, paid_starts_on, policies_on(period.starts_on)).total_cents
