"""The product's side of the run-due bench: the use case behind `flex-billing run-due`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from scripts.bench.databases import FixedClock, url_of
from scripts.bench.run_due_facts import NOW

if TYPE_CHECKING:
    from pathlib import Path


def run_due(*, database: Path) -> int:
    """Bill every due account and return how many invoices that were."""
    return asyncio.run(_run(database))


async def _run(path: Path) -> int:
    database = Database.open(url_of(path))
    issued = await close_periods(Services(database, FixedClock(NOW), RandomIds()))
    await database.close()
    return issued
