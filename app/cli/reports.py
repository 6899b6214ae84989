"""Commands for the accountant: a month's books, as a table to read or as CSV for a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.failures import FOUND_PROBLEMS
from app.cli.running import parse_date, run
from app.cli.terminal import say, show_table, tell, write_csv

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.aging import AgingReport
    from app.domain.books import MonthReport
    from app.domain.customer_balances import CustomerBalances
    from app.domain.gateway_month import GatewayMonth
    from app.domain.reports import ReportDay, ReportMonth
    from app.domain.tax_report import TaxReport
    from app.services.operations.report_journal import JournalReport
    from app.surroundings import Surroundings
    from app.views.journal import JournalEntry

report = typer.Typer(name="report", help="Figures for the accountant.", no_args_is_help=True)

Month = Annotated[str, typer.Argument(metavar="YYYY-MM", help="The month, in the billing zone.", show_default=False)]
AsOf = Annotated[
    str | None, typer.Option("--as-of", metavar="DATE", help="The day, today unless told.", show_default=False)
]
AsCsv = Annotated[bool, typer.Option("--csv", help="As CSV instead of a table.")]


@report.command("month")
def month(month: Month, csv: AsCsv = False) -> None:
    """Show what receivables, credit and bad debt came to, from the opening of a month to its end."""
    from app.formatting import format_money
    from app.services.operations import report_month as reporting_month

    async def job(around: Surroundings) -> MonthReport:
        return await reporting_month.report_month(around.services, month=month)

    found = run(job)
    if csv:
        write_csv(reporting_month.csv_text(found))
        return
    for book in found.books:
        rows = [("opening", book.opening_cents), *book.movements, ("closing", book.closing_cents)]
        cells = [(entry, format_money(cents)) for entry, cents in rows]
        show_table(_title(book.name, found.month), ("entry", "amount"), cells, numbers=(1,))
    rows_of_gateway = reporting_month.settlement_rows(found)
    show_table(_title("gateway", found.month), ("entry", "figure"), rows_of_gateway, numbers=(1,))


@report.command("journal")
def journal(month: Month, csv: AsCsv = False) -> None:
    """Show every posting of a month as double entry, and check what it makes of open invoices and credit.

    Exit 1 where invoices, payments and the audit log do not bear the journal out.
    """
    from app.services.operations import report_journal as reporting_journal

    async def job(around: Surroundings) -> JournalReport:
        return await reporting_journal.report_journal(
            around.services, month=month, on_entries=_write_entries if csv else _show_entries
        )

    found = run(job)
    if not csv:
        _show_balances(_title("open invoices less credit", found.month), found.balances)
    _say_differences(found.balances)


@report.command("taxes")
def taxes(month: Month, csv: AsCsv = False) -> None:
    """Show the taxes of a month's invoices by name and rate: what was taxed, what was not, and what was given back.

    Exit 1 where the tax payable in the journal has changed by another amount.
    """
    from app.formatting import format_money
    from app.services.operations import report_taxes as reporting_taxes

    async def job(around: Surroundings) -> TaxReport:
        return await reporting_taxes.report_taxes(around.services, month=month)

    found = run(job)
    if csv:
        write_csv(reporting_taxes.csv_text(found))
    else:
        _show_taxes(found)
    by_invoices, posted = format_money(found.tax_cents), format_money(found.posted_cents)
    (say if csv else tell)(f"Tax payable changed by {posted} in the journal, and by {by_invoices} on these invoices.")
    if not found.agrees:
        raise typer.Exit(FOUND_PROBLEMS)


def _show_taxes(found: TaxReport) -> None:
    from app.formatting import format_money
    from app.services.operations import report_taxes as reporting_taxes

    rows = [
        (name or "no tax", f"{rate} %" if rate else "exempt", *map(format_money, cents))
        for name, rate, *cents in reporting_taxes.figures(found)
    ]
    headings = [column.replace("_", " ") for column in reporting_taxes.TAX_COLUMNS]
    show_table(_title("taxes", found.month), headings, rows, numbers=range(1, len(headings)))


@report.command("aging")
def aging(as_of: AsOf = None, csv: AsCsv = False) -> None:
    """Show what each account owes by the days since it fell due, and the credit that it has beside."""
    from app.formatting import format_money
    from app.services.operations import report_aging as reporting_aging

    on = None if as_of is None else parse_date(as_of)

    async def job(around: Surroundings) -> AgingReport:
        return await reporting_aging.report_aging(around.services, as_of=on)

    found = run(job)
    if csv:
        write_csv(reporting_aging.csv_text(found))
        return
    rows = [
        (each.account, *map(format_money, reporting_aging.cents_of(each))) for each in (*found.accounts, found.total)
    ]
    headings = [column.replace("_", " ") for column in reporting_aging.AGING_COLUMNS]
    show_table(_marked(f"open as of {found.day.on}", found.day), headings, rows, numbers=range(1, len(headings)))


@report.command("reconcile")
def reconcile(month: Month, csv: AsCsv = False) -> None:
    """Compare the payment gateway's sales, refunds and disputes of a month with ours and with the journal.

    Nothing is changed by this. Exit 1 with each difference by its name.
    """
    from app.services.operations import report_reconcile as reporting_reconcile

    async def job(around: Surroundings) -> GatewayMonth:
        return await reporting_reconcile.report_reconcile(around.services, month=month)

    found = run(job)
    if csv:
        write_csv(reporting_reconcile.csv_text(found))
    else:
        _show_gateway(found)
    count = len(found.differences)
    if count:
        say(f"{count:,} difference{'s' * (count != 1)} found.")
        raise typer.Exit(FOUND_PROBLEMS)


def _show_gateway(found: GatewayMonth) -> None:
    from app.formatting import format_money
    from app.services.operations import report_reconcile as reporting_reconcile

    headings = ("flow", "gateway", "amount", "here", "amount", "in the journal")
    rows = [
        (
            each.flow,
            f"{each.theirs_count:,}",
            format_money(each.theirs_cents),
            f"{each.ours_count:,}",
            format_money(each.ours_cents),
            format_money(each.posted_cents),
        )
        for each in found.totals
    ]
    show_table(_title("payment gateway", found.month), headings, rows, numbers=range(1, len(headings)))
    if not found.differences:
        tell("Everything agrees.")
        return
    columns = [column.replace("_", " ") for column in reporting_reconcile.RECONCILE_COLUMNS]
    differences = reporting_reconcile.difference_rows(found)
    show_table(_title("differences", found.month), columns, differences, numbers=(4, 5, 6))


def _write_entries(month: ReportMonth, entries: Sequence[JournalEntry]) -> None:
    from app.services.operations import report_journal as reporting_journal

    write_csv(reporting_journal.csv_of(month, entries))


def _show_entries(month: ReportMonth, entries: Sequence[JournalEntry]) -> None:
    """Print entries under headings, as many as are read at a time, so that a long month is not held in memory."""
    from app.formatting import format_money
    from app.services.operations import report_journal as reporting_journal

    if not entries:
        tell(_title("journal", month), style="bold")
        return
    rows = [(*reporting_journal.cells_of(entry), format_money(entry.amount_cents)) for entry in entries]
    headings = ("posted", "posted (UTC)", *reporting_journal.JOURNAL_COLUMNS[2:])
    show_table(None, headings, rows, numbers=(len(headings) - 1,))


def _show_balances(title: str, found: CustomerBalances) -> None:
    from app.formatting import format_money

    *compared, used = ((e.name, format_money(e.journal_cents), format_money(e.rebuilt_cents)) for e in found.figures)
    parts = (("open invoices", found.open_cents), ("credit", -found.credit_cents))
    rows = [*compared, *((f"  {name}", format_money(cents), "") for name, cents in parts), used]
    show_table(title, ("entry", "by the journal", "by documents"), rows, numbers=(1, 2))


def _say_differences(found: CustomerBalances) -> None:
    """Name every figure and account where journal and documents differ, and end with exit 1 if there is one."""
    from app.formatting import format_money

    if found.agrees:
        return
    for each in (*found.figures, *found.accounts):
        if not each.agrees:
            say(
                f"{each.name}: {format_money(each.journal_cents)} by the journal, "
                f"{format_money(each.rebuilt_cents)} by documents."
            )
    raise typer.Exit(FOUND_PROBLEMS)


def _title(what: str, month: ReportMonth) -> str:
    return _marked(f"{what}, {month.text}", month)


def _marked(title: str, when: ReportMonth | ReportDay) -> str:
    """Return the title of a table; it says so while figures can still change."""
    return title if when.is_closed else f"{title} (not closed: figures to date)"
