"""The cycle run as a process of its own, to be killed: `python -m tests.scenarios.cycle_run URL NOW CHUNK_SIZE`.

It prints the size of each chunk once the chunk is committed, and `done` at the end.
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.close_periods import close_periods


class StandingClock:
    """Always tells the time it was given."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def now(self) -> datetime:
        return self._now


def tell(text: object) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(url: str, now: str, chunk_size: str) -> None:
    """Issue every invoice that is due at `now`."""
    database = Database.open(url)
    try:
        clock = StandingClock(datetime.fromisoformat(now))
        await close_periods(
            database=database, clock=clock, ids=RandomIds(), chunk_size=int(chunk_size), on_progress=tell
        )
    finally:
        await database.close()
    tell("done")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
