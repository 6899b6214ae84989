"""The run-due bench's baseline: one transaction of set-based SQL that writes the same rows as the product.

SQLite does all arithmetic and builds all JSON. Four things it cannot do are Python functions: new ids (the product's
own), SHA-256, the time of the next run, and whether an account is in its first months. The hashes are real, over the
same text as the product's, made by SQLite's JSON functions, so the tables of both sides are equal to the last column.
It is quick because it sees all accounts at once, bills one month under one policy, and knows that nobody is a second
writer.
"""

from __future__ import annotations

from contextlib import closing
from datetime import date
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from app.domain.accounts import cycle_runs_at
from app.domain.collection import opened_collection
from app.domain.invoices import ENGINE_VERSION
from app.domain.periods import add_months, billing_date
from app.domain.policies import COLLECTION_POLICIES, policies_on
from app.gateways.ids import RandomIds
from app.repositories.invoices import FIRST_INVOICE_NUMBER
from scripts.bench.databases import connect, instant_text
from scripts.bench.run_due_facts import NOW
from scripts.bench.run_due_statements import STATEMENTS

if TYPE_CHECKING:
    import sqlite3
    from datetime import datetime
    from pathlib import Path

    from app.domain.collection import Collection


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
    late, early = (_dunning(date.fromisoformat(since)) for since in ("1990-01-01", "2999-01-01"))
    return {
        "late_fee_at": _text(late.late_fee_at),
        "warn_at": _text(late.warn_at),
        "suspend_at": _text(late.suspend_at),
        "early_warn_at": _text(early.warn_at),
        "early_suspend_at": _text(early.suspend_at),
        "now": instant_text(NOW),
        "today": billing_date(NOW).isoformat(),
        "engine": ENGINE_VERSION,
        "policies": policies.version,
        "patch_rate": policies.patch_rate,
        "ivr_rate": policies.ivr_rate,
        "first_number": FIRST_INVOICE_NUMBER,
        "nothing": "[[],[],0]",
    }


def _dunning(paid_starts_on: date) -> Collection:
    return opened_collection(
        invoice_id="",
        account_id="",
        due_on=billing_date(NOW),
        issued_at=NOW,
        paid_starts_on=paid_starts_on,
        policies=COLLECTION_POLICIES,
    )


def _text(instant: datetime | None) -> str | None:
    return None if instant is None else instant_text(instant)


def _add_functions(connection: sqlite3.Connection) -> None:
    @cache
    def closes_at(cycle_on: str, paid_starts_on: str) -> str:
        on = date.fromisoformat(cycle_on)
        return instant_text(cycle_runs_at(on, date.fromisoformat(paid_starts_on), policies_on(on)))

    @cache
    def is_early(paid_starts_on: str) -> bool:
        following = add_months(date.fromisoformat(paid_starts_on), COLLECTION_POLICIES.early_months)
        return following > billing_date(NOW)

    connection.create_function("is_early", 1, is_early, deterministic=True)
    connection.create_function("new_id", 1, RandomIds().new)
    connection.create_function("sha256", 1, lambda text: sha256(text.encode()).hexdigest(), deterministic=True)
    connection.create_function("closes_at", 2, closes_at, deterministic=True)
