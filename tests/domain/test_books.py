"""Voiding, settling credit and the month's report: every cent has two sides, and nothing is left out (rules 27, 35)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.books import (
    BAD_DEBT_MOVEMENTS,
    CREDIT_MOVEMENTS,
    RECEIVABLE_MOVEMENTS,
    Settlements,
    credit_postings,
    month_report,
    paid_out_postings,
    spread_credit,
    void_postings,
)
from app.domain.invoices import compute_invoice
from app.domain.ledger import (
    BOOKS_OF,
    Book,
    CreditGrant,
    OpenInvoice,
    Posting,
    PostingKind,
    issue_postings,
    moved_cents,
)
from app.domain.periods import Period
from app.domain.reports import ReportMonth
from tests.factories.strategies import any_facts

OCTOBER = ReportMonth(Period.parse("2026-10"), is_closed=True)
NOVEMBER = ReportMonth(Period.parse("2026-11"), is_closed=True)


def moves(postings) -> list[tuple[str, int, str | None, int | None]]:
    return [(str(p.kind), p.amount_cents, p.invoice_id, p.grant_seq) for p in postings]


class TestVoiding:
    def test_rule_27_charge_tax_and_applied_credit_are_taken_back(self):
        assert moves(void_postings("inv_1", 148_04, 9_04, 20_00)) == [
            ("VOIDED", 139_00, "inv_1", None),
            ("TAX_VOIDED", 9_04, "inv_1", None),
            ("CREDIT_RESTORED", 20_00, "inv_1", None),
        ]

    @pytest.mark.parametrize(
        ("total_cents", "tax_cents", "moved"),
        [
            (5_00, 6_00, [("REVERSAL_VOIDED", 1_00), ("TAX_VOIDED", 6_00)]),
            (5_00, -1_00, [("VOIDED", 6_00), ("TAX_REVERSAL_VOIDED", 1_00)]),
            (0, 6_00, [("REVERSAL_VOIDED", 6_00), ("TAX_VOIDED", 6_00)]),
        ],
    )
    def test_charge_and_tax_of_opposite_signs_are_each_taken_back(self, total_cents, tax_cents, moved):
        found = void_postings("inv_1", total_cents, tax_cents, 0)
        assert [(str(each.kind), each.amount_cents) for each in found] == moved
        assert sum(moved_cents(each, Book.RECEIVABLE) for each in found) == -total_cents

    @given(any_facts())
    def test_undoes_what_the_issue_moved(self, known):
        draft = compute_invoice(known)
        if draft.total_cents >= 0:
            grants = [CreditGrant(1, known.credit_available_cents)]
            undone = void_postings("inv_1", draft.total_cents, draft.tax_cents, draft.credit_applied_cents)
            postings = (*issue_postings(draft, "inv_1", grants), *undone)
            assert {book: sum(moved_cents(each, book) for each in postings) for book in Book} == dict.fromkeys(Book, 0)

    def test_an_invoice_over_nothing_moves_nothing(self):
        assert void_postings("inv_1", 0, 0, 0) == ()


class TestSettling:
    def test_rule_35_the_oldest_credit_pays_the_oldest_invoice(self):
        grants = [CreditGrant(3, 50_00), CreditGrant(7, 70_00)]
        invoices = [OpenInvoice("inv_1", 60_00), OpenInvoice("inv_2", 20_00)]

        assert moves(credit_postings(grants, invoices)) == [
            ("CREDIT_APPLIED", 50_00, "inv_1", 3),
            ("CREDIT_APPLIED", 10_00, "inv_1", 7),
            ("CREDIT_APPLIED", 20_00, "inv_2", 7),
        ]
        assert moves(credit_postings([CreditGrant(3, 1)], invoices)) == [("CREDIT_APPLIED", 1, "inv_1", 3)]

    def test_the_rest_is_paid_out_where_an_account_closes(self):
        grants = [CreditGrant(3, 50_00), CreditGrant(7, 1)]
        applied = list(credit_postings(grants, [OpenInvoice("inv_1", 20_00)]))
        rest = [CreditGrant(3, 30_00), CreditGrant(7, 1)]

        assert moves([*applied, *paid_out_postings(rest, 30_01)]) == [
            ("CREDIT_APPLIED", 20_00, "inv_1", 3),
            ("CREDIT_PAID_OUT", 30_00, None, 3),
            ("CREDIT_PAID_OUT", 1, None, 7),
        ]

    def test_no_more_is_paid_out_than_is_said_and_the_oldest_first(self):
        grants = [CreditGrant(3, 50_00), CreditGrant(4, 0), CreditGrant(7, 20_00), CreditGrant(9, 5_00)]

        assert moves(paid_out_postings(grants, 60_00)) == [
            ("CREDIT_PAID_OUT", 50_00, None, 3),
            ("CREDIT_PAID_OUT", 10_00, None, 7),
        ]

    @pytest.mark.parametrize(
        ("grants", "invoices"),
        [([], [OpenInvoice("inv_1", 1)]), ([CreditGrant(3, 1)], []), ([CreditGrant(3, 1)], [OpenInvoice("inv_1", 0)])],
    )
    def test_nothing_moves_without_credit_or_without_a_balance(self, grants, invoices):
        assert list(credit_postings(grants, invoices)) == []


def an_open(number: int, cents: int, **how) -> OpenInvoice:
    return OpenInvoice(f"inv_{number}", cents, number, **how)


class TestSpreadingCredit:
    """Credit pays what is open, so that none waits beside an invoice that is collected."""

    def test_what_a_document_takes_back_pays_the_invoice_it_takes_it_back_of_first(self):
        open_invoices = [an_open(1, 60_00), an_open(2, 139_00)]
        assert spread_credit(100_00, 100_00, {2: 139_00}, open_invoices) == {"inv_2": 100_00}

    def test_each_of_those_up_to_what_was_taken_back_of_it_and_the_rest_others_oldest_first(self):
        open_invoices = [an_open(1, 60_00), an_open(2, 139_00), an_open(3, 50_00)]
        paid = spread_credit(150_00, 150_00, {2: 40_00, 3: 70_00}, open_invoices)
        assert paid == {"inv_2": 40_00, "inv_3": 50_00, "inv_1": 60_00}

    def test_credit_that_had_waited_is_not_that_of_the_document(self):
        open_invoices = [an_open(1, 60_00), an_open(2, 139_00)]
        assert spread_credit(100_00, 30_00, {2: 139_00}, open_invoices) == {"inv_2": 30_00 + 10_00, "inv_1": 60_00}

    def test_one_that_was_paid_in_part_by_what_was_taken_back_of_it_is_paid_to_the_end_and_no_further(self):
        assert spread_credit(20_00, 4_00, {1: 4_00}, [an_open(1, 10_00)]) == {"inv_1": 10_00}

    @pytest.mark.parametrize("reversed_cents", [{}, {1: 1}])
    def test_one_cent_is_paid_like_any_other_amount(self, reversed_cents):
        assert spread_credit(1, 1, reversed_cents, [an_open(1, 1)]) == {"inv_1": 1}
        by_hand = [an_open(1, 1, is_by_hand=True)]
        assert spread_credit(1, 1, reversed_cents, by_hand) == ({"inv_1": 1} if reversed_cents else {})

    def test_one_to_be_paid_by_hand_is_paid_only_by_what_is_taken_back_of_it(self):
        """Decision 0008."""
        by_hand = an_open(1, 139_00, is_by_hand=True)
        assert spread_credit(500_00, 500_00, {1: 20_00}, [by_hand]) == {"inv_1": 20_00}
        assert spread_credit(500_00, 0, {}, [by_hand]) == {}

    def test_one_whose_charge_is_under_way_is_left_alone(self):
        under_way = an_open(1, 139_00, is_under_way=True)
        assert spread_credit(50_00, 50_00, {1: 50_00}, [under_way, an_open(2, 30_00)]) == {"inv_2": 30_00}

    def test_never_more_than_there_is_credit_even_where_more_arose(self):
        """Some of what arose may have paid the document's own charge."""
        assert spread_credit(10_00, 100_00, {1: 100_00}, [an_open(1, 139_00)]) == {"inv_1": 10_00}

    @pytest.mark.parametrize("open_invoices", [[], [an_open(1, 0)]])
    def test_without_a_balance_all_of_it_waits(self, open_invoices):
        assert spread_credit(10_00, 10_00, {1: 10_00}, open_invoices) == {}

    @given(
        credit_cents=st.integers(0, 1_000),
        arisen_cents=st.integers(0, 1_000),
        reversed_cents=st.dictionaries(st.integers(0, 4), st.integers(0, 400)),
        how=st.lists(st.tuples(st.integers(0, 400), st.booleans(), st.booleans()), max_size=5),
    )
    def test_none_waits_beside_an_invoice_that_is_collected(self, credit_cents, arisen_cents, reversed_cents, how):
        open_invoices = [
            an_open(number, cents, is_by_hand=by_hand, is_under_way=under_way)
            for number, (cents, by_hand, under_way) in enumerate(how)
        ]
        paid = spread_credit(credit_cents, arisen_cents, reversed_cents, open_invoices)
        left = {each.id: each.balance_cents - paid.get(each.id, 0) for each in open_invoices}
        assert all(cents > 0 for cents in paid.values())
        assert sum(paid.values()) <= credit_cents
        assert min(left.values(), default=0) >= 0
        collected = [left[each.id] for each in open_invoices if not each.is_by_hand and not each.is_under_way]
        assert sum(paid.values()) == credit_cents or not any(collected)
        assert not any(paid.get(each.id) for each in open_invoices if each.is_under_way)


