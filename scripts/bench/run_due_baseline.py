"""The run-due bench's baseline: one transaction of set-based SQL that writes the same rows as the product.

SQLite does all arithmetic and builds all JSON. Three things it cannot do are Python functions: new ids (the product's
own), SHA-256, and the time of the next run. The hashes are real, over the same text as the product's, made by SQLite's
JSON functions, so the tables of both sides are equal to the last column. It is quick because it sees all accounts at
once, bills one month under one policy, and knows that nobody is a second writer.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from app.domain.accounts import cycle_runs_at
from app.domain.invoices import ENGINE_VERSION
from app.domain.periods import billing_date
from app.domain.policies import policies_on
from app.gateways.ids import RandomIds
from app.repositories.invoices import FIRST_INVOICE_NUMBER
from scripts.bench.databases import connect, instant_text
from scripts.bench.run_due_facts import NOW
from scripts.bench.run_due_statements import STATEMENTS

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def run_due(*, database: Path) -> int:
    """Bill every due account in one transaction and return how many invoices that were."""
    with closing(connect(database)) as connection:
        _add_functions(connection)
        connection.execute("PRAGMA temp_store=MEMORY")
        connection.execute("BEGIN IMMEDIATE")
        for statement in STATEMENTS:
            connection.execute(statement, _parameters())
        (issued,) = connection.execute("SELECT count(*) FROM due").fetchone()
        connection.execute("COMMIT")
    return int(issued)


@cache
def _parameters() -> dict[str, Any]:
    policies = policies_on(billing_date(NOW))
    return {
        "now": instant_text(NOW),
        "today": billing_date(NOW).isoformat(),
        "engine": ENGINE_VERSION,
        "policies": policies.version,
        "patch_rate": policies.patch_rate,
        "ivr_rate": policies.ivr_rate,
        "first_number": FIRST_INVOICE_NUMBER,
    }


def _add_functions(connection: sqlite3.Connection) -> None:
    @cache
    def closes_at(cycle_on: str, paid_starts_on: str) -> str:
        on = date.fromisoformat(cycle_on)
        return instant_text(cycle_runs_at(on, date.fromisoformat(paid_starts_on), policies_on(on)))

    connection.create_function("new_id", 1, RandomIds().new)
    connection.create_function("sha256", 1, lambda text: sha256(text.encode()).hexdigest(), deterministic=True)
    connection.create_function("closes_at", 2, closes_at, deterministic=True)
