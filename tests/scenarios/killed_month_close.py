"""Two processes close the same month, and one is killed, by -9 or SIGTERM, at a random moment, over and over.

Whatever was killed is run again, and the books are compared with those of a run that nobody disturbed.
`python -m tests.scenarios.killed_month_close --engine postgresql` is the long run: 1,300 accounts and 30 kills.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self

import typer
from rich.console import Console
from rich.progress import Progress

from app.cli import INTERRUPTED
from app.repositories.database import Database
from app.services.cycle.close_periods import CHUNK_SIZE, close_periods
from app.services.operations.verify import verify
from app.services.operations.verify_ledger import Difference
from tests.postgres import running_server
from tests.scenarios import month_close_run, outgrown_books
from tests.scenarios.month_close_run import Step
from tests.scenarios.outgrown_books import (
    NOW,
    Books,
    DueBooks,
    count_due,
    overage_cents,
    postgres_books,
    read_books,
    read_numbers,
    sqlite_books,
)
from tests.world import World

PROCESSES = multiprocessing.get_context("forkserver")
# A process of the command imports this module again; with what that imports loaded before, it costs nothing.
PROCESSES.set_forkserver_preload([month_close_run.__name__, outgrown_books.__name__])

FIRST_NUMBER = 100_001
EVERY_HOW_MANYTH_KILL_IS_POLITE = 3
MOST_MONTHS_WITHOUT_A_KILL = 10
MOST_RUNS_AFTERWARDS = 50
PAUSE_BETWEEN_RUNS_SECONDS = 0.1
EXIT_CODES = {signal.SIGKILL: -signal.SIGKILL, signal.SIGTERM: INTERRUPTED}


class Engine(StrEnum):
    """The database that the books are in."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Closing:
    """A process that closes the month; it waits for `go`."""

    def __init__(self, url: str, chunk_size: int) -> None:
        self.steps: list[tuple[Step, float]] = []
        self._line, theirs = PROCESSES.Pipe()
        self._process = PROCESSES.Process(target=month_close_run.run, args=(url, NOW, chunk_size, theirs))
        self._process.start()
        theirs.close()
        assert self._next_step() is Step.READY

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._process.close()
        self._line.close()

    def go(self) -> None:
        self._line.send(None)

    def wait_for_claim(self, number: int) -> None:
        """Return at its claim of that number, or when it has ended."""
        while number and (step := self._next_step()) is not None:
            number -= step is Step.CLAIMED

    def end(self, how: signal.Signals) -> bool:
        """Send the signal, wait for the end, and tell whether it was the signal that ended it."""
        self._process.terminate() if how is signal.SIGTERM else self._process.kill()
        return self._exit_code() == EXIT_CODES[how]

    def finish(self) -> None:
        """Wait for it to end by itself."""
        assert self._exit_code() == 0

    def _exit_code(self) -> int | None:
        while self._next_step() is not None:
            pass
        self._process.join()
        return self._process.exitcode

    def _next_step(self) -> Step | None:
        try:
            step, at = self._line.recv()
        except (EOFError, ConnectionResetError):
            return None
        self.steps.append((step, at))
        return step


@dataclass(frozen=True)
class Pace:
    """How long an undisturbed run takes for a chunk, in seconds, and how many chunks it closes."""

    chunk_seconds: float
    chunks: int


