"""Commands about bills: close what is due, record a check, tell a story, and check the books."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FOUND_PROBLEMS
from app.cli.running import parse_date, run
from app.cli.terminal import counting, say, show_table, tell
from app.domain.periods import BILLING_ZONE, day_starts_at

rebuild = typer.Typer(name="rebuild", help="What is kept beside the books, made again from them.", no_args_is_help=True)

if TYPE_CHECKING:
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.operations import explain as explaining
    from app.surroundings import Surroundings


def run_due() -> None:
    """Issue every invoice that is due, month after month, and collect what is due. Running it again does nothing."""
    from app.jobs.ticker import next_due_at
    from app.services.cycle.close_periods import close_periods
    from app.services.invoices.settle_credit import settle_waiting_credit
    from app.services.payment_methods.settle_vault import run_vault_tasks
    from app.services.payments.collect_due import collect_due, next_collection_at
    from app.services.plans.upgrade_plans import upgrade_plans

    async def job(around: Surroundings) -> tuple[int, int, int, datetime | None]:
        await settle_waiting_credit(around.services)
        with counting("Issuing invoices") as on_progress:
            issued = await close_periods(around.services, on_progress=on_progress)
        upgraded = await upgrade_plans(around.services)
        await run_vault_tasks(around.services)
        collected = 0
        due_at = await next_collection_at(around.services)
        if due_at is not None and due_at <= around.clock.now():
            with counting("Collecting invoices") as on_progress:
                collected = await collect_due(around.services, on_progress=on_progress)
        return issued, upgraded, collected, await next_due_at(around.database)

    issued, upgraded, collected, due_at = run(job)
    tell("Nothing was due." if not issued else f"{issued:,} monthly invoice{'s' * (issued != 1)} issued.")
    if upgraded:
        tell(f"{upgraded:,} account{'s' * (upgraded != 1)} moved up to a plan that fits this month.")
    if collected:
        tell(f"{collected:,} invoice{'s' * (collected != 1)} looked at to be collected.")
    if due_at is not None:
        tell(f"The next invoice falls due on {due_at.astimezone(BILLING_ZONE):%Y-%m-%d at %H:%M %Z}.")


def explain(
    what: Annotated[str, typer.Argument(metavar="ACCOUNT|INVOICE", help="An account, or the number of an invoice.")],
) -> None:
    """Tell the story of an account or an invoice: the facts with their arithmetic, and all that happened, in order."""
    from app.repositories.accounts import AccountNotFound
    from app.services.operations import explain as explaining

    async def job(around: Surroundings) -> explaining.Story:
        try:
            return await explaining.explain_account(database=around.database, account=what)
        except AccountNotFound:
            if not (what.isascii() and what.isdigit()):
                raise
        return await explaining.explain_invoice(database=around.database, number=int(what))

    story = run(job)
    tell(story.title, style="bold")
    tell("")
    show_table(None, ("fact", "value"), [(fact.name, fact.value) for fact in story.facts])
    tell("")
    rows = [
        (f"{entry.at.astimezone(BILLING_ZONE):%Y-%m-%d %H:%M:%S}", entry.what, entry.actor, entry.detail,
         entry.request_id or "")
        for entry in story.timeline
    ]  # fmt: skip
    show_table(None, ("when (Pacific)", "what", "by", "detail", "request"), rows)


def verify(
    account: Annotated[str | None, typer.Option(help="Only this account.", show_default=False)] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="Only invoices issued from this day on.", show_default=False)
    ] = None,
) -> None:
    """Compute every issued invoice again from raw calls, and check that all sums agree. Exit 1 with the differences.

    A warning names a known fault of an earlier release; warnings alone exit 0.
    """
    from app.repositories import unit_of_work
    from app.services.operations import verify as verifying

    since_at = None if since is None else day_starts_at(parse_date(since))

    async def job(around: Surroundings) -> tuple[int, Counter[bool]]:
        accounts, found = 0, Counter[bool]()
        total = 1 if account is not None else await unit_of_work.read(around.database, _count_accounts)
        with counting("Verifying accounts", total) as on_progress:

            def on_account(_account: object) -> None:
                nonlocal accounts
                accounts += 1
                on_progress(1)

            async for each in verifying.verify(
                database=around.database, account=account, since=since_at, on_progress=on_account
            ):
                found[each.is_warning] += 1
                warning = "Warning: " * each.is_warning
                tell(f"{warning}{each.account}, {each.place}: found {each.found}, expected {each.expected}")
        return accounts, found

    accounts, found = run(job)
    _conclude(accounts, differences=found[False], warnings=found[True])


@rebuild.command("balances")
def rebuild_balances(
    account: Annotated[str | None, typer.Option(help="Only this account.", show_default=False)] = None,
) -> None:
    """Set every running balance to the sum of its postings, and tell which were off. Running it again changes nothing.

    `verify` finds the same differences, and changes nothing.
    """
    from app.repositories import unit_of_work
    from app.services.operations.running_balances import rebuild_running_balances

    async def job(around: Surroundings) -> int:
        mended = 0
        total = 1 if account is not None else await unit_of_work.read(around.database, _count_accounts)
        with counting("Adding up postings", total) as on_progress:
            async for each in rebuild_running_balances(
                around.database, account, on_progress=lambda _account: on_progress(1)
            ):
                mended += 1
                tell(f"{each.account}, {each.place}: was {each.found}, is {each.expected}")
        return mended

    mended = run(job)
    tell(f"{mended:,} balance{'s' * (mended != 1)} mended." if mended else "Every balance is the sum of its postings.")


def _conclude(accounts: int, *, differences: int, warnings: int) -> None:
    """Say how many accounts were checked and what was found; differences end the program with exit code 1."""
    warned = f"{warnings:,} warning{'s' * (warnings != 1)}"
    if differences:
        more = f" and {warned}" * bool(warnings)
        say(f"{differences:,} difference{'s' * (differences != 1)}{more} found.")
        raise typer.Exit(FOUND_PROBLEMS)
    but = f" but for {warned}" * bool(warnings)
    tell(f"Everything agrees{but}: {accounts:,} account{'s' * (accounts != 1)} checked.")


async def _count_accounts(uow: UnitOfWork) -> int:
    return len(await uow.accounts.choose())
