"""Whole lives of an account, told to the product and to the reference model at once, and compared after every step.

`python -m tests.scenarios.account_lives --histories 10000 --seed 1` is the long run: it stops at the first difference
and prints the story; `--only NUMBER` tells one story again. With `--keep FILE` a run that was stopped goes on where it
was. At the end it prints how often an act of each kind came soon after one of each other kind; with `--at-least TIMES`
it first tells more stories of the pairs that came less often.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import track

from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from tests.database import copied_database, driver_in_this_thread
from tests.scenarios.account_life import Life
from tests.scenarios.account_properties import check_notes_never_cost
from tests.scenarios.account_stories import KINDS, Action, Clock, Story, random_story, wall
from tests.scenarios.reference_model import ReferenceAccount
from tests.scenarios.reference_prices import PLANS

SOON = 3
"""An act comes soon after another with at most two acts between them."""


class Stage:
    """One open database in which story after story is told; every one begins with the prices on sale and nothing else.

    Opening one for each would have every statement compiled again.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        self.sql = sqlite3.connect(str(database._url.database), isolation_level=None)
        self.empty = sqlite3.connect(":memory:")

    @classmethod
    @asynccontextmanager
    async def set_up(cls, migrated_file: Path, folder: Path) -> AsyncIterator[Stage]:
        async def seed(uow: Any) -> None:
            await uow.plans.add_all(SEED_CATALOGUE.versions)
            await uow.add_ons.add_versions(SEED_ADD_ONS)

        with driver_in_this_thread():
            async with copied_database(migrated_file, folder) as database:
                await unit_of_work.write(database, seed)
                stage = cls(database)
                with closing(stage.sql), closing(stage.empty):
                    stage.sql.backup(stage.empty)
                    yield stage

    async def tell(self, story: Story, *, is_thorough: bool = False) -> Life:
        """Tell a whole story; a last month ends with it, so that everything is billed.

        The product's own check comes last, for the books only ever grow; where `is_thorough`, after every step.
        """
        self.empty.backup(self.sql)
        paid_from = story.first_day.replace(day=story.paid_day)
        clock = Clock(wall(story.first_day, -30 if story.paid_day == 1 else 30))
        model = ReferenceAccount(paid_from, PLANS[story.plan])
        life = Life(self.database, self.sql, clock, model, paid_from, has_card=story.has_card)
        await life.begin(PLANS[story.plan], story.paid_day)
        for action in (*story.actions, Action("upgrade", "turn", 14, 1)):
            await life.tell(action)
            if is_thorough:
                await life.verify()
        await life.verify()
        life.told["credit notes left out"] += check_notes_never_cost(life, paid_from, PLANS[story.plan])
        return life


def pairs_of(acts: Sequence[str]) -> Counter[tuple[str, str]]:
    """How often an act of one kind came soon after one of another."""
    return Counter((first, second) for place, first in enumerate(acts) for second in acts[place + 1 : place + 1 + SOON])


def print_pairs(console: Console, pairs: Counter[tuple[str, str]]) -> None:
    """Print the table of ordered pairs: a row for the earlier act, a column for the later one."""
    width = max(map(len, KINDS))
    console.print("\nOrdered pairs of acts, the later one with at most two acts between them:", highlight=False)
    for place, kind in enumerate(KINDS):
        console.print(f"  {place:>2} {kind}", highlight=False)
    lines = [f"{'':>{width + 3}}" + "".join(f"{place:>6}" for place in range(len(KINDS)))]
    lines += [
        f"{place:>2} {first:<{width}}" + "".join(f"{pairs[first, second]:>6}" for second in KINDS)
        for place, first in enumerate(KINDS)
    ]
    console.print("\n".join(lines), highlight=False, soft_wrap=True)
    fewest = min((pairs[first, second], first, second) for first in KINDS for second in KINDS)
    console.print(f"The rarest: {fewest[1]}, then {fewest[2]}, {fewest[0]:,} times.", highlight=False)


@dataclass
class Run:
    """What a run has told so far: how many histories in how many seconds, what happened in them, and which pairs."""

    seed: int
    count: int = 0
    seconds: float = 0
    told: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)

    @classmethod
    def go_on(cls, seed: int, file: Path | None) -> Run:
        """The run that was kept, or a new one."""
        if file is None or not file.exists():
            return cls(seed)
        kept = json.loads(file.read_text())
        assert kept["seed"] == seed, f"{file} is of seed {kept['seed']}"
        pairs = Counter({(first, second): times for first, second, times in kept["pairs"]})
        return cls(seed, kept["count"], kept["seconds"], Counter(kept["told"]), pairs)

    def rare(self, at_least: int) -> list[tuple[str, str]]:
        """The pairs that have come less often than that."""
        return [(first, second) for first in KINDS for second in KINDS if self.pairs[first, second] < at_least]

    def add(self, life: Life, seconds: float) -> None:
        self.told.update(life.told)
        self.pairs.update(pairs_of(life.acts))
        self.count += 1
        self.seconds += seconds

    def keep(self, file: Path) -> None:
        pairs = [[*pair, times] for pair, times in self.pairs.items()]
        file.write_text(json.dumps({**vars(self), "pairs": pairs}))

    def print(self, console: Console) -> None:
        console.print(f"{self.count:,} histories of seed {self.seed} in {self.seconds:.0f} s, no difference.")
        for what, times in sorted(self.told.items()):
            console.print(f"  {times:>8,}  {what}")
        print_pairs(console, self.pairs)


async def tell_one(stage: Stage, console: Console, number: str, wanted: Sequence[tuple[str, str]] = ()) -> Life:
    """Tell one story; when it differs, print it and end."""
    story = random_story(number, wanted=wanted)
    try:
        return await stage.tell(story)
    except Exception as error:
        console.print(f"History {number} differs:", story)
        console.print("".join(traceback.format_exception(error)[-6:]), markup=False, highlight=False)
        raise typer.Exit(1) from error


def main(
    histories: int = 10_000,
    seed: int = 1,
    seconds: float = 0,
    only: int = -1,
    keep: Path | None = None,
    at_least: int = 0,
) -> None:
    """Tell random stories until one differs, all are told, or the seconds (when given) are over."""
    console, run, begun = Console(), Run.go_on(seed, keep), time.monotonic()
    shared = Path("/dev/shm")  # noqa: S108 -- memory, where there is such a place: a story outlives nothing
    place = shared if shared.is_dir() else None
    numbers = range(run.count, histories) if only < 0 else [only]

    async def tell_all() -> None:
        with tempfile.TemporaryDirectory(dir=place) as folder:
            migrated = Path(folder) / "template.db"
            await asyncio.to_thread(upgrade, f"sqlite:///{migrated}")
            async with Stage.set_up(migrated, Path(folder)) as stage:
                for number in track(numbers, console=console):
                    await tell(stage, number)
                    if is_over():
                        return
                while not is_over() and (wanted := run.rare(at_least)):
                    console.print(f"{run.count:,} told; of {len(wanted)} pairs more are needed.", highlight=False)
                    await tell(stage, run.count, wanted)

    def is_over() -> bool:
        return 0 < seconds < time.monotonic() - begun

    async def tell(stage: Stage, number: int, wanted: Sequence[tuple[str, str]] = ()) -> None:
        started = time.monotonic()
        run.add(await tell_one(stage, console, f"{seed}/{number}", wanted), time.monotonic() - started)
        if keep is not None:
            run.keep(keep)

    asyncio.run(tell_all())
    run.print(console)


if __name__ == "__main__":
    typer.run(main)
