"""Plans as the portal shows them: at the prices of one version, and what each would cost in the current month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.plans import PlanVersion


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan version; `cost_effective_minutes` is the last live minute at which the next plan is not cheaper."""

    version: PlanVersion
    cost_effective_minutes: int | None


@dataclass(frozen=True, slots=True)
class PlanOffer:
    """A plan beside the others: its whole cost for this month's usage to date, and the part of it that usage makes."""

    plan: Plan
    is_current: bool
    month_cost_cents: int
    usage_cost_cents: int


@dataclass(frozen=True, slots=True)
class PlanChoice:
    """A plan to choose: `refusal` says why it cannot be had at once; `is_recommended` where advice was asked for."""

    offer: PlanOffer
    refusal: Exception | None
    is_recommended: bool
