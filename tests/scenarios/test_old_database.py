"""A database of each earlier revision, kept as text, is brought up to date with every row, and its books agree."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from app.domain.invoice_drafts import InvoiceStatus
from app.migrations.upgrade import head_revision, upgrade
from app.repositories.database import Database
from app.services.invoices.settle_credit import settle_waiting_credit
from app.services.operations.verify import verify
from tests.data.make_dump import FOLDER, dump_path, make_dump
from tests.services.accountant import agreed
from tests.world import SettableClock, World, pacific

MISSED = "upgrade of 20"
GIVEN_BACK = "given back beyond what was billed"
WARNINGS = {
    "database-0001": {MISSED: 5},
    "database-0005": {GIVEN_BACK: 3, "invoiced in all": 4, "credit beside the write-off": 1},
}
"""What engine 1 got wrong. The first release had no automatic upgrades, the last gave $460.00, $260.00 and $460.00 back
beyond what it had billed, and kept $99.80 of tax that went with a charge it took back.
"""

TELLS_REFUNDS = "database-0008"

DUMPS = sorted(FOLDER.glob("database-*.sql"))
LARGEST_DUMP_BYTES = 300_000

KINDS = {
    "lines": "SELECT kind FROM invoice_line",
    "postings": "SELECT kind FROM ledger_posting",
    "invoices": "SELECT status FROM invoice",
    "totals": "SELECT sign(total_cents) FROM invoice",
    "quarantine": "SELECT reason FROM quarantined_call",
    "settled": "SELECT resolution FROM quarantined_call",
    "corrections": "SELECT corrects_seq IS NOT NULL FROM call",
    "free calls": "SELECT is_billable FROM call",
}


def counts(path: Path) -> dict[str, int]:
    """The number of rows of each table."""
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
        return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables}


def refunds_told(path: Path) -> int:
    """The number of subscriptions to a kind of message that revision 0008 adds: one for each admin."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM membership WHERE role = 'ADMIN'").fetchone()[0]


def load(dump: Path, path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(dump.read_text(encoding="utf-8"))


async def check_books(database: Database, dump: Path) -> None:
    """The books agree, but for what the release of the dump is known to have got wrong, with its amounts."""
    found = [each async for each in verify(database=database)]
    assert [each for each in found if not each.is_warning] == []
    expected = WARNINGS.get(dump.stem, {})
    assert Counter(words for each in found for words in expected if words in each.place) == expected
    assert len(found) == sum(expected.values())


async def settle(database: Database) -> None:
    """The first run of this release: credit that waits beside open invoices pays them."""
    world = World(database, pacific(2027, 4, 6))
    world.ids.count = 900_000
    await settle_waiting_credit(world.services)


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
class TestDatabaseOfAnEarlierRevision:
    async def test_keeps_its_rows_and_its_books_agree_once_it_is_up_to_date(self, dump, tmp_path):
        path = tmp_path / "old.db"
        load(dump, path)
        before = counts(path)

        await asyncio.to_thread(upgrade, f"sqlite:///{path}")

        after = counts(path)
        renamed = {"tax_rate": "tax_list"}
        if "alert_subscription" in before and dump.stem < TELLS_REFUNDS:
            before["alert_subscription"] += refunds_told(path)
        assert {table: after.get(renamed.get(table, table)) for table in before} == before
        database = Database.open(f"sqlite:///{path}", revision=head_revision())
        try:
            await database.check()
            await settle(database)
            await check_books(database, dump)
            await agreed(database, SettableClock(pacific(2027, 4, 6)), "2027-01")
        finally:
            await database.close()

    async def test_goes_on_being_billed(self, dump, tmp_path):
        path = tmp_path / "old.db"
        load(dump, path)
        await asyncio.to_thread(upgrade, f"sqlite:///{path}")
        database = Database.open(f"sqlite:///{path}")
        try:
            world = World(database, pacific(2027, 4, 6))
            world.ids.count = 1_000_000
            await settle(database)

            assert await world.advance_to(pacific(2027, 6, 2)) >= 8

            await check_books(database, dump)
        finally:
            await database.close()

    def test_is_small(self, dump):
        assert dump.stat().st_size <= LARGEST_DUMP_BYTES


class TestDumpOfTheFirstRevision:
    def test_holds_some_of_everything(self, tmp_path):
        load(dump_path("0001"), tmp_path / "old.db")

        assert [table for table, count in counts(tmp_path / "old.db").items() if count == 0] == []

    def test_holds_each_kind_of_line_of_posting_and_of_call_that_it_knew(self, tmp_path):
        load(dump_path("0001"), tmp_path / "kept.db")

        with closing(sqlite3.connect(tmp_path / "kept.db")) as connection:
            found = {name: {value for (value,) in connection.execute(statement)} for name, statement in KINDS.items()}

        assert found == {
            "lines": {"BASE", "OVERAGE", "PATCH", "IVR", "ADJUSTMENT"},
            "postings": {"INVOICED", "CREDIT_GRANTED", "CREDIT_APPLIED", "PAYMENT_RECEIVED", "OVERPAID"},
            "invoices": {InvoiceStatus.OPEN, InvoiceStatus.PAID},
            "totals": {-1, 1},
            "quarantine": {"UNKNOWN_ACCOUNT", "MALFORMED", "CONFLICT"},
            "settled": {None, "DISCARDED"},
            "corrections": {0, 1},
            "free calls": {0, 1},
        }

    async def test_a_dump_is_made_the_same_each_time(self):
        assert await make_dump() == await make_dump()
