"""The check of the books: silent over every story, and precise about everything that somebody tampered with."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from app.repositories.accounts import AccountNotFound
from app.repositories.database import Database
from app.services.operations.running_balances import rebuild_running_balances
from tests.database import copied_database
from tests.factories.calls import a_call
from tests.services.books import differences, dump, tamper
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


@pytest.fixture(scope="module")
async def books_file(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two accounts. AA0101: 110 minutes in July, corrected and added to in August; a check leaves credit of $61.00.

    Invoices 100001 (AA0101, July), 100002 (AA0101, August), 100003 (AA0102, August), then September's.
    """
    async with copied_database(migrated_file, tmp_path_factory.mktemp("books")) as database:
        world = await World.create(database)
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 20))
        call = a_call(event_id="1", started_at=pacific(2026, 7, 12), script_seconds=110 * MINUTE)
        await world.add_calls(call)
        await world.pay(200_00, reference="4711")
        await world.advance_to(pacific(2026, 8, 1, 7))
        await world.add_account("AA0102", paid_since_on=date(2026, 8, 1))
        await world.advance_to(pacific(2026, 8, 10))
        await world.add_calls(
            a_call(event_id="2", started_at=pacific(2026, 7, 10), script_seconds=5 * MINUTE, patch_seconds=60),
            call._replace(event_id="3", script_seconds=109 * MINUTE, corrects="1"),
            a_call(event_id="4", started_at=pacific(2026, 8, 9), is_billable=False),
            a_call(event_id="5", account="AA0102", started_at=pacific(2026, 8, 9)),
        )
        await world.advance_to(pacific(2026, 9, 1, 7))
        return Path(str(database._url.database))


@pytest.fixture
async def books(books_file: Path, tmp_path: Path) -> AsyncIterator[Database]:
    async with copied_database(books_file, tmp_path) as database:
        yield database


class TestSoundBooks:
    async def test_nothing_is_reported(self, books):
        assert await differences(books) == []

    async def test_an_empty_database_is_sound(self, database):
        assert await differences(database) == []

    async def test_progress_is_told_account_by_account(self, books):
        seen: list[str] = []

        await differences(books, on_progress=lambda account: seen.append(account.external_id))

        assert seen == ["AA0101", "AA0102"]

    async def test_an_unknown_account_is_refused(self, books):
        with pytest.raises(AccountNotFound, match="There is no account 'nobody'"):
            await differences(books, account="nobody")


FIRST = "(SELECT id FROM invoice WHERE number = 100001)"
SECOND = "(SELECT id FROM invoice WHERE number = 100002)"
AA0101 = "(SELECT id FROM account WHERE external_id = 'AA0101')"
BASE_INPUTS = "days 31, paid_days 31, plan 100, plan_name 100 Minutes"
OVERAGE = "allowance_seconds 6000, live_seconds 6600, plan 100, plan_name 100 Minutes"

