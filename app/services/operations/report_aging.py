"""What accounts owe as of a day, by how long it has been due, and the credit that they have beside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.aging import Age, aging_report
from app.domain.reports import ReportDay
from app.messages.tables import Figure, plain_dollars
from app.repositories import unit_of_work
from app.services.operations.report_csv import csv_header, csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from app.domain.aging import AccountAging, AgingReport
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

AGING_COLUMNS = ("account", *Age, "open", "credit")


async def report_aging(services: Services, *, as_of: date | None = None) -> AgingReport:
    """Return what each account owes at the end of a day, today unless told, by days since the invoice fell due.

    The due date is the invoice's own, also where a bank returned its payment later. Two statements.
    :raises DayNotBegun: when the day is in the future.
    """
    day = ReportDay.at(services.clock.now(), as_of)

    async def work(uow: UnitOfWork) -> AgingReport:
        return aging_report(day, await uow.reports.open_amounts(day.ends_at), await uow.reports.credit(day.ends_at))

    return await unit_of_work.read(services.database, work)


def csv_text(report: AgingReport) -> str:
    """Return a report as CSV: a row for each account; the totals are left out, so that columns add up."""
    on = Figure(report.day.on)
    rows = ((on, each.account, *map(plain_dollars, cents_of(each))) for each in report.accounts)
    return csv_header("as_of", *AGING_COLUMNS) + csv_rows(rows, is_closed=report.day.is_closed)


def cents_of(account: AccountAging) -> Iterator[int]:
    """Yield the figures of an account in the order of the columns."""
    yield from (account.cents_by_age[age] for age in Age)
    yield account.open_cents
    yield account.credit_cents
