"""What tests of the accountant's reports share: a month's journal, and balances that documents have to bear out."""

from __future__ import annotations

import csv
import io

from app.ports import Clock
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.operations.report_journal import JournalReport, csv_of, report_journal
from app.services.operations.report_month import report_month
from tests.fakes.edge import CountingIds
from tests.services.books import connection


async def journal(database: Database, clock: Clock, month: str) -> tuple[str, JournalReport]:
    """The CSV of a month, and the report."""
    pieces: list[str] = []
    found = await report_journal(
        Services(database, clock, CountingIds()), month=month, on_entries=lambda *given: pieces.append(csv_of(*given))
    )
    return "".join(pieces), found


async def agreed(database: Database, clock: Clock, month: str) -> JournalReport:
    """The report of a month, whose balances must agree with the documents and with the month's report."""
    _, found = await journal(database, clock, month)
    assert found.balances.agrees, found.balances
    books = await report_month(Services(database, clock, CountingIds()), month=month)
    assert found.balances.open_cents == books.receivable.closing_cents
    assert found.balances.credit_cents == books.credit.closing_cents
    assert found.balances.opening.journal_cents == books.receivable.opening_cents - books.credit.opening_cents
    return found


def rows(text: str) -> list[dict[str, str]]:
    """The rows of a report's CSV by column."""
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def tamper(database: Database, statement: str) -> None:
    """Change what is frozen, as a fault in storage would."""
    with connection(database) as opened:
        triggers = opened.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        for name, _ in triggers:
            opened.execute(f'DROP TRIGGER "{name}"')
        opened.execute(statement)
        for _, sql in triggers:
            opened.execute(sql)
        opened.commit()
