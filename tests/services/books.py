"""The books behind a world: whole, tampered with, checked, and single invoices in short form."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from typing import Any

from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.events import StoredEvent
from app.repositories.invoices import StoredInvoice
from app.repositories.ledger import PostedPosting
from app.services.operations.verify import verify
from tests.world import ACCOUNT


@contextmanager
def connection(database: Database) -> Iterator[sqlite3.Connection]:
    """A second connection to the file, which knows nothing of the product."""
    with closing(sqlite3.connect(str(database._url.database))) as opened:
        yield opened


def dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with connection(database) as opened:
        tables = [
            name for (name,) in opened.execute("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
        ]
        return {table: sorted(opened.execute(f'SELECT * FROM "{table}"'), key=repr) for table in tables}


def rows(database: Database, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    """What a statement of SQL returns."""
    with connection(database) as opened:
        return opened.execute(statement, values).fetchall()


def tamper(database: Database, *statements: str) -> None:
    """Do what nobody may: without triggers and without foreign keys."""
    with connection(database) as opened:
        for (name,) in opened.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
            opened.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            assert opened.execute(statement).rowcount > 0, statement
        opened.commit()


async def differences(database: Database, **options: Any) -> list[tuple[str, str, str, str]]:
    """What `verify` finds: account, place, found, expected."""
    found = [each async for each in verify(database=database, **options)]
    return [(each.account, each.place, each.found, each.expected) for each in found]


async def invoices(database: Database, account: str = ACCOUNT) -> list[StoredInvoice]:
    """The invoices of an account by number."""

    async def work(uow: unit_of_work.UnitOfWork) -> list[StoredInvoice]:
        owner = await uow.accounts.get_by_external_id(account)
        return await uow.invoices.list_for_account(owner.id)

    return await unit_of_work.read(database, work)


async def lines(database: Database, account: str = ACCOUNT) -> list[list[tuple[str, str, int]]]:
    """Kind, month and cents of each line of each invoice."""
    return [
        [(str(line.kind), line.period.month, line.amount_cents) for line in invoice.lines]
        for invoice in await invoices(database, account)
    ]


async def postings(database: Database, account: str = ACCOUNT) -> list[PostedPosting]:
    async def work(uow: unit_of_work.UnitOfWork) -> list[PostedPosting]:
        owner = await uow.accounts.get_by_external_id(account)
        return await uow.ledger.postings(owner.id)

    return await unit_of_work.read(database, work)


async def events(database: Database, account: str = ACCOUNT) -> list[StoredEvent]:
    async def work(uow: unit_of_work.UnitOfWork) -> list[StoredEvent]:
        owner = await uow.accounts.get_by_external_id(account)
        return await uow.events.list_for_account(owner.id)

    return await unit_of_work.read(database, work)


def days(database: Database) -> dict[date, tuple[int, int, int, int, int]]:
    """The daily sums: live, patch and IVR seconds, calls, and calls that are free."""
    found = rows(
        database,
        "SELECT on_date, live_seconds, patch_seconds, ivr_seconds, call_count, free_call_count FROM usage_day",
    )
    return {date.fromisoformat(on): tuple(sums) for on, *sums in found}
