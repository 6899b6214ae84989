"""Many requests with a call each, in a process of its own, to be killed: it tells its parent what is answered."""

from __future__ import annotations

import asyncio
from datetime import datetime
from multiprocessing.connection import Connection

from app.gateways.ids import RandomIds
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.usage.call_groups import CallGroups
from app.services.usage.record_calls import Item
from tests.factories.calls import a_call
from tests.scenarios.cycle_run import StandingClock

SENDERS = 40


def run(url: str, now: datetime, parent: Connection) -> None:
    """Record calls until the end comes."""
    asyncio.run(_run(url, now, parent))


async def _run(url: str, now: datetime, parent: Connection) -> None:
    groups = CallGroups(Services(Database.open(url), StandingClock(now), RandomIds()))

    async def send(sender: int) -> None:
        for at in range(1_000_000):
            name = f"{sender}/{at}"
            call = a_call(event_id=name, started_at=now, script_seconds=60)
            (result,) = await groups.record(source=call.source, items=[Item(0, call)], actor="key:test")
            parent.send((name, result.outcome.value))

    await asyncio.gather(*(send(sender) for sender in range(SENDERS)))
