"""The close of the month as a process of its own, to be killed: it tells its parent of each claim and each commit.

The telling is wrapped around the product here; the product knows nothing of it.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from multiprocessing.connection import Connection
from typing import Any

from app.cli import INTERRUPTED, _as_ctrl_c
from app.gateways.ids import RandomIds
from app.repositories.cycles import CycleRepository
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from tests.scenarios.cycle_run import StandingClock


class Step(StrEnum):
    """What a process has just done."""

    READY = "ready"
    CLAIMED = "claimed"
    COMMITTING = "committing"
    COMMITTED = "committed"


def run(url: str, now: datetime, chunk_size: int, parent: Connection) -> None:
    """Wait for a word of the parent, then close every month that is due at `now`; SIGTERM ends it as the program does.

    Each step is sent with its second on the machine's clock.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    try:
        asyncio.run(_run(url, now, chunk_size, parent))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


async def _run(url: str, now: datetime, chunk_size: int, parent: Connection) -> None:
    def tell(step: Step) -> None:
        with suppress(BrokenPipeError):
            parent.send((step, time.monotonic()))

    database = Database.open(url)
    _tell_of_claims(tell)
    _tell_of_commits(database, tell)
    try:
        tell(Step.READY)
        parent.recv()
        await close_periods(Services(database, StandingClock(now), RandomIds()), chunk_size=chunk_size)
    finally:
        await database.close()


def _tell_of_claims(tell: Any) -> None:
    claim_due = CycleRepository.claim_due

    async def claim_and_tell(self: CycleRepository, now: datetime, limit: int) -> Any:
        claimed = await claim_due(self, now, limit)
        if claimed:
            tell(Step.CLAIMED)
        return claimed

    CycleRepository.claim_due = claim_and_tell


def _tell_of_commits(database: Database, tell: Any) -> None:
    run_tx = database.run_tx

    async def run_and_tell(work: Any) -> Any:
        async def work_and_tell(session: Any) -> Any:
            result = await work(session)
            tell(Step.COMMITTING)
            return result

        result = await run_tx(work_and_tell)
        tell(Step.COMMITTED)
        return result

    database.run_tx = run_and_tell
