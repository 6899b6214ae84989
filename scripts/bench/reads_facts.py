"""What the reads and growth benches read: accounts with years of invoices, and one invoice of 200 lines."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from app.domain.accounts import Role
from app.domain.ledger import PaymentKind
from app.domain.payment_gateway import MethodKind, VaultedMethod
from app.domain.periods import Period, billing_instant
from app.gateways.ids import RandomIds
from app.repositories import unit_of_work
from app.sandbox.clock import SeedingClock
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.record_payment import record_payment
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from app.services.usage.call_items import read_call_item
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.services.usage.record_calls import Item, record_calls
from scripts.bench.cards import put_on_file
from scripts.bench.databases import connect, make_tables, open_new
from scripts.bench.row_copies import RowCopier, without_triggers

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path


MONTH = Period.parse("2026-10")
NOW = datetime(2026, 10, 28, 7, 30, tzinfo=UTC)
"""Half past midnight in the billing zone: the day's own jobs are hours away. The servers' clocks go on from here."""

READER, OTHER = "READS000000", "OTHER000000"
SUBJECT, OTHER_SUBJECT = "reads000000", "other000000"
"""The names of what is copied. A copy has its number in place of the six digits."""

PLAN = "500"
LINES = 200
MOST_MADE, MOST_CALLS = 20, 20
"""So many invoices are issued by the product; those before are copies of the first. As many calls are of this month."""

LIVE_SECONDS, PATCH_SECONDS, IVR_SECONDS = 36_000, 5_400, 2_700
"""The usage of each month, a little beyond the allowance: no plan is outgrown."""

_OTHER_DAY = (
    f"source.{{0}}_seconds + (source.on_date >= '{MONTH.starts_on}') "
    "* ((n * 31 + substr(source.on_date, 9) * 7) % {1})"
)
"""The usage of this month is another one in each copy, as it would be: who remembers written values gains less."""

_OWN = "SELECT id, {} FROM account WHERE external_id = ?"

_NOT_COPIED = {"notification", "idempotency_key"}
_OF_OTHERS = ("account", "membership", "billing_cycle", "invoice", "invoice_line", "ledger_posting", "usage_day")


def make_reads_database(path: Path, *, invoices: int, calls: int, accounts: int, readers: int = 1) -> None:
    """Make a database with so many accounts, of which `readers` have so many invoices and calls.

    The newest invoice of a reader has 200 lines and is partly paid, the others are paid. 20 calls are of this month,
    the others lie before the months that may still be billed; there are two more of each month that the product bills.
    The other accounts have an invoice and a day of usage. Nothing is due, and no message waits, so that a server has
    nothing else to do.
    """
    make_tables(path)
    asyncio.run(_make(path, min(invoices, MOST_MADE), min(calls, MOST_CALLS)))
    with closing(connect(path)) as connection:
        _calm(connection)
        copier = RowCopier(connection)
        connection.execute("BEGIN IMMEDIATE")
        with without_triggers(connection):
            _copy_invoices(connection, copier, invoices - MOST_MADE)
            _copy_calls(connection, copier, calls - MOST_CALLS)
            _copy_account(copier, READER, readers - 1)
            _copy_account(copier, OTHER, accounts - readers - 1, _OF_OTHERS)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


async def _make(path: Path, months: int, calls: int) -> None:
    database = await open_new(path)
    first = MONTH.shifted(1 - months)
    clock = SeedingClock(billing_instant(first.starts_on, time(12)))
    services = Services(database, clock, RandomIds())
    await _open_account(services, READER, SUBJECT, first.starts_on)
    for back in range(months - 1, 0, -1):
        month = MONTH.shifted(-back)
        await _bill(services, path)
        clock.move_to(billing_instant(month.ends_before - timedelta(days=1), time(20)))
        await _record(services, READER, month.starts_on, count=2)
        if back == 1:
            await _add_charges(services, path)
        clock.move_to(billing_instant(month.ends_before, time(12)))
    await close_periods(services)
    await _open_account(services, OTHER, OTHER_SUBJECT, MONTH.starts_on)
    await close_periods(services)
    clock.move_to(NOW)
    await _pay(services, 100_00, "100 dollars")
    await _record(services, READER, MONTH.starts_on, count=calls)
    await _record(services, OTHER, MONTH.starts_on, count=1)
    await _add_card(services)
    await database.close()


async def _open_account(services: Services, name: str, subject: str, since: date) -> None:
    member = Member(subject, f"{subject}@example.com", "Avery Reader", Role.ADMIN)
    particulars = AccountParticulars(name, "Harbor Dental Group", PLAN, None, since, (member,))
    await put_account(services, particulars=particulars, actor="bench")


async def _bill(services: Services, path: Path) -> None:
    """Issue what is due, and pay it by check."""
    await close_periods(services)
    with closing(connect(path)) as connection:
        number, cents = connection.execute(
            "SELECT number, amount_due_cents FROM invoice WHERE status = 'OPEN'"
        ).fetchone()
    await _pay(services, cents, f"check {number}")


async def _pay(services: Services, cents: int, reference: str) -> None:
    await record_payment(
        services,
        Caller(READER, "staff:bench"),
        kind=PaymentKind.CHECK,
        amount_cents=cents,
        reference=reference,
        received_on=services.clock.now().date(),
        reason="It came in the mail",
    )


async def _record(services: Services, account: str, first_on: date, *, count: int) -> None:
    """Record calls spread over the month's first days, which add up to the same whatever their number is."""
    calls = enumerate(_calls(account, first_on, count))
    items = [Item(place, read_call_item(call, "bench"), None) for place, call in calls]
    await record_calls(services, source="bench", items=items, actor="bench")


