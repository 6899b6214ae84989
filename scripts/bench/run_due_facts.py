"""What the run-due bench bills: made accounts with two billed months behind them, about to be billed a third time."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.periods import Period
from app.domain.policies import policies_on
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.gateways.ids import RandomIds
from app.repositories.accounts import adjustable_from
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from scripts.bench.databases import FixedClock, connect, instant_text, make_tables, open_new

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scripts.bench.databases import Value

FIRST_MONTH = Period.parse("2026-09")
NOW = datetime(2026, 11, 1, 15, 0, tzinfo=UTC)

TABLES = ("invoice", "invoice_line", "ledger_posting", "collection", "billing_cycle", "account", "event", "sequence")
"""What a cycle run writes."""

_LATE_EVERY, _CREDIT_EVERY, _PARTIAL_EVERY = 10, 8, 7
_INSERT_ACCOUNT = """
INSERT INTO account (
    id, external_id, name, status, paid_starts_on, plan_version_id, next_cycle_on, next_close_at, adjustable_from_on,
    usage_seq, ledger_seq, created_at
) VALUES (?,?,?,'ACTIVE',?,?,?,?,?,0,0,?)"""
_INSERT_DAY = "INSERT INTO usage_day VALUES (?,?,?,?,?,?,?,0,?)"
_INSERT_PAYMENT = "INSERT INTO payment VALUES (?,?,'CHECK',?,'bench','2026-10-20',?)"
_OVERPAY = """
INSERT INTO ledger_posting
SELECT id, ledger_seq + 1, 'OVERPAID', 'CASH', 'CUSTOMER_CREDIT', ?, NULL, ?, NULL, ? FROM account WHERE id = ?"""


def make_database(path: Path, accounts: int) -> None:
    """Make a database in which so many accounts are due.

    Every account has a month of usage, on plans of all sizes, with all kinds of seconds, a little beyond the allowance
    so that no plan is outgrown; one in ten has late calls in
    the month before, one in eight has credit, one in seven began within its first month.
    """
    make_tables(path)
    asyncio.run(_make(path, accounts))


async def _make(path: Path, count: int) -> None:
    database = await open_new(path)
    with closing(connect(path)) as connection:
        _write(connection, _INSERT_ACCOUNT, _accounts(count))
        ids = [row[0] for row in connection.execute("SELECT id FROM account ORDER BY external_id")]
        await close_periods(Services(database, FixedClock(datetime(2026, 9, 30, tzinfo=UTC)), RandomIds()))
        _write(connection, _INSERT_DAY, _days(ids, FIRST_MONTH, step=10))
        await close_periods(Services(database, FixedClock(datetime(2026, 10, 2, tzinfo=UTC)), RandomIds()))
        _write(connection, _INSERT_DAY, _days(ids, FIRST_MONTH.shifted(1), step=1))
        late = [(place % 5_000, account) for place, account in enumerate(ids) if place % _LATE_EVERY == 0]
        _write(connection, "UPDATE usage_day SET live_seconds = live_seconds + ? WHERE account_id = ? "
               "AND on_date = '2026-09-21'", late)  # fmt: skip
        _give_credit(connection, ids)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    await database.close()


def _accounts(count: int) -> Iterator[tuple[Value, ...]]:
    plans, ids = SEED_CATALOGUE.sold_on(FIRST_MONTH.starts_on), RandomIds()
    cycle_on = FIRST_MONTH.starts_on
    for place in range(count):
        paid_on = date(2026, 9, 1 + place % 28) if place % _PARTIAL_EVERY == 0 else cycle_on
        close_at = cycle_runs_at(cycle_on, paid_on, policies_on(cycle_on))
        plan = plans[place % len(plans)]
        name = f"Account {place}"
        yield (
            ids.new("acc"), f"BENCH{place:06}", name, paid_on.isoformat(), plan.id, cycle_on.isoformat(),
            instant_text(close_at), adjustable_from(cycle_on).isoformat(), instant_text(close_at),
        )  # fmt: skip


def _days(ids: list[str], month: Period, step: int) -> Iterator[tuple[Value, ...]]:
    plans = SEED_CATALOGUE.sold_on(FIRST_MONTH.starts_on)
    for place, account in enumerate(ids):
        allowance = plans[place % len(plans)].included_minutes * 60 // month.days
        for day in range(1, month.days + 1, step):
            live, patch, ivr = allowance + (place * 37 + day * 13) % 20, (place % 3) * 2, (place % 4) * 15
            on = f"{month.month}-{day:02}"
            yield account, on, month.starts_on.isoformat(), live, patch, ivr, 12, f"{on} 20:00:00.000000"


def _give_credit(connection: sqlite3.Connection, ids: list[str]) -> None:
    minted, at = RandomIds(), "2026-10-20 20:00:00.000000"
    lucky = [(500 + place * 7, minted.new("pay"), account) for place, account in enumerate(ids[::_CREDIT_EVERY])]
    _write(connection, _INSERT_PAYMENT, ((payment, account, cents, at) for cents, payment, account in lucky))
    _write(connection, _OVERPAY, ((cents, payment, at, account) for cents, payment, account in lucky))
    advance = "UPDATE account SET ledger_seq = ledger_seq + 1, credit_cents = credit_cents + ? WHERE id = ?"
    _write(connection, advance, ((cents, account) for cents, _, account in lucky))


def _write(connection: sqlite3.Connection, statement: str, rows: Iterable[tuple[Value, ...]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(statement, rows)
    connection.execute("COMMIT")
