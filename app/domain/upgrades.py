"""The automatic upgrade: a month whose usage has outgrown its plan is billed on the plan that fits it (rules 19-21)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.periods import add_months
from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.pricing import month_cost_cents

if TYPE_CHECKING:
    from datetime import date

    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.usage import UsageTotals

MANDATORY_MONTHS = 6
"""How long after the paid start every outgrown month is upgraded."""

ONE_MONTH_UPGRADES = 3
"""How many upgrades last one month; the next is permanent (rule 20)."""


@dataclass(frozen=True, slots=True)
class Upgrade:
    """An upgrade that is due: the plan that fits the month, what the month costs with and without it, in cents."""

    target: PlanVersion
    is_permanent: bool
    cost_to_stay_cents: int
    cost_upgraded_cents: int

    @property
    def saving_cents(self) -> int:
        """What the customer saves in this month."""
        return self.cost_to_stay_cents - self.cost_upgraded_cents


def find_upgrade(
    *,
    plan: PlanVersion,
    usage: UsageTotals,
    period: Period,
    paid_starts_on: date,
    upgrades_so_far: int,
    catalogue: Catalogue,
) -> Upgrade | None:
    """Return the upgrade that a month's usage calls for, or None (rules 19, 20).

    In the first six months after the paid start it is due when staying costs more than the next plan; later only when
    usage is past the next plan's threshold as well. The target is found by stepping up until staying is cheapest; the
    comparison is exact, to the second. `upgrades_so_far` counts one-month upgrades since the last permanent change.
    """
    on = period.starts_on
    target = _fitting(plan, usage, period, paid_starts_on, catalogue)
    if target is plan:
        return None
    if add_months(paid_starts_on, MANDATORY_MONTHS) <= on and not _past_next_threshold(plan, usage, on, catalogue):
        return None
    return Upgrade(
        target,
        is_permanent=upgrades_so_far >= ONE_MONTH_UPGRADES,
        cost_to_stay_cents=month_cost_cents(usage, plan, period, paid_starts_on),
        cost_upgraded_cents=month_cost_cents(usage, target, period, paid_starts_on),
    )


def _fitting(
    plan: PlanVersion, usage: UsageTotals, period: Period, paid_starts_on: date, catalogue: Catalogue
) -> PlanVersion:
    cost_cents = month_cost_cents(usage, plan, period, paid_starts_on)
    while (higher := catalogue.find_next(plan, period.starts_on)) is not None:
        higher_cents = month_cost_cents(usage, higher, period, paid_starts_on)
        if cost_cents <= higher_cents:
            break
        plan, cost_cents = higher, higher_cents
    return plan


def _past_next_threshold(plan: PlanVersion, usage: UsageTotals, on: date, catalogue: Catalogue) -> bool:
    higher = catalogue.find_next(plan, on)
    threshold = None if higher is None else catalogue.cost_effective_minutes(higher, on)
    return threshold is not None and usage.live_seconds > threshold * SECONDS_PER_MINUTE
