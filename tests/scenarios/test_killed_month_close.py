"""Two processes close the same month, and one is killed, by -9 or SIGTERM: no account is closed without its upgrade.

Rules 12, 19, 20 and 27. `python -m tests.scenarios.killed_month_close` is the full size: 1,300 accounts, 30 kills.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.scenarios.killed_month_close import MonthClose
from tests.scenarios.outgrown_books import PARTS, postgres_books, sqlite_books

ACCOUNTS, CHUNK_SIZE = 104, 40
KILLS = 4
SEED = 20260801
VERIFIED = [f"AA{at:04d}" for at in range(0, ACCOUNTS, 20)]


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
async def close(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[MonthClose]:
    """A month that every account has outgrown, due on each engine."""
    if request.param == "sqlite":
        making = sqlite_books(ACCOUNTS, tmp_path)
    else:
        making = postgres_books(ACCOUNTS, request.getfixturevalue("postgres_server"))
    async with making as books:
        yield await MonthClose.rehearse(books, CHUNK_SIZE)


async def test_rule_19_a_close_killed_at_any_moment_ends_in_the_same_invoices_and_upgrades(close):
    months = [month async for month in close.kill(random.Random(SEED), KILLS, verified=VERIFIED)]

    assert close.upgrades == ACCOUNTS
    assert {row[0] for rows in close.expected.values() for row in rows} == PARTS.keys()
    assert [str(month) for month in months if not month.is_right] == []
    kills = [kill for month in months for kill in month.kills]
    assert len(kills) == KILLS
    assert sum(kill.is_between_claim_and_commit for kill in kills) * 3 >= KILLS
