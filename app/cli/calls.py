"""Commands about calls: files in, samples out, and what waits in quarantine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FOUND_PROBLEMS, Refused
from app.cli.running import actor, parse_date, run
from app.cli.terminal import reading, say, show_table, tell
from app.domain.periods import Period
from app.services.usage.call_file import DEFAULT_SOURCE, call_file_bytes

if TYPE_CHECKING:
    from app.repositories.calls import QuarantinedCall
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.usage import import_calls as importing
    from app.services.usage import quarantine as quarantining
    from app.services.usage.import_calls import ImportCounts
    from app.surroundings import Surroundings

LONGEST_SHOWN = 60

quarantine = typer.Typer(
    name="quarantine", help="What could not be billed and waits for a person.", no_args_is_help=True
)

Reason = Annotated[str, typer.Option(help="Why, for the audit log.", show_default=False)]
QuarantinedId = Annotated[str, typer.Argument(metavar="ID", help="As `quarantine list` shows it.", show_default=False)]


def import_calls(
    file: Annotated[Path, typer.Argument(help="The call file, plain or gzip.", show_default=False)],
    create_accounts: Annotated[
        bool, typer.Option("--create-accounts", help="Create accounts that the file names and nobody knows.")
    ] = False,
    plan: Annotated[str | None, typer.Option(help="Their plan, for example 100.", show_default=False)] = None,
    paid_since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Their first paid day.", show_default=False)
    ] = None,
    source: Annotated[str, typer.Option(help="Whose event ids these are; a call counts once per source.")] = (
        DEFAULT_SOURCE
    ),
) -> None:
    """Import a call file. Rows that cannot be used wait in quarantine; the same file twice changes nothing."""
    from app.services.usage import import_calls as importing

    new_accounts = _new_accounts(plan, paid_since, is_wanted=create_accounts)
    total_bytes = call_file_bytes(file)

    async def job(around: Surroundings) -> ImportCounts:
        with reading(f"Importing {file.name}", total_bytes) as on_progress:
            return await importing.import_calls(
                around.services,
                path=file,
                actor=actor(),
                source=source,
                new_accounts=new_accounts,
                on_progress=on_progress,
            )

    _show_counts(run(job))


def _new_accounts(plan: str | None, paid_since: str | None, *, is_wanted: bool) -> importing.NewAccounts | None:
    from app.services.usage import import_calls as importing

    if not is_wanted:
        if plan is not None or paid_since is not None:
            raise Refused("--plan and --paid-since go with --create-accounts. Add it, or leave them out.")
        return None
    if plan is None or paid_since is None:
        raise Refused("--create-accounts needs to know more: add --plan CODE and --paid-since DATE.")
    return importing.NewAccounts(plan, parse_date(paid_since))


def _show_counts(counts: ImportCounts) -> None:
    rows = [
        ("accepted", counts.accepted),
        ("  of them not billable", counts.not_billable),
        ("duplicate", counts.duplicate),
        ("conflict", counts.conflict),
        ("quarantined", counts.quarantined),
        ("accounts created", counts.accounts_created),
        ("live seconds", counts.live_seconds),
        ("IVR seconds", counts.ivr_seconds),
    ]
    show_table(None, ("rows", "count"), [(name, f"{count:,}") for name, count in rows], numbers=(1,))
    if counts.conflict or counts.quarantined:
        say("See `flex-billing quarantine list` for what could not be used.")


def sample_calls(
    file: Annotated[Path, typer.Argument(help="Where to write it; gzip if it ends in .gz.", show_default=False)],
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="The month that the calls are of.")] = "1999-01",
    lines: Annotated[int, typer.Option(help="How many telephone lines, which is how many accounts.")] = 27,
    seed: Annotated[int, typer.Option(help="The same seed makes the same file.")] = 1,
) -> None:
    """Write a made month of calls in the call file's format, for whoever has no file."""
    from app.sandbox.sample_calls import write_sample_calls

    made = write_sample_calls(file, month=Period.parse(month), lines=lines, seed=seed)
    tell(
        f"{file} is written: {made.accepted:,} good rows, {made.not_billable:,} of them not billable, "
        f"and {made.faulty:,} faulty ones."
    )


@quarantine.command("list")
def list_quarantined(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many to show.")] = 50,
) -> None:
    """Show what waits, oldest first."""
    from app.repositories import unit_of_work

    async def job(around: Surroundings) -> tuple[list[QuarantinedCall], int]:
        async def look(uow: UnitOfWork) -> tuple[list[QuarantinedCall], int]:
            return await uow.quarantine.list_open(limit), await uow.quarantine.count_open()

        return await unit_of_work.read(around.database, look)

    shown, waiting = run(job)
    if not shown:
        tell("Nothing waits in quarantine.")
        return
    rows = [(c.id, c.source, f"{c.position:,}", c.reason, c.message, _beginning(c.payload)) for c in shown]
    show_table(None, ("id", "source", "line", "reason", "what to do", "begins"), rows, numbers=(2,))
    if waiting > len(shown):
        say(f"{waiting - len(shown):,} more wait. Show them by --limit.")


@quarantine.command("release")
def release_quarantined(
    quarantined_id: QuarantinedId,
    reason: Reason,
    mended: Annotated[
        str | None,
        typer.Option(
            help="The row or the JSON as it should have been; a tab may be written as \\t.", show_default=False
        ),
    ] = None,
) -> None:
    """Try a call again, under today's accounts and rules: as it came, or mended."""
    from app.services.usage import import_calls as importing
    from app.services.usage import quarantine as quarantining

    async def job(around: Surroundings) -> quarantining.Released:
        return await quarantining.release(
            around.services,
            quarantined_id=quarantined_id,
            parse=importing.read_payload if mended is None else importing.read_mended,
            actor=actor(),
            reason=reason,
            mended=mended,
        )

    released = run(job)
    if not released.is_released:
        say(f"{quarantined_id} stays in quarantine: {released.message}")
        raise typer.Exit(FOUND_PROBLEMS)
    tell(f"{quarantined_id} is recorded ({released.metered.outcome.lower()}).")


@quarantine.command("discard")
def discard_quarantined(quarantined_id: QuarantinedId, reason: Reason) -> None:
    """Decide that a call is never billed. It is kept, with the reason."""
    from app.services.usage import quarantine as quarantining

    async def job(around: Surroundings) -> None:
        await quarantining.discard(around.services, quarantined_id=quarantined_id, actor=actor(), reason=reason)

    run(job)
    tell(f"{quarantined_id} is discarded.")


def _beginning(payload: str) -> str:
    """Return the first characters of a text, with tabs and the like as spaces, so that it stays on its line."""
    return "".join(letter if letter.isprintable() else " " for letter in payload[:LONGEST_SHOWN])
