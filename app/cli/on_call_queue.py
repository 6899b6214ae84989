"""Commands for the operator on call: the on-call queue, and how each item goes on."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.running import run
from app.cli.staff import Reason, Who, act
from app.cli.terminal import show_table, tell
from app.domain.deliveries import CallOutcome

if TYPE_CHECKING:
    from app.repositories.on_call_queue import Waiting, WaitingKind
    from app.surroundings import Surroundings

queue = typer.Typer(name="queue", help="What waits for a person, and how it goes on.", no_args_is_help=True)

WaitingId = Annotated[str, typer.Argument(metavar="ID", help="As `queue list` shows it.", show_default=False)]


@queue.command("list")
def list_waiting(
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many of each kind to show.")] = 50,
) -> None:
    """Show what waits; messages and refunds that failed are listed for a week."""
    from app.services.operations import on_call_queue as doing

    async def job(around: Surroundings) -> list[Waiting]:
        return await doing.list_waiting(around.services, limit=limit)

    found = run(job)
    if not found:
        tell("Nothing waits for a person.")
        return
    to_do = _what_to_do()
    rows = [
        (w.kind.lower().replace("_", " "), w.id, w.account or "", f"{w.since:%Y-%m-%d %H:%M}", w.why, to_do[w.kind])
        for w in found
    ]
    show_table(None, ("what", "id", "account", "since (UTC)", "known", "what to do"), rows)


@queue.command("retry")
def retry(waiting_id: WaitingId, who: Who, reason: Reason) -> None:
    """Let something go on: a parked invoice by its number, a notice, or a message. The server does the rest."""
    from app.services.operations import on_call_queue as doing

    act(partial(doing.try_again, waiting_id=waiting_id), who, reason)
    tell(f"{waiting_id} goes on.")


@queue.command("dismiss")
def dismiss(waiting_id: WaitingId, who: Who, reason: Reason) -> None:
    """Decide that a notice in quarantine is nothing of ours. It is kept, with the reason."""
    from app.services.operations import on_call_queue as doing

    act(partial(doing.dismiss_webhook_event, waiting_id=waiting_id), who, reason)
    tell(f"{waiting_id} is dismissed.")


@queue.command("allow-mail")
def allow_mail(
    address: Annotated[str, typer.Argument(help="The address, in upper or lower case.", show_default=False)],
    who: Who,
    reason: Reason,
) -> None:
    """Let mail go again to an address whose owner reported one as unwanted, such as by mistake."""
    from app.services.notifications import report_mail

    act(partial(report_mail.allow_mail, address=address), who, reason)
    tell(f"{address} gets mail again.")


@queue.command("call-outcome")
def call_outcome(
    call_id: WaitingId,
    outcome: Annotated[CallOutcome, typer.Argument(help="What the operators say became of it.", show_default=False)],
    who: Who,
    reason: Reason,
) -> None:
    """Record the outcome of a phone call that is not known yet. It is not made again."""
    from app.services.notifications import report_call as reporting

    async def job(around: Surroundings) -> None:
        await reporting.report_call(
            around.services, call_id=call_id, outcome=outcome, note=reason, actor=f"staff:{who}"
        )

    run(job)
    tell(f"{call_id} is settled: {outcome.lower().replace('_', ' ')}.")


def _what_to_do() -> dict[WaitingKind, str]:
    """Return what the operator does about each kind."""
    from app.repositories.on_call_queue import WaitingKind

    return {
        WaitingKind.UNKNOWN_CHARGE: "It is asked about again by itself. Look for this order id at the payment gateway.",
        WaitingKind.UNKNOWN_REFUND: "It is asked about again by itself. Look for this order id at the payment gateway.",
        WaitingKind.FAILED_REFUND: "It did not reach the customer: give the money back in another way.",
        WaitingKind.PARKED: "Mend what the payment gateway refuses, then `queue retry`.",
        WaitingKind.DISPUTE: "Answer it in the payment gateway's control panel.",
        WaitingKind.NOTICE: "`queue retry` once it can be understood, or `queue dismiss` it.",
        WaitingKind.UNREACHED: "Its warning reached nobody: reach the customer in another way.",
        WaitingKind.PHONE_CALL: "Ask the operators, then `queue call-outcome`.",
        WaitingKind.MESSAGE: "`queue retry` once its address, or the system that takes it, is well.",
    }
