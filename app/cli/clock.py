"""Commands about the sandbox's clock."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import Refused
from app.cli.running import run, sandbox_settings
from app.cli.terminal import tell

if TYPE_CHECKING:
    from app.settings import Settings
    from app.surroundings import Surroundings


clock = typer.Typer(
    name="clock",
    help="The sandbox's clock: real time plus an offset, the same for server and command line.",
    no_args_is_help=True,
)

Instant = Annotated[str, typer.Option(metavar="WHEN", help='Such as "1999-02-01 00:30": Pacific time, unless it says.')]


@clock.command("show")
def show() -> None:
    """Say what time it is in the sandbox."""
    from app.sandbox.clock import OffsetClock, written

    offset_clock = OffsetClock(sandbox_settings("The clock").data)
    tell(written(offset_clock.now()))
    if offset_clock.offset:
        tell(f"Real time {'plus' if offset_clock.offset.total_seconds() > 0 else 'minus'} {abs(offset_clock.offset)}.")


@clock.command("start")
def start(at: Instant) -> None:
    """Set the clock to any instant, also of the past. Only an empty sandbox lets itself be moved like that."""
    from app.sandbox.clock import OffsetClock, parse_instant, written

    settings = sandbox_settings("The clock")
    instant = parse_instant(at)
    if not _is_empty(settings):
        raise Refused(
            f"The sandbox in {str(settings.data)!r} holds accounts or calls already, so its clock can only advance. "
            "Choose another folder by FLEX_DATA to start at another time."
        )
    tell(written(OffsetClock(settings.data).start(instant)))


@clock.command("advance")
def advance(to: Instant) -> None:
    """Move the clock forward; a running server closes the months that fall due."""
    from app.sandbox.clock import OffsetClock, parse_instant, written

    offset_clock = OffsetClock(sandbox_settings("The clock").data)
    tell(written(offset_clock.advance(parse_instant(to))))


def _is_empty(settings: Settings) -> bool:
    from app.jobs.ticker import next_due_at
    from app.repositories import unit_of_work
    from app.repositories.database import DatabaseUnmigrated

    async def job(around: Surroundings) -> bool:
        waiting = await unit_of_work.read(around.database, lambda uow: uow.quarantine.count_open())
        return waiting == 0 and await next_due_at(around.database) is None

    try:
        return run(job, settings)
    except DatabaseUnmigrated as problem:
        if problem.found is not None:
            raise
        return True
