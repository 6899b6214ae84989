"""Page statements on SQLite: constants are spelled out, nothing is prepared twice, and what a page shows is found by an
index, however long the history of an account is.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.repositories.pages.activity import LAST_ID, activity_page
from app.repositories.pages.billing_summary import BILLING_SUMMARY
from app.repositories.pages.invoices import INVOICE, invoices_page
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.repositories.pages.payment_methods import PAYMENT_METHODS
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.pages.viewer import VIEWER
from app.repositories.reader import Page
from app.repositories.sql_json import JsonStatement, compile_json

LIST = invoices_page(has_status=False, has_month=False, is_detailed=True, is_counted=True)
PAGES: dict[str, Page[Any]] = {
    "summary": BILLING_SUMMARY,
    "next invoice": NEXT_INVOICE,
    "invoice": INVOICE,
    "invoices": LIST,
    "activity": activity_page(is_counted=True),
    "plan advice": PLAN_ADVICE,
    "payment methods": PAYMENT_METHODS,
    "viewer": VIEWER,
}
VALUES = {
    "account": "AA0101",
    "subject": "user",
    "since": date(2026, 7, 1),
    "before": date(2026, 8, 1),
    "invoice_id": "inv_1",
    "after_number": 2**63 - 1,
    "after_id": LAST_ID,
    "fetch": 26,
    "today": date(2026, 7, 1),
    "month": date(2026, 7, 1),
    "months_since": date(2025, 7, 1),
    "days_since": date(2026, 4, 1),
    "user": "user",
}
COUNTED = {"invoices-count": "ix_invoice_issued", "activity-count": "ix_event_shown"}
WHOLE_ACCOUNT = re.compile(r"SEARCH (ledger_posting|call|event)\S* USING (PRIMARY KEY|INDEX \S+) \(account_id=\?\)")
SCAN = re.compile(r"SCAN (?!part\b|plan_version\b|add_on_version\b|alert_kind\b|json_each\b|CONSTANT ROW|\(?subquery)")


@pytest.fixture
def connection(migrated_file: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(migrated_file)) as opened:
        yield opened


def parts() -> Iterator[Any]:
    for name, page in PAGES.items():
        for part, select in page.parts.items():
            yield pytest.param(compile_json(select, "sqlite"), id=f"{name}-{part}")


@pytest.mark.parametrize("part", list(parts()))
class TestPageStatements:
    def test_only_what_comes_from_outside_is_a_parameter(self, part: JsonStatement):
        """With a constant bound, SQLite prepares a statement anew at each run: partial indexes depend on its value."""
        constants = [slot.constant for slot in part.statement.slots if slot.name is None]
        assert set(constants) <= {0}  # the dialect's own OFFSET

    def test_are_prepared_once(self, part: JsonStatement, connection: sqlite3.Connection):
        """SQLite asks the authorizer whenever it prepares, and at no other time."""
        asked = []
        connection.set_authorizer(lambda *what: asked.append(what) or sqlite3.SQLITE_OK)
        values = part.statement.bind(VALUES)
        connection.execute(part.statement.sql, values).fetchall()
        assert asked
        asked.clear()
        for _ in range(3):
            connection.execute(part.statement.sql, values).fetchall()
        assert asked == []

    def test_find_what_they_show_by_an_index(self, part: JsonStatement, connection: sqlite3.Connection):
        explain = f"EXPLAIN QUERY PLAN {part.statement.sql}"
        plan = [row[3] for row in connection.execute(explain, part.statement.bind(VALUES))]
        assert [step for step in plan if SCAN.match(step) or WHOLE_ACCOUNT.match(step)] == []


@pytest.mark.parametrize("name", COUNTED)
def test_totals_are_counted_by_an_index_alone(name: str, connection: sqlite3.Connection):
    page, _, part = name.partition("-")
    statement = compile_json(PAGES[page].parts[part], "sqlite").statement
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bind(VALUES))]
    assert any(f"USING COVERING INDEX {COUNTED[name]} " in step for step in plan)


def test_open_invoices_are_found_by_their_index(connection: sqlite3.Connection):
    statement = compile_json(PLAN_ADVICE.parts["open_invoices"], "sqlite").statement
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement.sql}", statement.bind(VALUES))]
    assert "SEARCH invoice USING INDEX ix_invoice_open (account_id=?)" in plan
