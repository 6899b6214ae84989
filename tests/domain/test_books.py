"""Voiding, settling credit and the month's report: every cent has two sides, and nothing is left out (rules 27, 35)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import (
    CREDIT_MOVEMENTS,
    RECEIVABLE_MOVEMENTS,
    month_report,
    settle_credit,
    void_postings,
)
from app.domain.ledger import BOOKS_OF, Book, CreditGrant, OpenInvoice, Posting, PostingKind, moved_cents
from app.domain.periods import Period

OCTOBER = Period.parse("2026-10")


def moves(postings) -> list[tuple[str, int, str | None, int | None]]:
    return [(str(p.kind), p.amount_cents, p.invoice_id, p.grant_seq) for p in postings]


class TestVoiding:
    def test_rule_27_charge_tax_and_applied_credit_are_taken_back(self):
        assert moves(void_postings("inv_1", 148_04, 9_04, 20_00)) == [
            ("VOIDED", 139_00, "inv_1", None),
            ("TAX_VOIDED", 9_04, "inv_1", None),
            ("CREDIT_RESTORED", 20_00, "inv_1", None),
        ]

    def test_an_invoice_over_nothing_moves_nothing(self):
        assert void_postings("inv_1", 0, 0, 0) == ()


class TestSettling:
    def test_rule_35_the_oldest_credit_pays_the_oldest_invoice(self):
        grants = [CreditGrant(3, 50_00), CreditGrant(7, 70_00)]
        invoices = [OpenInvoice("inv_1", 60_00), OpenInvoice("inv_2", 20_00)]

        assert moves(settle_credit(grants, invoices)) == [
            ("CREDIT_APPLIED", 50_00, "inv_1", 3),
            ("CREDIT_APPLIED", 10_00, "inv_1", 7),
            ("CREDIT_APPLIED", 20_00, "inv_2", 7),
        ]

    def test_the_rest_is_paid_out_where_an_account_closes(self):
        settled = settle_credit(
            [CreditGrant(3, 50_00), CreditGrant(7, 1)], [OpenInvoice("inv_1", 20_00)], pays_out=True
        )

        assert moves(settled) == [
            ("CREDIT_APPLIED", 20_00, "inv_1", 3),
            ("CREDIT_PAID_OUT", 30_00, None, 3),
            ("CREDIT_PAID_OUT", 1, None, 7),
        ]

    @pytest.mark.parametrize(
        ("grants", "invoices"),
        [([], [OpenInvoice("inv_1", 1)]), ([CreditGrant(3, 1)], []), ([CreditGrant(3, 1)], [OpenInvoice("inv_1", 0)])],
    )
    def test_nothing_moves_without_credit_or_without_a_balance(self, grants, invoices):
        assert list(settle_credit(grants, invoices)) == []


class TestReport:
    @pytest.mark.parametrize(
        ("book", "movements"), [(Book.RECEIVABLE, RECEIVABLE_MOVEMENTS), (Book.CUSTOMER_CREDIT, CREDIT_MOVEMENTS)]
    )
    def test_every_kind_of_posting_that_touches_a_book_stands_in_it_once(self, book, movements):
        listed = [kind for kinds in movements.values() for kind in kinds]

        assert sorted(listed) == sorted(kind for kind, books in BOOKS_OF.items() if book in books)

    def test_opens_with_all_before_and_closes_with_all_that_moved(self):
        before = {PostingKind.INVOICED: 500_00, PostingKind.PAYMENT_RECEIVED: 300_00, PostingKind.OVERPAID: 11_00}
        within = {
            PostingKind.INVOICED: 139_00,
            PostingKind.TAX_INVOICED: 9_04,
            PostingKind.CREDIT_APPLIED: 10_00,
            PostingKind.PAYMENT_RECEIVED: 100_00,
            PostingKind.VOIDED: 39_00,
            PostingKind.WRITTEN_OFF: 50_00,
            PostingKind.GOODWILL_GRANTED: 4_00,
            PostingKind.CREDIT_PAID_OUT: 1_00,
        }

        report = month_report(OCTOBER, before, within)

        assert (report.receivable.opening_cents, report.receivable.closing_cents) == (200_00, 149_04)
        assert report.receivable.movements == (
            ("invoiced", 100_00),
            ("tax", 9_04),
            ("credits applied", -10_00),
            ("collected", -100_00),
            ("refunded", 0),
            ("written off", -50_00),
        )
        assert (report.credit.opening_cents, report.credit.closing_cents) == (11_00, 4_00)
        assert report.credit.movements == (
            ("credited by invoices and credit notes", 0),
            ("goodwill", 4_00),
            ("received in advance", 0),
            ("applied to invoices", -10_00),
            ("paid out", -1_00),
        )

    @given(
        before=st.dictionaries(st.sampled_from(PostingKind), st.integers(0, 10**9)),
        within=st.dictionaries(st.sampled_from(PostingKind), st.integers(0, 10**9)),
    )
    def test_closes_with_what_the_next_month_opens_with(self, before, within):
        both = {kind: before.get(kind, 0) + within.get(kind, 0) for kind in PostingKind}
        report, following = month_report(OCTOBER, before, within), month_report(OCTOBER.shifted(1), both, {})

        assert report.receivable.closing_cents == following.receivable.opening_cents
        assert report.credit.closing_cents == following.credit.opening_cents
        expected = sum(moved_cents(Posting(kind, cents), Book.RECEIVABLE) for kind, cents in both.items())
        assert report.receivable.closing_cents == expected
