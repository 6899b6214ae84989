"""The taxes of a month by name and rate, read from its invoices and held against the book of tax payable."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from app.domain.reports import ReportMonth
from app.domain.tax_report import TaxLine, add_tax_lines, tax_report
from app.messages.tables import Figure, plain_dollars
from app.repositories import unit_of_work
from app.services.operations.rebuild_balances import VOIDS
from app.services.operations.report_csv import csv_header, csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.tax_report import TaxKey, TaxReport, TaxSums
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

TAX_COLUMNS = (
    "tax",
    "rate_percent",
    "taxable_base",
    "exempt_base",
    "tax_charged",
    "base_given_back",
    "tax_given_back",
)


async def report_taxes(services: Services, *, month: str) -> TaxReport:
    """Return the taxes of the invoices issued in a month (`YYYY-MM`, in the billing zone), of the current one to date.

    Four statements, whatever the number of invoices; tax lines are read some at a time.
    :raises InvalidMonth: when the text is no month.
    :raises MonthNotBegun: when it is in the future.
    """
    found = ReportMonth.parse(month, services.clock.now())
    return await unit_of_work.read(services.database, lambda uow: _read(uow, found))


async def _read(uow: UnitOfWork, month: ReportMonth) -> TaxReport:
    voids = await uow.reports.voids(VOIDS)
    issued = {invoice_id for invoice_id, void in voids.items() if month.contains(void.issued_at)}
    voided = {invoice_id for invoice_id, void in voids.items() if month.contains(void.voided_at)}
    total_cents = await uow.reports.invoiced_in_all(month.begins_at, month.ends_at)
    total_cents -= sum(voids[invoice_id].total_cents for invoice_id in voided)
    left_out, taken_back = issued & voided, voided - issued
    taxes: dict[TaxKey, TaxSums] = {}
    async for lines in uow.reports.tax_lines(month.begins_at, month.ends_at, taken_back):
        counted = ((invoice_id, line) for invoice_id, line in lines if invoice_id not in left_out)
        taxes = add_tax_lines(taxes, (TaxLine(line, invoice_id in taken_back) for invoice_id, line in counted))
    posted = await uow.ledger.sums_by_kind(month.begins_at, month.ends_at)
    return tax_report(month, taxes, total_cents, {kind: within for kind, (_, within) in posted.items()})


def csv_text(report: TaxReport) -> str:
    """Return a report as CSV: a row for each tax and rate, and one for what each tax leaves out; columns add up."""
    month = Figure(report.month.text)
    rows = ((month, name, rate, *map(plain_dollars, cents)) for name, rate, *cents in figures(report))
    return csv_header("month", *TAX_COLUMNS) + csv_rows(rows, is_closed=report.month.is_closed)


def figures(report: TaxReport) -> Iterator[tuple[str, Figure, int, int, int, int, int]]:
    """Yield name, rate in per cent, and cents in the order of the columns; what a tax leaves out has no rate."""
    for (name, rate), sums in report.taxes:
        yield name, percent(rate), sums.taxable_cents, 0, sums.charged_cents, sums.base_back_cents, sums.tax_back_cents
    for name, cents in report.exempt_cents.items():
        yield name, Figure(""), 0, cents, 0, 0, 0


def percent(rate: int) -> Figure:
    """Return ten-thousandths of a per cent as per cent, without zeros at the end: 6.5 or 8.875."""
    written = f"{Decimal(rate).scaleb(-4):f}"
    return Figure(written.rstrip("0").rstrip("."))
