"""Commands about money at the payment gateway, and about the database as a whole: what brings both together again."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FOUND_PROBLEMS, Refused
from app.cli.running import actor, parse_cents, parse_date, run
from app.cli.terminal import say, tell
from app.domain.periods import day_starts_at

if TYPE_CHECKING:
    from app.services.adjustments import refund_payment as refunding
    from app.services.operations import reconcile as reconciling
    from app.services.operations import sweep_gateway as sweeping
    from app.surroundings import Surroundings


NextNumber = Annotated[
    int | None,
    typer.Option(min=1, help="The number that the next invoice gets: one after the last that any customer has."),
]


def refund(
    account: Annotated[str, typer.Argument(metavar="ACCOUNT", help="As SAS Flex calls it, such as AA0101.")],
    invoice: Annotated[int, typer.Option(help="The number of the invoice that was charged.")],
    amount: Annotated[str, typer.Option(help="In dollars, such as 49.70.")],
    reference: Annotated[str, typer.Option(help="What it is known by; the same reference twice does it once.")],
    who: Annotated[str, typer.Option("--actor", help="Who does it.")],
    reason: Annotated[str, typer.Option(help="Why, for the audit log.")],
) -> None:
    """Give back what was charged for an invoice: it is open again, and nothing is charged for it by itself."""
    from app.formatting import format_money
    from app.services.adjustments import refund_payment as refunding
    from app.services.common.caller import Caller

    async def job(around: Surroundings) -> refunding.Refunded:
        return await refunding.refund_payment(
            around.services,
            Caller(account, f"staff:{who}"),
            invoice_number=invoice,
            amount_cents=parse_cents(amount),
            reference=reference,
            reason=reason,
        )

    done = run(job)
    money = format_money(done.amount_cents)
    if not done.is_known:
        tell(f"{money} of invoice {invoice} is on its way back; whether it arrived is found out within minutes.")
    elif done.is_new:
        tell(f"{money} of invoice {invoice} was given back; {money} is open again.")
    else:
        tell(f"That had been done before; nothing changed. ({money} of invoice {invoice} was given back.)")


def sweep() -> None:
    """Ask the payment gateway what has settled, and whether its vault has our cards. The server does so every night.

    Exit 1 with what staff should look at.
    """
    from app.services.operations import sweep_gateway as sweeping

    async def job(around: Surroundings) -> sweeping.SweepReport:
        return await sweeping.sweep_gateway(around.services)

    found = run(job)
    tell(
        f"{found.settled:,} settled, {found.returned:,} returned by a bank, {found.voided:,} voided, "
        f"{found.waiting:,} not settled yet; {found.updated:,} cards changed by their banks."
    )
    _tell_problems(found.findings)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the copy goes; no file is written over.")],
) -> None:
    """Copy the database to a file, as it is at this moment. The server may go on meanwhile."""
    from app.services.operations import restore_database as restoring

    async def job(around: Surroundings) -> int:
        try:
            return await restoring.back_up(around.settings.database, file)
        except OSError as error:
            raise Refused(f"{str(file)!r} cannot be written ({error.strerror}). Choose another place.") from None

    tell(f"{file} holds the whole database, {run(job):,} bytes. It names customers: keep it as safe as the database.")


def restore(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="[FILE]", help="A backup; without one, the database was brought back by other means."),
    ] = None,
    next_number: NextNumber = None,
) -> None:
    """Bring an older database back, and hold all money back until `reconcile` has found what happened since.

    Stop the server first. The database from before is kept beside the restored one.
    """
    import asyncio

    from app.gateways.ids import RandomIds
    from app.services.operations import restore_database as restoring
    from app.settings import read_settings
    from app.surroundings import make_clock

    chosen = read_settings()
    chosen.require_complete()
    if file is None:
        _mark_restored(next_number)
        return
    restored = asyncio.run(
        restoring.restore_database(
            chosen.database, file, next_number=next_number, clock=make_clock(chosen), ids=RandomIds(), actor=actor()
        )
    )
    if restored.kept is not None:
        tell(f"The database from before is now {str(restored.kept)!r}.")
    _tell_held(restored.next_number)


def _mark_restored(next_number: int | None) -> None:
    from app.services.operations import restore_database as restoring

    if next_number is None:
        raise Refused(
            "Name a backup; or, when the database was brought back by other means, only the number that the next "
            "invoice gets, by --next-number."
        )

    async def job(around: Surroundings) -> None:
        await restoring.mark_restored(around.services, next_number=next_number, actor=actor())

    run(job)
    _tell_held(next_number)


def _tell_held(next_number: int) -> None:
    tell(f"The next invoice gets number {next_number}. Nothing is charged, refunded or sent for the time being.")
    tell("Run `flex-billing reconcile --since` with a day before the backup; it lifts that when everything is found.")


def reconcile(
    since: Annotated[str, typer.Option(metavar="DATE", help="A day before the backup, or an instant with its offset.")],
    accept: Annotated[
        list[str] | None,
        typer.Option(metavar="TRANSACTION", help="One that you have looked at and that belongs in no book of ours."),
    ] = None,
    who: Annotated[str | None, typer.Option("--actor", help="Who accepts it.", show_default=False)] = None,
    reason: Annotated[str | None, typer.Option(help="Why, for the audit log.", show_default=False)] = None,
) -> None:
    """Look for every transaction of the payment gateway in our books, and take in what pays an open invoice exactly.

    Nothing is charged by this. When nothing is left to look at, a restored database may charge again; else exit 1.
    """
    from app.services.operations import reconcile as reconciling

    if accept and not (who and reason):
        raise Refused("--accept needs --actor and --reason, for the audit log.")
    begins_at = _instant(since)

    async def job(around: Surroundings) -> reconciling.Reconciliation:
        if accept:
            await reconciling.accept_transactions(
                around.services, transaction_ids=accept, actor=f"staff:{who}", reason=reason or ""
            )
        return await reconciling.reconcile(around.services, since=begins_at, actor=f"staff:{who}" if who else actor())

    found = run(job)
    for sentence in found.recorded:
        tell(sentence)
    tell(f"{found.known:,} transactions were known, {len(found.recorded):,} were recorded.")
    if found.is_lifted:
        tell("Everything is found: money moves again.")
    _tell_problems(found.problems)


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    return at if at is not None and at.tzinfo is not None else day_starts_at(parse_date(text))


def _tell_problems(problems: tuple[str, ...]) -> None:
    for problem in problems:
        tell(problem)
    if problems:
        say(f"{len(problems):,} thing{'s' * (len(problems) != 1)} to look at.")
        raise typer.Exit(FOUND_PROBLEMS)
