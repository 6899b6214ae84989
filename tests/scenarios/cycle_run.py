"""The cycle run as a process of its own, to be killed: it tells its parent the size of each chunk that is committed."""

from __future__ import annotations

import asyncio
from datetime import datetime
from multiprocessing.connection import Connection

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods


class StandingClock:
    """Always tells the time it was given."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def run(url: str, now: datetime, chunk_size: int, parent: Connection) -> None:
    """Issue every invoice that is due at `now`, and tell the parent."""
    asyncio.run(_run(url, now, chunk_size, parent))


async def _run(url: str, now: datetime, chunk_size: int, parent: Connection) -> None:
    database = Database.open(url)
    try:
        await close_periods(
            Services(database, StandingClock(now), RandomIds()),
            chunk_size=chunk_size,
            on_progress=parent.send,
        )
    finally:
        await database.close()