def _calls(account: str, first_on: date, count: int) -> Iterator[dict[str, str | int]]:
    for place in range(count):
        at = billing_instant(first_on + timedelta(days=place % 27), time(9 + place // 27 % 8, place % 60))
        yield {
            "eventId": f"{account}-{first_on}-{place}",
            "account": account,
            "startedAt": at.isoformat(),
            "scriptSeconds": LIVE_SECONDS // count - 7,
            "recordingSeconds": LIVE_SECONDS // count,
            "patchSeconds": PATCH_SECONDS // count,
            "ivrSeconds": IVR_SECONDS // count,
            "disposition": "message taken",
        }


async def _add_charges(services: Services, path: Path) -> None:
    """Let so many charges wait that the next invoice has 200 lines with its base and the three kinds of usage."""
    added = await add_charge(
        services,
        Caller(READER, "staff:bench"),
        title="Message forwarding, office 1",
        amount_cents=1_00,
        reference="forwarding",
        reason="Agreed by phone",
    )
    with closing(connect(path)) as connection:
        copier = RowCopier(connection)
        copier.begin([added.charge_id], LINES - 5, are_copied_again=True)
        copier.copy(
            "extra_charge",
            f"source.id = '{added.charge_id}'",
            title="'Message forwarding, office ' || (n + 1)",
            amount_cents="source.amount_cents + 37 * n",
        )


async def _add_card(services: Services) -> None:
    owner = await unit_of_work.read(services.database, lambda uow: uow.accounts.get_by_external_id(READER))
    method_id = services.ids.new("pm")
    card = VaultedMethod(method_id, owner.id, MethodKind.CARD, "Visa", "1881", 12, 2099, "Avery Reader", "97201")
    await put_on_file(services, owner.id, method_id, card)


def _calm(connection: sqlite3.Connection) -> None:
    """Leave nothing to be sent, collected or looked at."""
    connection.execute("DELETE FROM notification")
    connection.execute("UPDATE account SET checked_usage_seq = usage_seq")
    connection.execute(
        "UPDATE collection SET status = 'IDLE', next_action_at = NULL, next_attempt_at = NULL, late_fee_at = NULL, "
        "warn_at = NULL, suspend_at = NULL WHERE status <> 'DONE'"
    )


def _copy_account(copier: RowCopier, name: str, copies: int, tables: Sequence[str] = ()) -> None:
    """Copy an account with its people and all that it has, or with what is in these tables."""
    if copies < 1:
        return
    (account,) = copier.names("SELECT id FROM account WHERE external_id = ?", name)
    owning = [table for table in copier.tables_with("account_id") if table not in _NOT_COPIED]
    people = "SELECT user_id FROM membership WHERE account_id = ?"
    named = [account, name, *copier.names(f"SELECT subject FROM app_user WHERE id IN ({people})", account)]
    named += copier.names(people, account)
    for table in set(owning) & set(copier.tables_with("id")):
        named += copier.names(f'SELECT id FROM "{table}" WHERE account_id = ?', account)
    copier.begin(named, copies)
    copier.copy("app_user", f"source.id IN (SELECT user_id FROM membership WHERE account_id = '{account}')")
    copier.copy("account", f"source.id = '{account}'")
    special = {
        "invoice": {"number": "source.number + 200000 * n"},
        "call": {"event_id": "source.event_id || '-' || tag"},
        "usage_day": {"live_seconds": _OTHER_DAY.format("live", 240), "patch_seconds": _OTHER_DAY.format("patch", 40)},
    }
    for table in owning:
        if not tables or table in tables:
            copier.copy(table, f"source.account_id = '{account}'", **special.get(table, {}))


def _copy_invoices(connection: sqlite3.Connection, copier: RowCopier, copies: int) -> None:
    """Copy the first invoice of the reader, with its payment, into the months before it."""
    if copies < 1:
        return
    account, ledger_seq = connection.execute(_OWN.format("ledger_seq"), (READER,)).fetchone()
    (invoice,) = copier.names("SELECT id FROM invoice WHERE account_id = ? ORDER BY number LIMIT 1", account)
    payments = copier.names("SELECT payment_id FROM ledger_posting WHERE invoice_id = ? AND payment_id > ''", invoice)
    about = ", ".join(f"'{name}'" for name in (invoice, *payments))
    events = copier.names(f"SELECT id FROM event WHERE subject_id IN ({about})")
    copier.begin([invoice, *payments, *events], copies, are_copied_again=True)
    before = {"period_on": "date(source.period_on, -n || ' months')"}
    (lowest,) = connection.execute("SELECT min(number) FROM invoice").fetchone()
    copier.copy("invoice", f"source.id = '{invoice}'", number=f"{lowest} - n", **before)
    copier.copy("payment", f"source.id IN ({about})", reference="source.reference || '-' || tag")
    copier.copy("event", f"source.subject_id IN ({about})")
    for table in set(copier.tables_with("invoice_id")) - _NOT_COPIED:
        seq = {"seq": f"{ledger_seq} + 10 * n + source.seq"} if table == "ledger_posting" else {}
        copier.copy(table, f"source.invoice_id = '{invoice}'", **before, **seq)
    connection.execute("UPDATE account SET ledger_seq = ? WHERE id = ?", (ledger_seq + 10 * (copies + 1), account))
    connection.execute(
        "INSERT OR IGNORE INTO billing_cycle SELECT account_id, period_on, plan_version_id, issued_at FROM invoice "
        "WHERE account_id = ? AND kind = 'CYCLE'",
        (account,),
    )


def _copy_calls(connection: sqlite3.Connection, copier: RowCopier, copies: int) -> None:
    """Copy a call of the reader into the year that ended 120 days ago, and add up the days."""
    if copies < 1:
        return
    account, usage_seq = connection.execute(_OWN.format("usage_seq"), (READER,)).fetchone()
    copier.begin([], copies)
    copier.copy(
        "call",
        f"source.account_id = '{account}' AND source.seq = {usage_seq}",
        seq=f"{usage_seq} + n",
        event_id="source.event_id || '-' || n",
        on_date="date(source.on_date, -(120 + n % 365) || ' days')",
        started_at="strftime('%Y-%m-%d %H:%M:%f000', source.started_at, "
        "-(120 + n % 365) || ' days', (n / 365) || ' minutes')",
    )
    connection.execute(
        "INSERT OR IGNORE INTO usage_day SELECT account_id, on_date, date(on_date, 'start of month'), "
        "sum(live_seconds), sum(patch_seconds), sum(ivr_seconds), count(*), 0, max(started_at) FROM call "
        "WHERE account_id = ? GROUP BY on_date",
        (account,),
    )
    seq = usage_seq + copies
    connection.execute("UPDATE account SET usage_seq = ?, checked_usage_seq = ? WHERE id = ?", (seq, seq, account))
