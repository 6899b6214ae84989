"""The month's report balances, month after month, whatever staff did in between (rule 35)."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from app.domain.periods import InvalidMonth
from app.domain.reports import MonthNotBegun
from app.domain.taxes import TaxRate
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill, record_prepayment
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.cycle.close_account import close_account
from app.services.operations.report_month import csv_text, report_month
from tests.factories.calls import a_call
from tests.services.staff import WHY, book, by_ann, check_books, credit
from tests.world import World, pacific


@pytest.fixture
async def october(world: World) -> World:
    """Two accounts and a bit of everything from July to the middle of October."""
    await world.add_account()
    await world.add_account("AA0102", plan="220")
    await world.advance_to(pacific(2026, 7, 2, 12))  # 139.00 and 239.00
    await world.pay(150_00)  # 11.00 is credit
    await set_taxes(world.services, by_ann(), taxes=[TaxRate("Tax", 100_000)], valid_from=date(2026, 8, 1), **WHY)
    await add_charge(world.services, by_ann(), title="Programming", amount_cents=30_00, reference="C", **WHY)
    await world.advance_to(pacific(2026, 7, 31, 23))
    await grant_goodwill(world.services, by_ann("AA0102"), amount_cents=20_00, reference="G", **WHY)
    await world.advance_to(pacific(2026, 8, 3, 12))  # 185.90 less 11.00, and 239.00
    await issue_credit_note(
        world.services, by_ann(), invoice_number=100_003, cents_by_line={2: 10_00}, reference="N", **WHY
    )
    await void_invoice(world.services, by_ann("AA0102"), invoice_number=100_004, **WHY)
    await write_off_invoice(world.services, by_ann("AA0102"), invoice_number=100_002, **WHY)
    await record_prepayment(
        world.services, by_ann("AA0102"), amount_cents=500_00, reference="P", received_on=date(2026, 8, 3), **WHY
    )
    await world.advance_to(pacific(2026, 10, 10, 12))
    await world.add_calls(a_call(account="AA0102", started_at=pacific(2026, 10, 2), script_seconds=230 * 60))
    await close_account(world.services, by_ann("AA0102"), **WHY)
    return world


async def report(world: World, month: str):
    return await report_month(world.services, month=month)


class TestReport:
    async def test_july(self, october):
        july = await report(october, "2026-07")

        assert july.receivable.opening_cents == 0
        assert dict(july.receivable.movements) == {
            "invoiced": 378_00,
            "tax": 0,
            "credits applied": -20_00,
            "collected": -139_00,
            "refunded": 0,
            "written off": 0,
        }
        assert july.receivable.closing_cents == 219_00
        assert dict(july.credit.movements) == {
            "credited by invoices and credit notes": 0,
            "goodwill": 20_00,
            "received in advance": 11_00,
            "applied to invoices": -20_00,
            "paid out": 0,
        }

    async def test_august(self, october):
        august = await report(october, "2026-08")

        assert august.receivable.opening_cents == 219_00
        assert dict(august.receivable.movements) == {
            "invoiced": 139_00 + 30_00 + 239_00,
            "tax": 16_90,
            "credits applied": -(11_00 + 11_00 + 239_00),
            "collected": 0,
            "refunded": 0,
            "written off": -219_00,
        }
        assert august.receivable.closing_cents == 163_90
        assert (august.credit.opening_cents, august.credit.closing_cents) == (11_00, 261_00)
        assert dict(august.credit.movements) == {
            "credited by invoices and credit notes": 11_00,
            "goodwill": 0,
            "received in advance": 500_00,
            "applied to invoices": -261_00,
            "paid out": 0,
        }
        assert dict(august.bad_debt.movements) == {"written off": 219_00, "recovered": 0}

    async def test_every_month_opens_with_what_the_one_before_closed_with(self, october):
        months = [await report(october, f"2026-{month:02}") for month in range(6, 11)]

        for before, after in pairwise(months):
            assert before.receivable.closing_cents == after.receivable.opening_cents
            assert before.credit.closing_cents == after.credit.opening_cents
        assert months[0].receivable.closing_cents == months[0].credit.closing_cents == 0
        assert months[-1].receivable.closing_cents == book(october.database, "RECEIVABLE")
        assert months[-1].credit.closing_cents == credit(october.database)
        check_books(october.database)

    async def test_a_month_begins_at_midnight_in_the_billing_zone(self, october):
        """11 pm of 31 July in Los Angeles is August in UTC; the goodwill of that hour is July's."""
        assert dict((await report(october, "2026-08")).credit.movements)["goodwill"] == 0

    async def test_a_month_of_another_form_is_refused(self, october):
        with pytest.raises(InvalidMonth):
            await report(october, "August")

    async def test_so_is_one_in_the_future_and_the_current_one_is_open(self, october):
        with pytest.raises(MonthNotBegun):
            await report(october, "2026-11")
        assert not (await report(october, "2026-10")).month.is_closed
        assert (await report(october, "2026-09")).month.is_closed


class TestCsv:
    async def test_the_entries_of_a_book_add_up_from_opening_to_closing(self, october):
        assert csv_text(await report(october, "2026-08")) == (
            "month,book,entry,amount,is_closed\n"
            "2026-08,receivable,opening,219.00,yes\n"
            "2026-08,receivable,invoiced,408.00,yes\n"
            "2026-08,receivable,tax,16.90,yes\n"
            "2026-08,receivable,credits applied,-261.00,yes\n"
            "2026-08,receivable,collected,0.00,yes\n"
            "2026-08,receivable,refunded,0.00,yes\n"
            "2026-08,receivable,written off,-219.00,yes\n"
            "2026-08,receivable,closing,163.90,yes\n"
            "2026-08,credit liability,opening,11.00,yes\n"
            "2026-08,credit liability,credited by invoices and credit notes,11.00,yes\n"
            "2026-08,credit liability,goodwill,0.00,yes\n"
            "2026-08,credit liability,received in advance,500.00,yes\n"
            "2026-08,credit liability,applied to invoices,-261.00,yes\n"
            "2026-08,credit liability,paid out,0.00,yes\n"
            "2026-08,credit liability,closing,261.00,yes\n"
            "2026-08,bad debt,opening,0.00,yes\n"
            "2026-08,bad debt,written off,219.00,yes\n"
            "2026-08,bad debt,recovered,0.00,yes\n"
            "2026-08,bad debt,closing,219.00,yes\n"
            "2026-08,gateway,settlements matched,0,yes\n"
            "2026-08,gateway,amount matched,0.00,yes\n"
            "2026-08,gateway,settlements not matched,0,yes\n"
            "2026-08,gateway,amount not matched,0.00,yes\n"
        )

    async def test_a_month_that_is_not_over_is_marked_in_every_row(self, october):
        header, *rows = csv_text(await report(october, "2026-10")).splitlines()

        assert header.endswith(",is_closed")
        assert {row.rpartition(",")[2] for row in rows} == {"no"}
