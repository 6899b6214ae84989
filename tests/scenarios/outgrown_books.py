"""Books with a month to close that every account has outgrown: made once on either engine, copied, read, compared."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlalchemy import make_url

from app.domain.accounts import Role
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.usage.put_account import AccountParticulars, Member, put_account
from tests.factories.calls import a_call
from tests.postgres import fresh_database
from tests.world import World, pacific

NOW = pacific(2026, 8, 1, 7)
"""An hour after the cycle invoices of August, which close July, fall due."""

PLANS = ("economy", "100")
CALLS_IN_A_BATCH = 500
WITH_CREDIT, ABOUT_TO_STAY = 7, 5
"""One account in so many has paid ahead, or has had three upgrades, so that the next one stays."""

PARTS = {
    "account": """
        SELECT external_id, plan_version_id, upgrade_count, next_cycle_on, next_close_at, ledger_seq, usage_seq
        FROM account""",
    "month": """
        SELECT external_id, period_on, cycle.plan_version_id
        FROM billing_cycle AS cycle JOIN account ON account.id = account_id""",
    "invoice": """
        SELECT external_id, kind, period_on, invoice.status, invoice.plan_version_id, total_cents,
               credit_applied_cents, amount_due_cents, usage_watermark, ledger_watermark, facts_hash, content_hash
        FROM invoice JOIN account ON account.id = account_id""",
    "line": """
        SELECT external_id, invoice.kind, invoice.period_on, position, line.kind, line.period_on, quantity, unit,
               unit_price, amount_cents, rule, CAST(inputs AS TEXT)
        FROM invoice_line AS line JOIN invoice ON invoice.id = invoice_id
             JOIN account ON account.id = line.account_id""",
    "posting": """
        SELECT external_id, seq, kind, amount_cents, grant_seq
        FROM ledger_posting JOIN account ON account.id = account_id""",
    "upgrade": """
        SELECT external_id, CAST(data AS TEXT)
        FROM event JOIN account ON account.id = account_id WHERE kind = 'plan.upgraded'""",
    "events": """
        SELECT external_id, kind, count(*) FROM event JOIN account ON account.id = account_id GROUP BY 1, 2""",
    "messages": """
        SELECT external_id, kind, count(*) FROM notification JOIN account ON account.id = account_id GROUP BY 1, 2""",
    "collection": """
        SELECT external_id, count(*) FROM collection JOIN account ON account.id = account_id GROUP BY 1""",
}
"""What is compared, without ids and numbers: each select begins with the account."""

Books = dict[str, list[tuple[Any, ...]]]
"""Everything that is compared, by account."""


class DueBooks(Protocol):
    """A database that is never opened, only copied."""

    def copied(self) -> AbstractContextManager[str]:
        """Give the URL of a copy, which is gone at the end."""


@dataclass(frozen=True)
class SqliteBooks:
    """A SQLite file."""

    path: Path

    @contextmanager
    def copied(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(dir=self.path.parent) as folder:
            yield f"sqlite:///{shutil.copyfile(self.path, Path(folder) / 'copy.db')}"


@dataclass(frozen=True)
class PostgresBooks:
    """A database on a PostgreSQL server."""

    server_url: str
    name: str

    def copied(self) -> AbstractContextManager[str]:
        return fresh_database(self.server_url, template=self.name)


@asynccontextmanager
async def sqlite_books(accounts: int, folder: Path) -> AsyncIterator[DueBooks]:
    """Make the books on SQLite."""
    path = folder / "due.db"
    await _make(f"sqlite:///{path}", accounts)
    yield SqliteBooks(path)


@asynccontextmanager
async def postgres_books(accounts: int, server_url: str) -> AsyncIterator[DueBooks]:
    """Make the books on a PostgreSQL server."""
    with fresh_database(server_url) as url:
        await _make(url, accounts)
        yield PostgresBooks(server_url, str(make_url(url).database))


async def _make(url: str, accounts: int) -> None:
    upgrade(url)
    database = Database.open(url)
    try:
        world = await World.create(database)
        for at in range(accounts):
            await _open_account(world, at)
        await world.close_now()
        world.clock.instant = NOW
        await _record_calls(world, accounts)
    finally:
        await database.close()


async def _open_account(world: World, at: int) -> None:
    name = f"AA{at:04d}"
    person = Member(f"admin-{at}", f"admin-{at}@example.com", "Ann Ames", Role.ADMIN)
    particulars = AccountParticulars(name, f"Clinic {at}", PLANS[at % 2], None, date(2026, 7, 1), (person,))
    account = (await put_account(world.services, particulars=particulars, actor="test")).account
    if at % WITH_CREDIT == 0:
        await world.pay(250_00 + at, account=name)
    if at % ABOUT_TO_STAY == 0:
        await unit_of_work.write(world.database, lambda uow: _count_three_upgrades(uow, account.id))


async def _count_three_upgrades(uow: unit_of_work.UnitOfWork, account_id: str) -> None:
    for _ in range(3):
        await uow.account_plans.count_upgrade(account_id)


async def _record_calls(world: World, accounts: int) -> None:
    calls = [
        a_call(
            event_id=str(at),
            account=f"AA{at:04d}",
            started_at=pacific(2026, 7, 3 + at % 25, 9),
            script_seconds=60 * (180 + 37 * at % 2_000),
            patch_seconds=at,
        )
        for at in range(accounts)
    ]
    for first in range(0, accounts, CALLS_IN_A_BATCH):
        await world.add_calls(*calls[first : first + CALLS_IN_A_BATCH])


def read_books(url: str) -> Books:
    """Return everything that is compared."""
    books: Books = defaultdict(list)
    for name, statement in PARTS.items():
        for account, *row in select(url, statement):
            books[account].append((name, *row))
    return {account: sorted(rows, key=repr) for account, rows in books.items()}


def read_numbers(url: str) -> list[int]:
    """Return the numbers of all invoices, in order."""
    return [number for (number,) in select(url, "SELECT number FROM invoice ORDER BY number")]


def count_due(url: str) -> int:
    """Return how many accounts have a month to close."""
    return len(select(url, "SELECT id FROM account WHERE next_cycle_on <= '2026-08-01'"))


def overage_cents(books: Books, account: str) -> int:
    """Return what the account was invoiced for minutes above its allowance."""
    lines = [row for row in books.get(account, ()) if row[0] == "line" and row[4] == "OVERAGE"]
    return sum(row[9] for row in lines)


def select(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Return the rows of a select, read past the product."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(make_url(url).database))) as books:
            return books.execute(statement).fetchall()
    with psycopg.connect(url) as books:
        return books.execute(statement).fetchall()
