"""The alerts bench: the same month of calls into open months, with its alerts evaluated and without."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

from app.domain.accounts import Role
from app.domain.periods import billing_instant
from app.domain.policies import policies_on
from app.gateways.ids import RandomIds
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from app.services.usage import record_calls
from app.services.usage.call_file import MalformedRow, read_call_file
from app.services.usage.put_account import AccountParticulars, Member, put_account
from scripts.bench import import_product
from scripts.bench.databases import FixedClock, copy, make_tables, open_new
from scripts.bench.figures import Figure, Report
from scripts.bench.import_facts import MONTH, count_calls
from scripts.bench.measure import Sample, cpu, interleave, measure, ratio, wall

if TYPE_CHECKING:
    from pathlib import Path

    from app.services.usage.import_calls import ImportCounts
    from scripts.bench.scope import Scope

GOAL, MUST = 1.05, 1.15


def bench_alerts(scope: Scope) -> Report:
    """Compare processor time for one call, alerts on to alerts off; every account has an admin to be told."""
    file, origin = scope.calls()
    seed = scope.folder / "alerts.db"
    make_database(seed, file)

    def run(side: str) -> Sample:
        return measure(f"alerts.{side}", database=str(copy(seed, _target(scope.folder, side))), file=str(file))

    samples = interleave(scope.rounds, {"on": lambda: run("on"), "off": lambda: run("off")})
    calls, told = count_calls(_target(scope.folder, "on")), count_told(_target(scope.folder, "on"))
    evaluated, unjudged = (min(cpu(samples[side])) / calls * 1e6 for side in ("on", "off"))
    clock = ratio(wall(samples["on"]), wall(samples["off"]))
    detail = f"best run: {evaluated:.1f} against {unjudged:.1f} µs a call; {clock:.2f}× on the clock; {told} told"
    figure = Figure("alerts: CPU per call", ratio(cpu(samples["on"]), cpu(samples["off"])), GOAL, MUST, detail)
    return Report([figure], [origin])


def make_database(path: Path, file: Path) -> None:
    """Make a database with the accounts that the file names, each with an admin and its month opened."""
    make_tables(path)
    asyncio.run(_open_months(path, file))


def count_told(path: Path) -> int:
    """Return how many limits were told."""
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM alert_crossing").fetchone()[0])


def import_with(*, database: Path, file: Path) -> ImportCounts:
    """Import the file as the product does."""
    return import_product.import_file(database=database, file=file)


def import_without(*, database: Path, file: Path) -> ImportCounts:
    """Import the file with nothing evaluated."""

    async def nothing(*_arguments: object, **_options: object) -> None:
        """Judge nothing."""

    setattr(record_calls, "evaluate_usage", nothing)  # noqa: B010 -- not a name that the module exports
    return import_product.import_file(database=database, file=file)


def _target(folder: Path, side: str) -> Path:
    return folder / f"alerts-{side}.db"


async def _open_months(path: Path, file: Path) -> None:
    database = await open_new(path)
    opens_at = billing_instant(MONTH.starts_on, policies_on(MONTH.starts_on).cycle_runs_at)
    clock, ids = FixedClock(opens_at), RandomIds()
    for name in sorted({row.account for row in read_call_file(file) if not isinstance(row, MalformedRow)}):
        admin = Member(f"admin of {name}", f"admin@{name.lower()}.example", "Administrator", Role.ADMIN)
        particulars = AccountParticulars(
            name, name, "100", paid_since_on=date(MONTH.starts_on.year, 1, 1), members=(admin,)
        )
        await put_account(Services(database, clock, ids), particulars=particulars, actor="bench")
    await close_periods(Services(database, clock, ids))
    await database.close()
