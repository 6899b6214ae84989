"""The cycle run is killed with -9 wherever it stands, run again, run twice at once: the invoices are always the same."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import pytest

from app.repositories.database import Database
from app.services.close_periods import close_periods
from tests.database import copied_database
from tests.factories.calls import a_call
from tests.services.books import differences, rows
from tests.world import World, pacific

ACCOUNTS = 120
MONTHS = 3
CHUNK_SIZE = 6
KILLS = 8
MOST_CHUNKS_BEFORE_A_KILL = 5
LONGEST_DELAY_SECONDS = 0.02
NOW = pacific(2026, 9, 2, 12)

INVOICES = """
SELECT number, external_id, period_on, invoice.status, total_cents, credit_applied_cents, amount_due_cents, content_hash,
       facts_hash, usage_watermark, ledger_watermark, issued_at, (SELECT count(*) FROM invoice_line WHERE invoice_id = invoice.id)
FROM invoice JOIN account ON account.id = account_id ORDER BY number
"""
POSTINGS = """
SELECT external_id, seq, kind, amount_cents, grant_seq
FROM ledger_posting JOIN account ON account.id = account_id ORDER BY external_id, seq
"""
ISSUED_EVENTS = "SELECT account_id, json_extract(data, '$.month') FROM event WHERE kind = 'invoice.issued' ORDER BY 1, 2"


@pytest.fixture(scope="module")
async def due_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts on several plans that missed three months, with calls in each and credit for some."""
    async with copied_database(migrated_file, tmp_path_factory.mktemp("due")) as database:
        world = await World.create(database)
        world.clock.instant = NOW
        for at in range(ACCOUNTS):
            name = f"AA{at:04d}"
            await world.add_account(name, plan=("economy", "100", "220")[at % 3], paid_since_on=date(2026, 7, 1 + at % 20))
            if at % 5 == 0:
                await world.pay(100_00 + at, account=name)
        await world.add_calls(
            *(
                a_call(
                    event_id=f"{at}/{month}",
                    account=f"AA{at:04d}",
                    started_at=pacific(2026, month, 25, 9),
                    script_seconds=60 * (at * month),
                    patch_seconds=at,
                )
                for at in range(ACCOUNTS)
                for month in (7, 8)
            )
        )
        return Path(str(database._url.database))


@pytest.fixture(scope="module")
async def expected(due_file: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple]]:
    """What a run that nobody disturbs writes."""
    async with copied_database(due_file, tmp_path_factory.mktemp("undisturbed")) as database:
        world = World(database, NOW)
        world.ids.count = 1_000_000
        assert await close_periods(**world._parts, chunk_size=CHUNK_SIZE) == ACCOUNTS * MONTHS
        return await books(database)


async def books(database: Database) -> dict[str, list[tuple]]:
    """What a run has written, without the ids, once `verify` agrees with it."""
    assert await differences(database) == []
    return {statement: rows(database, statement) for statement in (INVOICES, POSTINGS, ISSUED_EVENTS)}


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """A cycle run over the file; it does not outlive the block."""
    arguments = ["-m", "tests.scenarios.cycle_run", f"sqlite:///{path}", NOW.isoformat(), str(CHUNK_SIZE)]
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()  # also closes the pipe


async def run_and_kill(path: Path, chunks: int, delay_seconds: float) -> int | None:
    """Kill a run that long after so many chunks of its own; returns its exit status."""
    async with running(path) as process:
        for _ in range(chunks):
            await process.stdout.readline()
        await asyncio.sleep(delay_seconds)
        os.kill(process.pid, signal.SIGKILL)
        return await process.wait()


async def run_to_the_end(path: Path) -> list[bytes]:
    async with running(path) as process:
        output, _ = await process.communicate()
        assert process.returncode == 0
        return output.split()


async def test_rule_12_a_run_killed_anywhere_and_run_again_gives_the_same_invoices(due_file, expected, tmp_path):
    """Rules 12, 27: the same invoices, the same numbers without a gap, each month billed once."""
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"KILL_SEED={seed}\n")
    chance = random.Random(seed)
    path = tmp_path / "killed.db"
    shutil.copyfile(due_file, path)

    for _ in range(KILLS):
        chunks = chance.randint(1, MOST_CHUNKS_BEFORE_A_KILL)
        assert await run_and_kill(path, chunks, chance.uniform(0, LONGEST_DELAY_SECONDS)) == -signal.SIGKILL
    *finished, last = await run_to_the_end(path)

    assert last == b"done"
    assert 0 < sum(map(int, finished)) < ACCOUNTS * MONTHS  # the killed runs had left something, and not everything
    database = Database.open(f"sqlite:///{path}")
    try:
        assert await books(database) == expected
    finally:
        await database.close()


async def test_rule_12_two_runs_at_once_issue_every_invoice_once(due_file, expected, tmp_path):
    path = tmp_path / "shared.db"
    shutil.copyfile(due_file, path)

    outputs = await asyncio.gather(run_to_the_end(path), run_to_the_end(path))

    issued = [sum(map(int, output[:-1])) for output in outputs]
    assert sum(issued) == ACCOUNTS * MONTHS
    database = Database.open(f"sqlite:///{path}")
    try:
        assert await books(database) == expected
    finally:
        await database.close()


def test_the_numbers_of_an_undisturbed_run_have_no_gap(expected):
    """Rule 27."""
    numbers = [invoice[0] for invoice in expected[INVOICES]]
    assert numbers == list(range(100_001, 100_001 + ACCOUNTS * MONTHS))
