"""The month's report of the whole business: what customers owe, their credit and the bad debt, opening to closing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.books import month_report
from app.domain.reports import ReportMonth
from app.messages.tables import Figure, plain_dollars
from app.repositories import unit_of_work
from app.services.operations.report_csv import csv_header, csv_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.books import MonthReport
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


async def report_month(services: Services, *, month: str) -> MonthReport:
    """Return the report of a month (`YYYY-MM`, in the billing zone); of the current one, to date.

    :raises InvalidMonth: when the text is no month.
    :raises MonthNotBegun: when it is in the future.
    """
    found = ReportMonth.parse(month, services.clock.now())

    async def work(uow: UnitOfWork) -> MonthReport:
        sums = await uow.ledger.sums_by_kind(found.begins_at, found.ends_at)
        before = {kind: cents for kind, (cents, _) in sums.items()}
        within = {kind: cents for kind, (_, cents) in sums.items()}
        settlements = await uow.settlements.between(found.begins_at, found.ends_at)
        return month_report(found, before, within, settlements)

    return await unit_of_work.read(services.database, work)


def csv_text(report: MonthReport) -> str:
    """Return a report as CSV: month, book, entry, dollars; a book's entries add up from its opening to its closing."""
    month = Figure(report.month.text)
    rows = [(month, name, entry, plain_dollars(cents)) for name, entry, cents in _entries(report)]
    rows += [(month, "gateway", entry, figure) for entry, figure in settlement_rows(report)]
    return csv_header("month", "book", "entry", "amount") + csv_rows(rows, is_closed=report.month.is_closed)


def _entries(report: MonthReport) -> Iterator[tuple[str, str, int]]:
    for book in report.books:
        yield book.name, "opening", book.opening_cents
        yield from ((book.name, entry, cents) for entry, cents in book.movements)
        yield book.name, "closing", book.closing_cents


def settlement_rows(report: MonthReport) -> list[tuple[str, Figure]]:
    """Return what the gateway has settled, as entries with their figures: counts, and plain dollars."""
    found = report.settlements
    return [
        ("settlements matched", Figure(found.matched_count)),
        ("amount matched", plain_dollars(found.matched_cents)),
        ("settlements not matched", Figure(found.unmatched_count)),
        ("amount not matched", plain_dollars(found.unmatched_cents)),
    ]
