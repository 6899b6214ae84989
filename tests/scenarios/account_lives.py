"""Whole lives of an account, told to the product and to the reference model at once, and compared after every step.

`python -m tests.scenarios.account_lives --histories 10000 --seed 1` is the long run: it stops at the first difference
and prints the story; `--only NUMBER` tells one story again.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import typer
from rich.console import Console
from rich.progress import track

from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from tests.database import copied_database
from tests.scenarios.account_life import Life
from tests.scenarios.account_stories import Action, Clock, Story, random_story, wall
from tests.scenarios.reference_model import (
    PLANS,
    ReferenceAccount,
)


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

        async with copied_database(migrated_file, folder) as database:
            await unit_of_work.write(database, seed)
            stage = cls(database)
            with closing(stage.sql), closing(stage.empty):
                stage.sql.backup(stage.empty)
                yield stage

    async def tell(self, story: Story, *, is_thorough: bool = False) -> Counter[str]:
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
        return life.told


def main(histories: int = 10_000, seed: int = 1, seconds: float = 0, only: int = -1) -> None:
    """Tell random stories until one differs, all are told, or the seconds (when given) are over."""
    console, told, begun, count = Console(), Counter[str](), time.monotonic(), 0
    shared = Path("/dev/shm")  # noqa: S108 -- memory, where there is such a place: a story outlives nothing
    place = shared if shared.is_dir() else None

    async def tell_all() -> None:
        nonlocal told, count
        with tempfile.TemporaryDirectory(dir=place) as folder:
            migrated = Path(folder) / "template.db"
            await asyncio.to_thread(upgrade, f"sqlite:///{migrated}")
            async with Stage.set_up(migrated, Path(folder)) as stage:
                for number in track(range(histories) if only < 0 else [only], console=console):
                    story = random_story(f"{seed}/{number}")
                    try:
                        told += await stage.tell(story)
                    except Exception as error:
                        console.print(f"Seed {seed}, history {number} differs:", story)
                        console.print("".join(traceback.format_exception(error)[-6:]), markup=False, highlight=False)
                        raise typer.Exit(1) from error
                    count += 1
                    if seconds and time.monotonic() - begun > seconds:
                        break

    asyncio.run(tell_all())
    console.print(f"{count:,} histories in {time.monotonic() - begun:.0f} s, no difference.")
    for what, times in sorted(told.items()):
        console.print(f"  {times:>8,}  {what}")


if __name__ == "__main__":
    typer.run(main)
