"""At the close of a month: what it would have cost on each plan on sale, worked out once and stored (rule 40)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.recommendation import simulated_costs, sold_at_close
from app.repositories.simulations import MonthSimulation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from app.domain.invoices import BillingFacts
    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.usage import UsageTotals


def simulate_closed_month(
    *, usage: UsageTotals, period: Period, paid_starts_on: date, catalogue: Catalogue
) -> dict[str, int]:
    """Return what the month costs on each plan on sale when it closes, in cents by plan code (rule 40)."""
    return simulated_costs(usage, period, paid_starts_on, sold_at_close(catalogue, period))


def closed_month_simulations(facts: Mapping[str, BillingFacts], catalogue: Catalogue) -> Iterator[MonthSimulation]:
    """Yield the simulation of the month that each cycle invoice closes; `facts` stand by account id.

    None for a first invoice, which closes no month.
    """
    sold: dict[Period, tuple[PlanVersion, ...]] = {}
    for account_id, billing in facts.items():
        ended = billing.ending
        if ended is None:
            continue
        if ended.period not in sold:
            sold[ended.period] = sold_at_close(catalogue, ended.period)
        costs = simulated_costs(ended.usage, ended.period, billing.paid_starts_on, sold[ended.period])
        yield MonthSimulation(account_id, ended.period.starts_on, costs)