class TestReport:
    @pytest.mark.parametrize(
        ("book", "movements"),
        [
            (Book.RECEIVABLE, RECEIVABLE_MOVEMENTS),
            (Book.CUSTOMER_CREDIT, CREDIT_MOVEMENTS),
            (Book.BAD_DEBT, BAD_DEBT_MOVEMENTS),
        ],
    )
    def test_every_kind_of_posting_that_touches_a_book_stands_in_it_once(self, book, movements):
        listed = [kind for kinds in movements.values() for kind in kinds]

        assert sorted(listed) == sorted(kind for kind, books in BOOKS_OF.items() if book in books)

    def test_every_kind_of_posting_stands_in_a_row(self):
        tables = (RECEIVABLE_MOVEMENTS, CREDIT_MOVEMENTS, BAD_DEBT_MOVEMENTS)

        assert {kind for table in tables for kinds in table.values() for kind in kinds} == set(PostingKind)

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
        assert (report.bad_debt.opening_cents, report.bad_debt.closing_cents) == (0, 50_00)
        assert report.books == (report.receivable, report.credit, report.bad_debt)
        assert report.settlements == Settlements(0, 0, 0, 0)

    @given(
        before=st.dictionaries(st.sampled_from(PostingKind), st.integers(0, 10**9)),
        within=st.dictionaries(st.sampled_from(PostingKind), st.integers(0, 10**9)),
    )
    def test_closes_with_what_the_next_month_opens_with(self, before, within):
        both = {kind: before.get(kind, 0) + within.get(kind, 0) for kind in PostingKind}
        report, following = month_report(OCTOBER, before, within), month_report(NOVEMBER, both, {})

        assert report.receivable.closing_cents == following.receivable.opening_cents
        assert report.credit.closing_cents == following.credit.opening_cents
        expected = sum(moved_cents(Posting(kind, cents), Book.RECEIVABLE) for kind, cents in both.items())
        assert report.receivable.closing_cents == expected