# what was done: the statements, then place, found and expected of every difference on AA0101
TAMPERING: dict[str, tuple[list[str], list[tuple[str, str, str]]]] = {
    "the amount of a line": (
        [f"UPDATE invoice_line SET amount_cents = 13900 - 1 WHERE invoice_id = {FIRST}"],
        [
            (
                "invoice 100001, line 1",
                f"BASE 2026-07 13899 (quantity 1 month, unit price 1390000, rule 11, {BASE_INPUTS})",
                f"BASE 2026-07 13900 (quantity 1 month, unit price 1390000, rule 11, {BASE_INPUTS})",
            ),
            ("base of 2026-07, price", "$138.99", "$139.00"),
            ("invoiced in all, still billed or written off", "$435.15", "$435.16"),
        ],
    ),
    "the quantity of a line": (
        [f"UPDATE invoice_line SET quantity = 601 WHERE invoice_id = {SECOND} AND position = 2"],
        [
            (
                "invoice 100002, line 2",
                f"OVERAGE 2026-07 1290 (quantity 601 second, unit price 12900, rule 7, {OVERAGE})",
                f"OVERAGE 2026-07 1290 (quantity 600 second, unit price 12900, rule 7, {OVERAGE})",
            )
        ],
    ),
    "the words of a line": (
        [f"UPDATE invoice_line SET inputs = json_set(inputs, '$.plan', '220') WHERE invoice_id = {FIRST}"],
        [
            (
                "invoice 100001, line 1",
                "BASE 2026-07 13900 (quantity 1 month, unit price 1390000, rule 11, "
                + BASE_INPUTS.replace("plan 100", "plan 220")
                + ")",
                f"BASE 2026-07 13900 (quantity 1 month, unit price 1390000, rule 11, {BASE_INPUTS})",
            )
        ],
    ),
    "a line added": (
        [
            (
                "INSERT INTO invoice_line SELECT invoice_id, 2, account_id, kind, period_on, quantity, unit, "
                f"unit_price, amount_cents, rule, inputs, taxes FROM invoice_line WHERE invoice_id = {FIRST}"
            )
        ],
        [
            (
                "invoice 100001, line 2",
                f"BASE 2026-07 13900 (quantity 1 month, unit price 1390000, rule 11, {BASE_INPUTS})",
                "no line",
            ),
            ("base of 2026-07, still billed", "$278.00", "$139.00"),
            ("base of 2026-07, between nothing and its price", "False", "True"),
            ("invoiced in all, still billed or written off", "$574.16", "$435.16"),
        ],
    ),
    "a total": (
        [f"UPDATE invoice SET total_cents = 13901 WHERE id = {FIRST}"],
        [
            ("invoice 100001, posted INVOICED", "13900", "13901"),
            ("invoice 100001, total", "13901", "13900"),
            ("invoiced in all, still billed or written off", "$435.16", "$435.17"),
        ],
    ),
    "the amount due": (
        [f"UPDATE invoice SET amount_due_cents = 1 WHERE id = {FIRST}"],
        [("invoice 100001, amount due", "1", "13900")],
    ),
    "a content hash": (
        [f"UPDATE invoice SET content_hash = 'x' WHERE id = {FIRST}"],
        [("invoice 100001, content", "x", "3c0d")],
    ),
    "a facts hash": (
        [f"UPDATE invoice SET facts_hash = 'x' WHERE id = {FIRST}"],
        [("invoice 100001, facts", "x", "")],
    ),
    "the engine of an invoice": (
        [f"UPDATE invoice SET engine_version = 7 WHERE id = {FIRST}"],
        [("invoice 100001", "engine 7", "one of engines 1, 2")],
    ),
    "the policies of an invoice": (
        [f"UPDATE invoice SET policies_version = '1899-01' WHERE id = {FIRST}"],
        [("invoice 100001, policies", "1899-01", "a version of this release")],
    ),
    "the amount of a charge": (
        [f"UPDATE ledger_posting SET amount_cents = 100 WHERE account_id = {AA0101} AND seq = 1"],
        [
            ("invoice 100001, posted INVOICED", "100", "13900"),
            ("invoice 100001, status", "PAID with -13800 cents open", "PAID with 0 cents open"),
            ("running balance, receivable", "23516 cents", "9716 cents"),
            ("invoice 100001, running balance, balance", "0 cents", "-13800 cents"),
        ],
    ),
    "the amount of a charge that nobody has paid": (
        [f"UPDATE ledger_posting SET amount_cents = amount_cents + 1 WHERE account_id = {AA0101} AND seq = 4"],
        [
            ("invoice 100002, posted INVOICED", "15191", "15190"),
            ("running balance, receivable", "23516 cents", "23517 cents"),
            ("invoice 100002, running balance, balance", "9090 cents", "9091 cents"),
        ],
    ),
    "what the account owes": (
        [f"UPDATE account SET receivable_cents = receivable_cents + 1 WHERE id = {AA0101}"],
        [("running balance, receivable", "23517 cents", "23516 cents")],
    ),
    "the credit of the account": (
        [f"UPDATE account SET credit_cents = 1 WHERE id = {AA0101}"],
        [("running balance, credit", "1 cents", "0 cents")],
    ),
    "the balance of an invoice": (
        [f"UPDATE invoice SET balance_cents = balance_cents - 1 WHERE id = {SECOND}"],
        [("invoice 100002, running balance, balance", "9089 cents", "9090 cents")],
    ),
    "what was written off of an invoice": (
        [f"UPDATE invoice SET written_off_cents = 1 WHERE id = {FIRST}"],
        [("invoice 100001, running balance, written off", "1 cents", "0 cents")],
    ),
    "the amount of a payment": (
        ["UPDATE payment SET amount_cents = 30000"],
        [("payment '4711', posted", "20000", "30000")],
    ),
    "which credit was used": (
        [f"UPDATE ledger_posting SET grant_seq = 1 WHERE account_id = {AA0101} AND seq = 5"],
        [("posting 5, credit used", "of posting 1", "of posting 3")],
    ),
    "a roll-up": (
        [f"UPDATE usage_day SET live_seconds = 0 WHERE account_id = {AA0101} AND on_date = '2026-07-12'"],
        [
            (
                "usage of 2026-07-12",
                "UsageTotals(live_seconds=0, patch_seconds=0, ivr_seconds=0, call_count=1)",
                "UsageTotals(live_seconds=6540, patch_seconds=0, ivr_seconds=0, call_count=1)",
            )
        ],
    ),
    "a roll-up deleted": (
        [f"DELETE FROM usage_day WHERE account_id = {AA0101} AND on_date = '2026-07-10'"],
        [
            (
                "usage of 2026-07-10",
                "None",
                "UsageTotals(live_seconds=300, patch_seconds=60, ivr_seconds=0, call_count=1)",
            )
        ],
    ),
    "a call deleted": (
        [f"DELETE FROM call WHERE account_id = {AA0101} AND seq = 4"],
        [("calls recorded", "3", "4")],
    ),
    "the number of calls forgotten": (
        [f"UPDATE account SET usage_seq = 2 WHERE id = {AA0101}"],
        [("calls recorded", "4", "2")],
    ),
    "an open invoice called paid": (
        [f"UPDATE invoice SET status = 'PAID' WHERE id = {SECOND}"],
        [("invoice 100002, status", "PAID with 9090 cents open", "OPEN with 9090 cents open")],
    ),
    "a paid invoice called open": (
        [f"UPDATE invoice SET status = 'OPEN' WHERE id = {FIRST}"],
        [("invoice 100001, status", "OPEN with 0 cents open", "PAID with 0 cents open")],
    ),
    "a month closed": (
        [f"DELETE FROM billing_cycle WHERE account_id = {AA0101} AND period_on = '2026-09-01'"],
        [("months opened", "2026-07, 2026-08", "2026-07, 2026-08, 2026-09")],
    ),
    "a month opened": (
        [
            (
                "INSERT INTO billing_cycle SELECT account_id, '2027-01-01', plan_version_id, opened_at "
                f"FROM billing_cycle WHERE account_id = {AA0101} AND period_on = '2026-09-01'"
            )
        ],
        [("months opened", "2026-07, 2026-08, 2026-09, 2027-01", "2026-07, 2026-08, 2026-09")],
    ),
    "the next month": (
        [f"UPDATE account SET next_cycle_on = '2026-12-01' WHERE id = {AA0101}"],
        [("next month", "2026-12-01", "2026-10-01")],
    ),
}


