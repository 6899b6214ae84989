"""What closed months would have cost on each plan, stored once for each (rule 40)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models.simulations import MonthSimulationRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from sqlmodel.ext.asyncio.session import AsyncSession

_ADD = upsert(MonthSimulationRow, ("account_id", "period_on"), columns=("account_id", "period_on", "costs"))


@dataclass(frozen=True, slots=True)
class MonthSimulation:
    """A closed month of an account; `costs` are cents by the code of each plan on sale when it closed."""

    account_id: str
    period_on: date
    costs: Mapping[str, int]


class SimulationRepository:
    """Adds simulations in the transaction that closes their months."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_many(self, simulations: Iterable[MonthSimulation]) -> int:
        """Store simulations and return how many are new; a month that has one keeps it."""
        rows = [(simulation.account_id, simulation.period_on, dict(simulation.costs)) for simulation in simulations]
        return await execute_many(self._session, _ADD, rows)
