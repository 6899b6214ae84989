"""Which plan fits an account: its own months rated on every plan on sale, by the rater that bills them (rule 40)."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING

from app.domain.explanations import dollars
from app.domain.money import round_half_up
from app.domain.pricing import month_cost_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date

    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.usage import UsageTotals

LEAST_MONTHS = 2
"""How many full months advice needs."""

MOST_MONTHS = 12
"""How many full months back advice looks."""

LEAST_SAVING_CENTS = 5_00
"""What a change has to save in an average month."""

LEAST_SAVING_PERCENT = 3
"""How much of the bill a change has to save."""


class NoAdvice(StrEnum):
    """Why no other plan is advised."""

    TOO_FEW_MONTHS = "TOO_FEW_MONTHS"
    ALREADY_CHEAPEST = "ALREADY_CHEAPEST"
    SAVING_TOO_SMALL = "SAVING_TOO_SMALL"


@dataclass(frozen=True, slots=True)
class AdviceMonth:
    """A month to rate: a full one, or the current one as it `is_projected`.

    `stored_costs` are those worked out when it closed, in cents by the code of each plan then on sale.
    """

    period: Period
    usage: UsageTotals
    is_projected: bool = False
    stored_costs: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class PlanSimulation:
    """What the months would have cost on one plan, in cents: base, overage, patch and IVR, month by month."""

    plan: PlanVersion
    month_cents: tuple[int, ...]

    @property
    def total_cents(self) -> int:
        """The sum of the months."""
        return sum(self.month_cents)

    @property
    def average_cents(self) -> int:
        """An average month, rounded half up; zero where there is no month."""
        return round_half_up(self.total_cents, max(1, len(self.month_cents)))


@dataclass(frozen=True, slots=True)
class PlanAdvice:
    """The plan to take, or why to stay; `simulations` show it, cheapest base first, month by month as in `months`.

    `current` is the simulation of the plan that the account has as things stand, `recommended` the plan to change to.
    `average_saving_cents` is what the best plan saves in an average month, advised or not; zero where none does.
    """

    months: tuple[AdviceMonth, ...]
    simulations: tuple[PlanSimulation, ...]
    current: PlanSimulation
    recommended: PlanVersion | None
    average_saving_cents: int
    no_advice: NoAdvice | None
    explanation: str

    @property
    def is_best_plan(self) -> bool | None:
        """Whether the account's plan is the one to have; None where there are too few months to tell (rule 40)."""
        return None if self.no_advice is NoAdvice.TOO_FEW_MONTHS else self.recommended is None


def sold_at_close(catalogue: Catalogue, period: Period) -> tuple[PlanVersion, ...]:
    """Return the plans that a closing month is simulated on: those on sale on the day after its last."""
    return catalogue.sold_on(period.ends_before)


def simulated_costs(
    usage: UsageTotals, period: Period, paid_starts_on: date, versions: Iterable[PlanVersion]
) -> dict[str, int]:
    """Return what a month costs on each plan, in cents by its code (rule 40)."""
    return {version.code: month_cost_cents(usage, version, period, paid_starts_on) for version in versions}


def advise(
    *,
    months: Sequence[AdviceMonth],
    plan: PlanVersion,
    today: date,
    paid_starts_on: date,
    catalogue: Catalogue,
) -> PlanAdvice:
    """Rate the months on the account's `plan` and on all on sale today, and advise a change that pays (rule 40).

    It pays when it saves at least $5.00 and 3 % of the bill in an average month, over at least two full months; a tie
    is no reason to change. A bill is that of a plan kept through the month; a stored cost is taken only where the
    prices of the plan are still those it was worked out with.
    """
    sold = catalogue.sold_on(today)
    versions = sorted({plan.id: plan, **{v.id: v for v in sold}}.values(), key=lambda v: (v.base_cents, v.id))
    costs = [_month_costs(month, versions, paid_starts_on, catalogue) for month in months]
    simulations = tuple(PlanSimulation(version, tuple(month[version.id] for month in costs)) for version in versions)
    current = next(simulation for simulation in simulations if simulation.plan.id == plan.id)
    best = min((s for s in simulations if s.plan in sold), key=lambda s: s.total_cents, default=current)
    no_advice = _why_not(months, current, best)
    saving_cents = max(0, current.total_cents - best.total_cents)
    average_saving = round_half_up(saving_cents, max(1, len(months)))
    return PlanAdvice(
        months=tuple(months),
        simulations=simulations,
        current=current,
        recommended=best.plan if no_advice is None else None,
        average_saving_cents=average_saving,
        no_advice=no_advice,
        explanation=_explain(no_advice, current.plan, best.plan, average_saving, len(months)),
    )


def _month_costs(
    month: AdviceMonth, versions: Iterable[PlanVersion], paid_starts_on: date, catalogue: Catalogue
) -> dict[str, int]:
    """Return what the month costs on each version, by id: as stored where it was on sale then, else as rated now."""
    stored = {}
    if month.stored_costs:
        sold = sold_at_close(catalogue, month.period)
        stored = {v.id: month.stored_costs[v.code] for v in sold if v.code in month.stored_costs}
    return {
        version.id: stored[version.id]
        if version.id in stored
        else month_cost_cents(month.usage, version, month.period, paid_starts_on)
        for version in versions
    }


def _why_not(months: Sequence[AdviceMonth], current: PlanSimulation, best: PlanSimulation) -> NoAdvice | None:
    saving_cents = current.total_cents - best.total_cents
    if sum(not month.is_projected for month in months) < LEAST_MONTHS:
        return NoAdvice.TOO_FEW_MONTHS
    if saving_cents <= 0:
        return NoAdvice.ALREADY_CHEAPEST
    is_worth_it = saving_cents >= LEAST_SAVING_CENTS * len(months)
    if is_worth_it and saving_cents * 100 >= LEAST_SAVING_PERCENT * current.total_cents:
        return None
    return NoAdvice.SAVING_TOO_SMALL


def _explain(
    no_advice: NoAdvice | None, current: PlanVersion, best: PlanVersion, average_saving_cents: int, months: int
) -> str:
    if no_advice is NoAdvice.TOO_FEW_MONTHS:
        return f"Advice needs {LEAST_MONTHS} full months of calls; there are too few yet."
    if no_advice is NoAdvice.ALREADY_CHEAPEST:
        return f"{current.name} is the cheapest plan for the {months} months looked at."
    saving = f"would have saved {dollars(average_saving_cents)} in an average month over the {months} months looked at"
    if no_advice is NoAdvice.SAVING_TOO_SMALL:
        least = f"{dollars(LEAST_SAVING_CENTS)} and {LEAST_SAVING_PERCENT} % of the bill"
        return f"{best.name} {saving}, and a change is advised from {least} on."
    return f"{best.name} instead of {current.name} {saving}."
