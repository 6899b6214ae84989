"""What is issued, recorded or posted is frozen by the database itself, on both engines (rule 27)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.migrations.triggers import FREEZES
from app.repositories.database import Database
from tests.factories.calls import a_call
from tests.world import World, pacific


@pytest.fixture
async def frozen(migrated_url: str) -> AsyncIterator[Database]:
    """One account with an invoice of $139.00 that is open, a call, and a check of $39.00."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 14, 12))
    await world.add_calls(a_call(started_at=pacific(2026, 7, 13)))
    await world.pay(39_00)
    yield database
    await database.close()


async def run(database: Database, statement: str) -> None:
    await database.run_tx(lambda session: session.exec(text(statement)))


async def content(database: Database, table: str) -> list[tuple[Any, ...]]:
    async def work(session: Any) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in await session.exec(text(f"SELECT * FROM {table} ORDER BY 1, 2"))]

    return await database.read_tx(work)


INVOICE_CHANGES = {
    "id": "'inv_other'",
    "account_id": "'acc_other'",
    "account_name": "'Other'",
    "kind": "NULL",
    "status": "'DRAFT'",
    "number": "number + 1",
    "period_on": "'2026-09-01'",
    "plan_version_id": "'plan_220_2020'",
    "corrects_invoice_id": "id",
    "policies_version": "'1899-01'",
    "engine_version": "engine_version + 1",
    "usage_watermark": "usage_watermark + 1",
    "ledger_watermark": "ledger_watermark + 1",
    "total_cents": "total_cents - 1",
    "credit_applied_cents": "credit_applied_cents + 1",
    "amount_due_cents": "amount_due_cents - 1",
    "facts_hash": "'x'",
    "content_hash": "'x'",
    "issued_at": "NULL",
    "due_on": "NULL",
}

_SAID = "account_id, kind, period_on, quantity, unit, unit_price, amount_cents, rule, inputs"
LINE_COPY = f"""
INSERT INTO invoice_line (invoice_id, position, {_SAID}) SELECT invoice_id, position + 1, {_SAID} FROM invoice_line
"""

_COLUMNS = (
    "account_name, kind, plan_version_id, policies_version, engine_version, usage_watermark, ledger_watermark, "
    "total_cents, credit_applied_cents, amount_due_cents, facts_hash, content_hash"
)
DRAFT = f"""
INSERT INTO invoice (id, account_id, status, period_on, {_COLUMNS})
SELECT 'inv_draft', account_id, 'DRAFT', '2026-08-01', {_COLUMNS} FROM invoice
"""
DRAFT_LINE = LINE_COPY.replace("SELECT invoice_id, position + 1", "SELECT 'inv_draft', 1")

# the table, what is tried, and what the database says
FORBIDDEN: list[tuple[str, str, str]] = [
    *(
        ("invoice", f"UPDATE invoice SET {column} = {value}", "an issued invoice never changes")
        for column, value in INVOICE_CHANGES.items()
    ),
    ("invoice", "DELETE FROM invoice", "an issued invoice is never deleted"),
    ("invoice_line", "UPDATE invoice_line SET amount_cents = 1", "a line of an issued invoice never changes"),
    ("invoice_line", "UPDATE invoice_line SET inputs = '{}'", "a line of an issued invoice never changes"),
    ("invoice_line", "DELETE FROM invoice_line", "a line of an issued invoice is never deleted"),
    ("invoice_line", LINE_COPY, "an issued invoice gets no new line"),
    *(
        (table, statement.format(table), f"{table} is append-only")
        for table, column in (("call", "seq"), ("ledger_posting", "seq"), ("payment", "id"), ("event", "id"))
        for statement in (f"UPDATE {{}} SET {column} = {column}", "DELETE FROM {}")
    ),
]


class TestFrozen:
    async def test_rule_27_nothing_of_it_changes_and_nothing_goes(self, frozen):
        """Every statement over one database, for a database of PostgreSQL takes a while to make."""
        for table, statement, message in FORBIDDEN:
            before = await content(frozen, table)
            assert len(before) > 0
            with pytest.raises(DBAPIError, match=message):
                await run(frozen, statement)
            assert await content(frozen, table) == before, statement

    async def test_rule_27_status_and_payment_move(self, frozen):
        await run(frozen, "UPDATE invoice SET status = 'PAID', paid_at = issued_at")
        await run(frozen, "UPDATE invoice SET status = 'UNCOLLECTIBLE', paid_at = NULL")

        found = await frozen.read_tx(lambda session: session.exec(text("SELECT status, paid_at FROM invoice")))
        assert [tuple(row) for row in found] == [("UNCOLLECTIBLE", None)]

    async def test_rule_27_a_line_of_a_draft_cannot_be_moved_to_an_issued_invoice(self, frozen):
        await run(frozen, DRAFT)
        await run(frozen, DRAFT_LINE)

        with pytest.raises(DBAPIError, match="a line of an issued invoice never changes"):
            await run(
                frozen,
                "UPDATE invoice_line SET position = 2, invoice_id = (SELECT id FROM invoice WHERE number = 100001) "
                "WHERE invoice_id = 'inv_draft'",
            )

        await run(frozen, "DELETE FROM invoice_line WHERE invoice_id = 'inv_draft'")
        await run(frozen, "DELETE FROM invoice WHERE status = 'DRAFT'")

    async def test_every_trigger_has_been_tried(self):
        named = {freeze.message for freezes in FREEZES.values() for freeze in freezes}

        assert {message for _, _, message in FORBIDDEN} == named

    async def test_every_column_of_an_invoice_but_status_and_payment_has_been_tried(self, frozen):
        columns = "SELECT * FROM invoice"

        found = await frozen.read_tx(lambda session: session.exec(text(columns)))

        assert set(found.keys()) - set(INVOICE_CHANGES) == {
            "paid_at",
            "balance_cents",
            "written_off_cents",
        }