class TestRebuilding:
    """`flex-billing rebuild balances`."""

    async def test_mends_what_is_off_and_tells_it_and_then_nothing_is(self, books):
        off = [
            f"UPDATE account SET receivable_cents = 1, credit_cents = 2 WHERE id = {AA0101}",
            f"UPDATE invoice SET balance_cents = 3, written_off_cents = 4 WHERE id = {FIRST}",
            f"UPDATE invoice SET balance_cents = 0 WHERE id = {SECOND}",
        ]
        sound = dump(books)
        tamper(books, *off)
        told = await differences(books)
        assert len(told) == 5

        assert await rebuilt(books) == told

        assert await differences(books) == []
        assert await rebuilt(books) == []
        assert dump(books) == sound

    async def test_of_one_account_leaves_the_others(self, books):
        tamper(books, "UPDATE account SET credit_cents = credit_cents + 1")

        assert [each[0] for each in await rebuilt(books, account="AA0102")] == ["AA0102"]

        assert [each[0] for each in await differences(books)] == [ACCOUNT]

    async def test_of_an_unknown_account_is_refused(self, books):
        with pytest.raises(AccountNotFound):
            await rebuilt(books, account="AA0109")


async def rebuilt(database: Database, **options: Any) -> list[tuple[str, str, str, str]]:
    found = [each async for each in rebuild_running_balances(database, **options)]
    return [(each.account, each.place, each.found, each.expected) for each in found]


