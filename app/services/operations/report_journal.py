"""The journal of a month: every posting as double entry, and what it makes of open invoices and credit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from app.domain.periods import BILLING_ZONE
from app.domain.reports import ReportMonth
from app.messages.tables import Figure, plain_dollars
from app.repositories import unit_of_work
from app.services.operations.rebuild_balances import rebuild_balances
from app.services.operations.report_csv import csv_header, csv_rows
from app.views.journal import JournalEntry

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from app.domain.customer_balances import CustomerBalances
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

JOURNAL_COLUMNS = (
    "posted_at",
    "posted_at_utc",
    "account",
    "invoice",
    "payment",
    "kind",
    "debit",
    "credit",
    "amount",
)
"""The columns of an entry; the first is wall-clock time in the billing zone, the last dollars."""

OnEntries: TypeAlias = Callable[[ReportMonth, Sequence[JournalEntry]], None]
"""Takes entries as they are read, in their order; the first time none, so that a heading can be written."""


@dataclass(frozen=True, slots=True)
class JournalReport:
    """What the entries of a month made of what customers owe, by the journal and rebuilt from documents."""

    month: ReportMonth
    balances: CustomerBalances


async def report_journal(services: Services, *, month: str, on_entries: OnEntries) -> JournalReport:
    """Hand over every posting of a month (`YYYY-MM`, in the billing zone), some at a time, and return its balances.

    Entries and balances are of one snapshot: the opening balance and the entries add up to the closing one. Six
    statements, whatever the number of postings.
    :raises InvalidMonth: when the text is no month.
    :raises MonthNotBegun: when it is in the future.
    """
    found = ReportMonth.parse(month, services.clock.now())

    async def work(uow: UnitOfWork) -> JournalReport:
        on_entries(found, ())
        async for entries in uow.reports.journal(found.begins_at, found.ends_at):
            on_entries(found, entries)
        return JournalReport(found, await rebuild_balances(uow, found))

    return await unit_of_work.read(services.database, work)


def csv_of(month: ReportMonth, entries: Sequence[JournalEntry]) -> str:
    """Return entries as CSV, as `OnEntries` gets them: the header for the first call, then rows."""
    return csv_rows(map(_row, entries), is_closed=month.is_closed) if entries else csv_header(*JOURNAL_COLUMNS)


def _row(entry: JournalEntry) -> tuple[str, ...]:
    return (*cells_of(entry), plain_dollars(entry.amount_cents))


def cells_of(entry: JournalEntry) -> Iterator[str]:
    """Yield everything of an entry but its amount."""
    yield Figure(_written(entry.posted_at.astimezone(BILLING_ZONE)))
    yield Figure(_written(entry.posted_at) + "Z")
    yield entry.account
    yield Figure(entry.invoice_number or "")
    yield entry.payment_reference or ""
    yield entry.kind
    yield entry.debit
    yield entry.credit


def _written(at: datetime) -> str:
    return at.replace(tzinfo=None).isoformat(" ", "seconds")
