"""The journal of a month: double entry, the same at any later time, and borne out by documents (rule 35)."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from app.domain.periods import InvalidMonth
from app.domain.reports import MonthNotBegun
from app.domain.tax_report import TaxKey, TaxSums
from app.domain.taxes import TaxRate
from app.repositories import reports
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill, record_prepayment
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.operations.report_journal import report_journal
from app.services.operations.report_month import report_month
from app.services.operations.report_taxes import report_taxes
from app.services.operations.sweep_gateway import sweep_gateway
from app.services.payments.customer_charges import PaymentDeclined
from tests.every_kind import tell_every_kind
from tests.factories.calls import a_call
from tests.services.accountant import agreed, journal, rows, tamper
from tests.services.books import connection
from tests.services.operations.test_report_month import october
from tests.services.staff import WHY, book, by_ann, change_to, credit
from tests.till import Till
from tests.trips import counted_trips
from tests.world import ACCOUNT, World, pacific

__all__ = ["october"]

USED = "credit set against invoices"
POSTINGS = "UPDATE ledger_posting SET amount_cents ="
MONTHS = [f"2026-{month:02}" for month in range(6, 11)]


class TestEntries:
    async def test_every_posting_is_an_entry_with_what_it_is_about(self, october):
        text, _ = await journal(october.database, october.clock, "2026-08")

        header, *lines = text.splitlines()
        assert header == "posted_at,posted_at_utc,account,invoice,payment,kind,debit,credit,amount,is_closed"
        issued_at = "2026-08-01 06:00:00,2026-08-01 13:00:00Z,"
        assert [line.removeprefix(issued_at) for line in lines[:4]] == [
            "AA0101,100003,,INVOICED,RECEIVABLE,REVENUE,169.00,yes",
            "AA0101,100003,,TAX_INVOICED,RECEIVABLE,TAX_PAYABLE,16.90,yes",
            "AA0101,100003,,CREDIT_APPLIED,CUSTOMER_CREDIT,RECEIVABLE,11.00,yes",
            "AA0102,100004,,INVOICED,RECEIVABLE,REVENUE,239.00,yes",
        ]
        prepaid = [row for row in rows(text) if row["kind"] == "PREPAID"]
        assert [(row["invoice"], row["payment"], row["amount"]) for row in prepaid] == [("", "P", "500.00")]

    async def test_months_together_are_all_postings_and_each_book_s_balance(self, october):
        entries = [row for month in MONTHS for row in rows((await journal(october.database, october.clock, month))[0])]

        with connection(october.database) as opened:
            assert opened.execute("SELECT count(*) FROM ledger_posting").fetchone() == (len(entries),)
        balances: Counter[str] = Counter()
        for row in entries:
            cents = int(Decimal(row["amount"]) * 100)
            balances[row["debit"]] += cents
            balances[row["credit"]] -= cents
        assert balances.total() == 0
        assert {name: cents for name, cents in balances.items() if cents} == {
            name: book(october.database, name) for name in balances if book(october.database, name)
        }

    async def test_are_read_some_at_a_time_in_the_same_order(self, october, monkeypatch):
        whole, _ = await journal(october.database, october.clock, "2026-08")
        monkeypatch.setattr(reports, "AT_ONCE", 3)
        sizes: list[int] = []
        await report_journal(
            october.services, month="2026-08", on_entries=lambda _month, entries: sizes.append(len(entries))
        )

        assert (sizes[0], max(sizes), sum(sizes)) == (0, 3, len(rows(whole)))
        assert (await journal(october.database, october.clock, "2026-08"))[0] == whole

    async def test_accounts_stand_in_the_order_of_their_bytes_at_the_same_instant(self, world):
        for external_id in ("b2", "B10", "a-1", "~1"):
            await world.add_account(external_id)
        await world.advance_to(pacific(2026, 7, 2))

        text, _ = await journal(world.database, world.clock, "2026-07")

        assert [row["account"] for row in rows(text)] == ["B10", "a-1", "b2", "~1"]

    async def test_a_reference_that_would_be_a_formula_is_guarded(self, world):
        await world.add_account("@AA0101")
        await world.advance_to(pacific(2026, 7, 2))
        await world.pay(139_00, account="@AA0101", reference='=HYPERLINK("http://x")')

        text, _ = await journal(world.database, world.clock, "2026-07")

        assert [(row["account"], row["payment"]) for row in rows(text)] == [
            ("'@AA0101", ""),
            ("'@AA0101", '\'=HYPERLINK("http://x")'),
        ]

    async def test_a_month_that_is_not_over_is_marked_in_every_row(self, october):
        assert {row["is_closed"] for row in rows((await journal(october.database, october.clock, "2026-10"))[0])} == {
            "no"
        }
        assert {row["is_closed"] for row in rows((await journal(october.database, october.clock, "2026-08"))[0])} == {
            "yes"
        }

    @pytest.mark.parametrize(("month", "error"), [("2026-11", MonthNotBegun), ("soon", InvalidMonth)])
    async def test_one_in_the_future_and_what_is_no_month_are_refused_before_anything_is_written(
        self, october, month, error
    ):
        written: list[object] = []
        with pytest.raises(error):
            await report_journal(october.services, month=month, on_entries=lambda *x: written.append(x))
        assert written == []


class TestClosedMonths:
    async def test_stay_equal_to_the_byte_after_whatever_comes_later(self, october):
        before = {month: await journal(october.database, october.clock, month) for month in MONTHS[:-1]}
        await void_invoice(october.services, by_ann(), invoice_number=await newest(october), **WHY)
        await issue_credit_note(
            october.services, by_ann(), invoice_number=100_003, cents_by_line={1: 9_00}, reference="late", **WHY
        )
        await october.pay(1_000_00)
        await october.add_calls(a_call(event_id="late", started_at=pacific(2026, 9, 3), script_seconds=130 * 60))
        await october.advance_to(pacific(2026, 12, 5))

        for month, (text, report) in before.items():
            assert await journal(october.database, october.clock, month) == (text, report), month
        later = await journal(october.database, october.clock, "2026-10")
        assert {row["is_closed"] for row in rows(later[0])} == {"yes"}
        assert later[1].balances.agrees


async def newest(world: World) -> int:
    return (await world.issued())[-1].number


class TestBalances:
    async def test_documents_bear_out_every_month_and_each_opens_with_what_the_one_before_closed_with(self, october):
        found = [(await agreed(october.database, october.clock, month)).balances for month in MONTHS]

        assert [each.opening.rebuilt_cents for each in found[1:]] == [each.closing.rebuilt_cents for each in found[:-1]]
        moved = {each.name: each.rebuilt_cents for each in found[2].movements}
        assert moved["invoices and credit notes"] == 169_00 + 16_90 + 2 * 239_00 - 11_00
        assert moved["invoices voided"] == -239_00
        assert moved["payments"] == -500_00
        assert moved["write-offs"] == -219_00
        assert (found[-1].open_cents, found[-1].credit_cents) == (
            book(october.database, "RECEIVABLE"),
            credit(october.database),
        )

    async def test_so_does_a_life_with_every_kind_of_invoice(self, world):
        await tell_every_kind(world)
        for month in ("2026-07", "2026-08"):
            await agreed(world.database, world.clock, month)

    async def test_and_money_that_goes_back_and_comes_again(self, till: Till):
        """Refund, void, return, chargeback and a dispute that is won in the end, each in its own month."""
        await till.world.add_account()
        await till.add_card()
        await till.advance_to(pacific(2026, 7, 2, 12))
        till.gateway.settle()
        await refund_payment(
            till.world.services, by_ann(), invoice_number=100_001, amount_cents=39_00, reference="R", **WHY
        )
        await till.advance_to(pacific(2026, 8, 1, 12))
        till.gateway.settle(status="settlement_declined")
        await sweep_gateway(till.world.services)
        await till.advance_to(pacific(2026, 9, 1, 12))
        await refund_payment(
            till.world.services, by_ann(), invoice_number=100_003, amount_cents=139_00, reference="V", **WHY
        )
        for month in ("2026-07", "2026-08", "2026-09"):
            await agreed(till.world.database, till.world.clock, month)
        moved = {
            each.name: each.rebuilt_cents
            for each in (await agreed(till.world.database, till.world.clock, "2026-08")).balances.movements
        }
        assert moved["payments returned"] == 139_00

    async def test_so_do_write_offs_that_money_recovers(self, october):
        """AA0102 had 219.00 written off in August; of 300.00 more than is open, that much is cash against bad debt."""
        await october.pay(book(october.database, "RECEIVABLE") + 300_00, account="AA0102")
        found = await agreed(october.database, october.clock, "2026-10")
        books = await report_month(october.services, month="2026-10")

        moved = {each.name: each.rebuilt_cents for each in found.balances.movements}
        assert moved["write-offs recovered"] == 219_00
        assert dict(books.bad_debt.movements) == {"written off": 0, "recovered": -219_00}
        assert (books.bad_debt.opening_cents, books.bad_debt.closing_cents) == (219_00, 0)

    async def test_a_void_gives_back_the_credit_its_invoice_took_at_its_issue_and_since(self, world):
        """50.00 paid in advance, 20.00 of goodwill afterwards; the invoice in its place takes both at its issue."""
        await world.add_account()
        await record_prepayment(
            world.services, by_ann(), amount_cents=50_00, reference="P", received_on=date(2026, 7, 1), **WHY
        )
        await world.advance_to(pacific(2026, 7, 1, 13))
        await grant_goodwill(world.services, by_ann(), amount_cents=20_00, reference="G", **WHY)
        await void_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)
        found = (await agreed(world.database, world.clock, "2026-07")).balances

        assert found.credit_used.rebuilt_cents == 70_00
        assert (found.open_cents, found.credit_cents) == (69_00, 0)
        tamper(world.database, f"{POSTINGS} amount_cents - 1 WHERE kind = 'CREDIT_RESTORED'")
        _, report = await journal(world.database, world.clock, "2026-07")
        assert [each.name for each in report.balances.accounts] == [f"{ACCOUNT}, {USED}"]

    async def test_and_changes_whose_net_and_tax_have_opposite_signs(self, till: Till):
        """20 % on 220 Minutes, none from the 2nd; then 500 Minutes, which no card pays at first."""
        world = till.world
        await world.add_account(plan="220")
        await till.add_card()
        await set_taxes(world.services, by_ann(), **WHY, taxes=[TaxRate("Tax", 200_000)], valid_from=date(2026, 7, 1))
        await till.advance_to(pacific(2026, 7, 1, 13))
        await set_taxes(world.services, by_ann(), **WHY, taxes=[], valid_from=date(2026, 7, 2))
        world.clock.instant = pacific(2026, 7, 2, 12)
        till.gateway.force("*", "2000")
        with pytest.raises(PaymentDeclined):
            await change_to(world, "500")
        till.gateway.force("*", None)
        await change_to(world, "500")
        found = await agreed(world.database, world.clock, "2026-07")

        text, _ = await journal(world.database, world.clock, "2026-07")
        kinds = [row["kind"] for row in rows(text)]
        assert (kinds.count("TAX_REVERSED"), kinds.count("TAX_REVERSAL_VOIDED")) == (2, 1)
        moved = {each.name: each.rebuilt_cents for each in found.balances.movements}
        assert moved["invoices voided"] == -(499_00 - 239_00 - 47_80)
        taxes = await report_taxes(world.services, month="2026-07")
        assert (taxes.agrees, taxes.taxes) == (True, ((TaxKey("Tax", 200_000), TaxSums(239_00, 47_80, 239_00, 47_80)),))
        assert taxes.exempt_cents == {"Tax": 499_00}

    @pytest.mark.parametrize(
        ("statement", "name", "accounts"),
        [
            (f"{POSTINGS} amount_cents + 1 WHERE kind = 'PAYMENT_RECEIVED'", "payments", {"AA0101"}),
            (f"{POSTINGS} amount_cents + 1 WHERE kind = 'WRITTEN_OFF'", "write-offs", {"AA0102"}),
            (f"{POSTINGS} amount_cents - 1 WHERE kind = 'PREPAID'", "payments", {"AA0102"}),
            ("DELETE FROM ledger_posting WHERE kind = 'VOIDED'", "invoices voided", {"AA0102"}),
            ("DELETE FROM ledger_posting WHERE kind = 'INVOICED'", "invoices and credit notes", {"AA0101", "AA0102"}),
            ("UPDATE payment SET amount_cents = amount_cents + 5", "payments", {"AA0101", "AA0102"}),
            ("DELETE FROM event WHERE kind = 'credit.granted'", "goodwill", {"AA0102"}),
            (
                f"{POSTINGS} amount_cents + 1 WHERE kind = 'CREDIT_APPLIED'",
                USED,
                {f"AA0101, {USED}", f"AA0102, {USED}"},
            ),
        ],
    )
    async def test_a_posting_without_its_document_and_a_document_without_its_posting_are_seen(
        self, october, statement, name, accounts
    ):
        tamper(october.database, statement)
        found = [(await journal(october.database, october.clock, month))[1].balances for month in MONTHS]

        figures = [each for balances in found for each in (*balances.movements, balances.credit_used)]
        assert {each.name for each in figures if not each.agrees} == {name}
        assert {each.name for each in found[-1].accounts} == accounts
        assert not found[-1].agrees

    async def test_statements_do_not_grow_with_the_data(self, october, world):
        async with counted_trips() as few:
            await journal(october.database, october.clock, "2026-06")
        async with counted_trips() as many:
            await journal(october.database, october.clock, "2026-08")
        assert few.count == many.count == 6