class TestTampering:
    @pytest.mark.parametrize("what", TAMPERING)
    async def test_the_difference_is_told_and_no_other(self, books, what):
        statements, expected = TAMPERING[what]

        tamper(books, *statements)

        found = await differences(books)
        if what.endswith("hash"):  # the sum itself is nobody's business here
            assert [(place, is_so, len(should)) for _, place, is_so, should in found] == [(*expected[0][:2], 64)]
        else:
            assert found == [(ACCOUNT, *each) for each in expected]

    async def test_a_call_deleted_or_changed_shows_in_its_day_and_in_each_invoice_that_saw_it(self, books):
        tamper(books, f"DELETE FROM call WHERE account_id = {AA0101} AND seq = 2")

        found = await differences(books, account=ACCOUNT)

        assert [place for _, place, *_ in found] == [
            "calls recorded",
            "usage of 2026-07-10",
            "invoice 100004, facts",
            "invoice 100004, content",
            "invoice 100004, total",
            "invoice 100004, amount due",
            "invoice 100004, line 2",
            "invoice 100004, line 3",
        ]
        assert found[-2][2].startswith("ADJUSTMENT 2026-07 516 ")
        assert found[-2][3].startswith("ADJUSTMENT 2026-07 -129 ")
        assert found[-1][2].startswith("ADJUSTMENT 2026-07 10 ")
        assert found[-1][3] == "no line"

    async def test_rule_35_credit_that_nobody_gave_is_told(self, books):
        tamper(books, f"UPDATE ledger_posting SET amount_cents = 6101 WHERE account_id = {AA0101} AND seq = 5")

        assert [each[1:] for each in await differences(books)][:2] == [
            ("posting 5, cents", "6101", "6100"),
            ("invoice 100002, posted CREDIT_APPLIED", "6101", "6100"),
        ]

    async def test_rule_35_a_posting_that_is_gone_is_told(self, books):
        tamper(books, f"DELETE FROM ledger_posting WHERE account_id = {AA0101} AND seq = 3")

        assert [each[1:] for each in await differences(books)][:7] == [
            ("posting number", "4", "3"),
            ("posting number", "5", "4"),
            ("posting number", "6", "5"),
            ("last posting", "6", "5"),
            ("posting 5, credit used", "of posting 3", "of posting None"),
            ("posting 5, cents", "6100", "0"),
            ("payment '4711', posted", "13900", "20000"),
        ]

    async def test_the_plan_of_a_month_shows_in_the_invoices_that_billed_it(self, books):
        tamper(
            books,
            f"UPDATE billing_cycle SET plan_version_id = 'plan_220_2020' WHERE account_id = {AA0101} "
            "AND period_on = '2026-09-01'",
        )

        assert await differences(books) == [
            (ACCOUNT, "plan of 2026-09", "plan_220_2020", "plan_100_2020"),
            (ACCOUNT, "base of 2026-09, price", "$139.00", "$239.00"),
        ]

    async def test_the_plan_of_an_invoice_shows_in_what_it_billed(self, books):
        tamper(books, f"UPDATE invoice SET plan_version_id = 'plan_220_2020' WHERE id = {FIRST}")

        found = {place: (is_so, should_be) for _, place, is_so, should_be in await differences(books)}

        assert found["invoice 100001, total"] == ("13900", "23900")
        assert found["plan of 2026-07"] == ("plan_100_2020", "plan_220_2020")

    async def test_an_invoice_called_void_leaves_its_month_unbilled(self, books):
        tamper(books, f"UPDATE invoice SET status = 'VOID' WHERE id = {SECOND}")

        found = [difference[:2] for difference in await differences(books)]

        assert (ACCOUNT, "months invoiced") in found
        assert (ACCOUNT, "invoice 100002, status") in found

    async def test_rule_12_a_month_left_out_is_told(self, books):
        tamper(
            books,
            f"DELETE FROM invoice_line WHERE invoice_id = {SECOND}",
            f"UPDATE ledger_posting SET invoice_id = NULL WHERE invoice_id = {SECOND}",
            "DELETE FROM invoice WHERE number = 100002",
        )

        found = await differences(books)

        assert (ACCOUNT, "months invoiced", "2026-07, 2026-09", "2026-07, 2026-08") in found
        assert (ACCOUNT, "next month", "2026-10-01", "2026-09-01") in found
        assert ("all", "invoice numbers", "100003", "100002") in found

    @pytest.mark.parametrize(
        ("statement", "difference"),
        [
            ("UPDATE invoice SET number = 100009 WHERE number = 100005", ("invoice numbers", "100009", "100005")),
            ("UPDATE invoice SET number = 100000 WHERE number = 100001", ("invoice numbers", "100000", "100001")),
            ("UPDATE sequence SET next_value = 100007", ("next invoice number", "100007", "100006")),
        ],
    )
    async def test_rule_27_a_number_skipped_is_told(self, books, statement, difference):
        tamper(books, statement)

        found = await differences(books)

        assert found[0] == ("all", *difference)
        assert {account for account, *_ in found} == {"all"}

    async def test_rule_27_numbers_taken_before_any_invoice_are_told(self, world):
        tamper(world.database, "UPDATE sequence SET next_value = 100002")

        assert await differences(world.database) == [("all", "next invoice number", "100002", "100001")]


class TestNarrowing:
    async def test_one_account_is_checked_alone(self, books):
        tamper(books, f"UPDATE invoice SET total_cents = 1 WHERE id = {FIRST}")

        assert await differences(books, account="AA0102") == []
        assert len(await differences(books, account=ACCOUNT)) == 3

    async def test_invoices_before_a_time_are_not_computed_again(self, books):
        tamper(books, f"UPDATE invoice SET content_hash = 'x' WHERE id = {FIRST}")

        assert len(await differences(books, since=pacific(2026, 7, 1, 12))) == 1
        assert await differences(books, since=pacific(2026, 8, 1)) == []
