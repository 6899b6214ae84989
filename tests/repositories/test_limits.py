"""Counts of limited things: rows that outlive a restart, and that two processes spend together."""

from __future__ import annotations

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine

from app.domain.limits import Limit
from app.models.base import Row
from app.models.operations import LimitCountRow
from app.repositories import unit_of_work
from app.repositories.database import Database

NOON = datetime(2026, 7, 10, 19, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOURLY, DAILY = Limit("hourly", 5, timedelta(hours=1)), Limit("daily", 8, timedelta(days=1))
ANOTHER_PROCESS = """
import asyncio, sys
from datetime import datetime, timedelta
from app.domain.limits import Limit
from app.repositories import unit_of_work
from app.repositories.database import Database

async def main(url, now, limit=Limit("hourly", 5, timedelta(hours=1))):
    database = Database.open(url)
    spend = lambda uow: uow.limits.spend([(limit, "AA0101")], now=now)
    print([await unit_of_work.write(database, spend) for _ in range(10)].count(None))
    await database.close()

asyncio.run(main(sys.argv[1], datetime.fromisoformat(sys.argv[2])))
"""


@pytest.fixture
async def counted(url: str) -> AsyncIterator[Database]:
    """An open database with the table of counts, on each engine."""
    engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
    Row.metadata.create_all(engine, [LimitCountRow.__table__])
    engine.dispose()
    database = Database.open(url)
    yield database
    await database.close()


async def spend(database: Database, *uses: tuple[Limit, str], now: datetime = NOON) -> datetime | None:
    return await unit_of_work.write(database, lambda uow: uow.limits.spend(uses, now=now))


async def spend_many(database: Database, times: int) -> int:
    """Spend at once, and return how often it was let through."""
    found = await asyncio.gather(*(spend(database, (HOURLY, "AA0101"), (DAILY, "AA0101")) for _ in range(times)))
    return found.count(None)


class TestLimits:
    async def test_it_is_spent_by_key_until_it_is_used_up(self, counted):
        for minutes in range(5):
            assert await spend(counted, (HOURLY, "AA0101"), now=NOON + minutes * MINUTE) is None
        now = NOON + 10 * MINUTE
        assert await spend(counted, (HOURLY, "AA0101"), now=now) == NOON + 60 * MINUTE
        assert await spend(counted, (HOURLY, "BB0202"), now=now) is None
        assert await spend(counted, (HOURLY, "AA0101"), now=NOON + 60 * MINUTE) is None

    async def test_of_several_all_or_none_are_spent_and_the_longest_wait_is_told(self, counted):
        for _ in range(5):
            await spend(counted, (HOURLY, "AA0101"), (DAILY, "AA0101"))
        for _ in range(9):
            assert await spend(counted, (DAILY, "AA0101"), (HOURLY, "AA0101")) == NOON + 60 * MINUTE
        later = NOON + 60 * MINUTE
        for _ in range(3):
            assert await spend(counted, (HOURLY, "AA0101"), (DAILY, "AA0101"), now=later) is None
        assert await spend(counted, (HOURLY, "AA0101"), (DAILY, "AA0101"), now=later) == NOON + timedelta(days=1)

    async def test_what_is_rolled_back_was_not_spent(self, counted):
        async def work(uow):
            await uow.limits.spend([(HOURLY, "AA0101")], now=NOON)
            raise LookupError

        for _ in range(6):
            with pytest.raises(LookupError):
                await unit_of_work.write(counted, work)
        assert await spend_many(counted, 6) == 5

    async def test_two_servers_spend_it_together(self, counted, url):
        other = Database.open(url)
        try:
            assert sum(await asyncio.gather(spend_many(counted, 8), spend_many(other, 8))) == 5
        finally:
            await other.close()

    async def test_another_process_finds_what_is_left(self, counted, url):
        assert await spend_many(counted, 2) == 2
        command = [sys.executable, "-c", ANOTHER_PROCESS, url, NOON.isoformat()]
        process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
        output, _ = await process.communicate()
        assert int(output) == 3
        assert await spend(counted, (HOURLY, "AA0101")) == NOON + 60 * MINUTE
