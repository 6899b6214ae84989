"""The month's report of the whole business: what customers owe, and the credit they have, opening to closing."""

from __future__ import annotations

import csv
from io import StringIO
from typing import TYPE_CHECKING

from app.domain.books import month_report
from app.domain.periods import Period, day_starts_at
from app.repositories import unit_of_work

if TYPE_CHECKING:
    from app.domain.books import MonthReport
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork


async def report_month(*, database: Database, month: str) -> MonthReport:
    """Return the report of a month (`YYYY-MM`, in the billing zone); of the current one, to date.

    :raises InvalidMonth: when the text is no month.
    """
    period = Period.parse(month)
    begins_at, ends_at = day_starts_at(period.starts_on), day_starts_at(period.ends_before)

    async def work(uow: UnitOfWork) -> MonthReport:
        sums = await uow.ledger.sums_by_kind(begins_at, ends_at)
        before = {kind: cents for kind, (cents, _) in sums.items()}
        within = {kind: cents for kind, (_, cents) in sums.items()}
        settlements = await uow.collections.settlements(begins_at, ends_at)
        return month_report(period, before, within, settlements)

    return await unit_of_work.read(database, work)


def csv_text(report: MonthReport) -> str:
    """Return a report as CSV: month, book, entry and dollars; the entries of a book add up from opening to closing."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("month", "book", "entry", "amount"))
    for book in (report.receivable, report.credit):
        entries = (("opening", book.opening_cents), *book.movements, ("closing", book.closing_cents))
        writer.writerows((report.period.month, book.name, entry, _plain_dollars(cents)) for entry, cents in entries)
    writer.writerows((report.period.month, "gateway", entry, figure) for entry, figure in settlement_rows(report))
    return text.getvalue()


def settlement_rows(report: MonthReport) -> list[tuple[str, str]]:
    """Return what the gateway has settled, as entries with their figures: counts, and plain dollars."""
    found = report.settlements
    return [
        ("settlements matched", str(found.matched_count)),
        ("amount matched", _plain_dollars(found.matched_cents)),
        ("settlements not matched", str(found.unmatched_count)),
        ("amount not matched", _plain_dollars(found.unmatched_cents)),
    ]


def _plain_dollars(cents: int) -> str:
    whole, rest = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}{whole}.{rest:02d}"
