"""The cycle run is killed with -9 wherever it stands, run again, run twice at once: the invoices stay the same."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import shutil
import signal
import sys
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Self

import pytest

from app.repositories.database import Database
from app.services.cycle.close_periods import close_periods
from tests.database import copied_database
from tests.factories.calls import a_call
from tests.scenarios import cycle_run
from tests.services.books import differences, rows
from tests.world import World, pacific

ACCOUNTS = 60
MONTHS = 3
CHUNK_SIZE = 3
KILLS = 8
MOST_CHUNKS_BEFORE_A_KILL = 5
LONGEST_DELAY_SECONDS = 0.008
NOW = pacific(2026, 9, 2, 12)

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([cycle_run.__name__])

INVOICES = """
SELECT number, external_id, period_on, invoice.status, total_cents, credit_applied_cents, amount_due_cents,
       content_hash, facts_hash, usage_watermark, ledger_watermark, issued_at,
       (SELECT count(*) FROM invoice_line WHERE invoice_id = invoice.id)
FROM invoice JOIN account ON account.id = account_id ORDER BY number
"""
POSTINGS = """
SELECT external_id, seq, kind, amount_cents, grant_seq
FROM ledger_posting JOIN account ON account.id = account_id ORDER BY external_id, seq
"""
ISSUED_EVENTS = (
    "SELECT account_id, json_extract(data, '$.month') FROM event WHERE kind = 'invoice.issued' ORDER BY 1, 2"
)


@pytest.fixture(scope="module")
async def due_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Accounts on several plans that missed three months, with calls in each and credit for some."""
    async with copied_database(migrated_file, tmp_path_factory.mktemp("due")) as database:
        world = await World.create(database)
        world.clock.instant = NOW
        for at in range(ACCOUNTS):
            name = f"AA{at:04d}"
            await world.add_account(
                name, plan=("economy", "100", "220")[at % 3], paid_since_on=date(2026, 7, 1 + at % 20)
            )
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
        assert await close_periods(world.services, chunk_size=CHUNK_SIZE) == ACCOUNTS * MONTHS
        return await books(database)


async def books(database: Database) -> dict[str, list[tuple]]:
    """What a run has written, without the ids, once `verify` agrees with it."""
    assert await differences(database) == []
    return {statement: rows(database, statement) for statement in (INVOICES, POSTINGS, ISSUED_EVENTS)}


class Run:
    """A cycle run over a file, in a process forked from one that has everything imported."""

    def __init__(self, path: Path) -> None:
        self.chunks, told = PROCESSES.Pipe(duplex=False)
        self._process = PROCESSES.Process(target=cycle_run.run, args=(f"sqlite:///{path}", NOW, CHUNK_SIZE, told))
        self._process.start()
        told.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self.chunks.close()

    def kill(self) -> int | None:
        """Kill it with -9 and return how it ended."""
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()
        return self._process.exitcode

    def finish(self) -> int:
        """Wait for it to end by itself and return how many invoices it issued."""
        issued = 0
        with suppress(EOFError):
            while True:
                issued += self.chunks.recv()
        self._process.join()
        assert self._process.exitcode == 0
        return issued


async def books_of(path: Path) -> dict[str, list[tuple]]:
    database = Database.open(f"sqlite:///{path}")
    try:
        return await books(database)
    finally:
        await database.close()


async def test_rule_12_a_run_killed_anywhere_and_run_again_gives_the_same_invoices(due_file, expected, tmp_path):
    """Rules 12, 27: the same invoices, the same numbers without a gap, each month billed once."""
    seed = int(os.environ.get("KILL_SEED") or random.SystemRandom().randrange(2**32))
    sys.stdout.write(f"KILL_SEED={seed}\n")
    chance = random.Random(seed)
    path = tmp_path / "killed.db"
    shutil.copyfile(due_file, path)

    for _ in range(KILLS):
        with Run(path) as run:
            for _ in range(chance.randint(1, MOST_CHUNKS_BEFORE_A_KILL)):
                run.chunks.recv()
            await asyncio.sleep(chance.uniform(0, LONGEST_DELAY_SECONDS))
            assert run.kill() == -signal.SIGKILL
    with Run(path) as run:
        last = run.finish()

    assert 0 < last < ACCOUNTS * MONTHS  # the killed runs had left something, and not everything
    assert await books_of(path) == expected


async def test_rule_12_two_runs_at_once_issue_every_invoice_once(due_file, expected, tmp_path):
    path = tmp_path / "shared.db"
    shutil.copyfile(due_file, path)

    with Run(path) as one, Run(path) as other:
        issued = [one.finish(), other.finish()]

    assert sum(issued) == ACCOUNTS * MONTHS
    assert await books_of(path) == expected


def test_the_numbers_of_an_undisturbed_run_have_no_gap(expected):
    """Rule 27."""
    numbers = [invoice[0] for invoice in expected[INVOICES]]
    assert len(numbers) >= ACCOUNTS * MONTHS  # and one for each month that moved up
    assert numbers == list(range(100_001, 100_001 + len(numbers)))