@dataclass(frozen=True)
class Moment:
    """When a process is killed: some seconds after one of its claims, or after its start where `claim` is 0."""

    how: signal.Signals
    claim: int
    seconds: float

    @classmethod
    def choose(cls, chance: random.Random, number: int, pace: Pace) -> Moment:
        """Every other moment follows a claim, the others lie anywhere in the time of three chunks."""
        how = signal.SIGKILL if (number + 1) % EVERY_HOW_MANYTH_KILL_IS_POLITE else signal.SIGTERM
        if number % 2:
            return cls(how, 0, chance.uniform(0, 3 * pace.chunk_seconds))
        return cls(how, chance.randint(1, 1 + pace.chunks // 10), chance.uniform(0, pace.chunk_seconds / 2))


@dataclass(frozen=True)
class Kill:
    """A process that was killed at a moment; `last_step` is the last one that it told before it ended."""

    moment: Moment
    last_step: Step

    def __str__(self) -> str:
        after = f"claim {self.moment.claim}" if self.moment.claim else "its start"
        return f"{self.moment.how.name} {self.moment.seconds:.2f} s after {after}, last step: {self.last_step}"

    @property
    def is_between_claim_and_commit(self) -> bool:
        return self.last_step is Step.CLAIMED


@dataclass(frozen=True)
class ClosedMonth:
    """A month closed under kills, to its end.

    `differing` holds, for each account whose books are not those of the undisturbed run, the cents of overage that it
    was invoiced beyond it; `differences` is what `verify` finds.
    """

    kills: list[Kill]
    has_no_gap: bool
    differences: list[Difference]
    differing: dict[str, int]

    def __str__(self) -> str:
        cents, gap = sum(self.differing.values()), "without a gap" if self.has_no_gap else "with a gap"
        return (
            f"closed under {len(self.kills)} kills: {len(self.differing):,} accounts differ, by {cents:,} cents of "
            f"overage, {len(self.differences):,} differences by verify, invoice numbers {gap}"
        )

    @property
    def is_right(self) -> bool:
        """Whether the books are those of the undisturbed run, and whole."""
        return self.has_no_gap and not self.differences and not self.differing


@dataclass(frozen=True)
class MonthClose:
    """Due books, how many accounts one transaction closes, and what an undisturbed run makes of them, how fast."""

    books: DueBooks
    chunk_size: int
    expected: Books
    pace: Pace

    @classmethod
    async def rehearse(cls, books: DueBooks, chunk_size: int) -> MonthClose:
        """Close the month in this process, undisturbed."""
        with books.copied() as url:
            chunks: list[int] = []
            database = Database.open(url)
            world = World(database, NOW)
            world.ids.count = 1_000_000
            begun = time.monotonic()
            try:
                await close_periods(world.services, chunk_size=chunk_size, on_progress=chunks.append)
                pace = Pace((time.monotonic() - begun) / len(chunks), len(chunks))
                return cls(books, chunk_size, read_books(url), pace)
            finally:
                await database.close()

    @property
    def upgrades(self) -> int:
        """How many upgrades the undisturbed run has made."""
        return sum(row[0] == "upgrade" for rows in self.expected.values() for row in rows)

    async def kill(
        self, chance: random.Random, most: int, *, verified: Sequence[str | None] = (None,)
    ) -> AsyncIterator[ClosedMonth]:
        """Close the month in copy after copy under kills, until there were as many as wanted.

        `verify` then looks at the accounts that are given; None stands for all.
        """
        killed = in_vain = 0
        while killed < most:
            with self.books.copied() as url:
                kills = list(self._kill_in_turn(url, chance, range(killed, most)))
                self._close_the_rest(url)
                differences = [each for account in verified for each in await _verify(url, account)]
                yield ClosedMonth(kills, _has_no_gap(read_numbers(url)), differences, self._differing(url))
            killed += len(kills)
            in_vain += not kills
            assert in_vain <= MOST_MONTHS_WITHOUT_A_KILL, "the processes end before they can be killed"

    def _kill_in_turn(self, url: str, chance: random.Random, numbers: Iterable[int]) -> Iterator[Kill]:
        """Beside a process that nobody kills, start and kill others one after the other, while there is work."""
        with self._closing(url) as other:
            is_waiting = True
            for number in numbers:
                moment = Moment.choose(chance, number, self.pace)
                with self._closing(url) as victim:
                    victim.go()
                    victim.wait_for_claim(moment.claim)
                    if is_waiting:
                        other.go()
                        is_waiting = False
                    time.sleep(moment.seconds)
                    if not victim.end(moment.how):
                        break
                yield Kill(moment, victim.steps[-1][0])
                time.sleep(chance.uniform(0, 2 * self.pace.chunk_seconds))
            other.finish()

    def _close_the_rest(self, url: str) -> None:
        """Run it again, as the next tick would, until no account is due: the server may hold some for a moment yet."""
        for _ in range(MOST_RUNS_AFTERWARDS):
            with self._closing(url) as again:
                again.go()
                again.finish()
            if not count_due(url):
                return
            time.sleep(PAUSE_BETWEEN_RUNS_SECONDS)
        raise AssertionError("accounts stay due, run after run")

    def _closing(self, url: str) -> Closing:
        return Closing(url, self.chunk_size)

    def _differing(self, url: str) -> dict[str, int]:
        found, expected = read_books(url), self.expected
        return {
            account: overage_cents(found, account) - overage_cents(expected, account)
            for account in sorted(found.keys() | expected.keys())
            if found.get(account) != expected.get(account)
        }


def _has_no_gap(numbers: list[int]) -> bool:
    return numbers == list(range(FIRST_NUMBER, FIRST_NUMBER + len(numbers)))


async def _verify(url: str, account: str | None) -> list[Difference]:
    database = Database.open(url)
    try:
        return [each async for each in verify(database=database, account=account)]
    finally:
        await database.close()


@asynccontextmanager
async def _due_books(engine: Engine, accounts: int, folder: Path) -> AsyncIterator[DueBooks]:
    if engine is Engine.SQLITE:
        async with sqlite_books(accounts, folder) as books:
            yield books
        return
    with running_server() as server_url:
        async with postgres_books(accounts, server_url) as books:
            yield books


def main(
    engine: Engine = Engine.POSTGRESQL,
    accounts: int = 1_300,
    kills: int = 30,
    seed: int = 1,
    chunk_size: int = CHUNK_SIZE,
) -> None:
    """Kill one of two processes that close the same month, and exit 1 unless every month ends in the same books.

    Smaller chunks see more kills in one month, and end sooner.
    """
    console, begun = Console(), time.monotonic()

    async def kill_all() -> list[ClosedMonth]:
        chance, months = random.Random(seed), []
        with tempfile.TemporaryDirectory() as folder, Progress(console=console) as progress:
            task = progress.add_task("Kills", total=kills)
            async with _due_books(engine, accounts, Path(folder)) as books:
                close = await MonthClose.rehearse(books, chunk_size)
                console.print(
                    f"{engine}, seed {seed}: {accounts:,} accounts, {close.upgrades:,} upgrades, {close.pace}"
                )
                async for month in close.kill(chance, kills):
                    console.print("\n  ".join(map(str, (month, *month.kills))), highlight=False)
                    progress.advance(task, len(month.kills))
                    months.append(month)
        return months

    months = asyncio.run(kill_all())
    found = [kill for month in months for kill in month.kills]
    between = sum(kill.is_between_claim_and_commit for kill in found)
    right = sum(month.is_right for month in months)
    ways = dict(Counter(kill.moment.how.name for kill in found))
    console.print(
        f"{len(found)} kills {ways} in {time.monotonic() - begun:.0f} s, {between} between a claim and its commit; "
        f"{right} of {len(months)} months with the books of the undisturbed run."
    )
    if 3 * between < kills or right < len(months):
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
