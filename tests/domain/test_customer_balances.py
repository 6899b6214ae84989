"""What customers owe, rebuilt from documents: no kind of posting is left out, and no error in one goes unseen."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.customer_balances import (
    DOCUMENTS_OF,
    NOTHING,
    SIGN_OF,
    Amounts,
    Comparison,
    DocumentKind,
    customer_balances,
    documents_behind,
    rebuilt,
)
from app.domain.ledger import Book, Posting, PostingKind, moved_cents

INVOICES, VOIDS, RECEIPTS = DocumentKind.INVOICE, DocumentKind.VOID, DocumentKind.RECEIPT
USED = DocumentKind.CREDIT_USE


def owed(kind: PostingKind, cents: int) -> int:
    """What a posting adds to open invoices less credit."""
    return sum(moved_cents(Posting(kind, cents), book) for book in (Book.RECEIVABLE, Book.CUSTOMER_CREDIT))


class TestTables:
    def test_every_kind_of_posting_has_its_documents(self):
        assert set(DOCUMENTS_OF) == set(PostingKind)

    def test_every_document_raises_or_lowers_what_is_owed_and_stands_behind_a_posting(self):
        assert set(SIGN_OF) == set(DocumentKind)
        assert {document for documents in DOCUMENTS_OF.values() for document, _ in documents} == set(DocumentKind)

    @pytest.mark.parametrize("kind", PostingKind)
    def test_documents_move_what_their_posting_moves(self, kind):
        """Rule 35: a kind that is put to the wrong document, or with the wrong sign, is seen here."""
        assert rebuilt(documents_behind({kind: Amounts(0, 7)})).within_cents == owed(kind, 7)


class TestRebuilt:
    def test_invoices_less_what_was_paid_given_back_and_written_off(self):
        documents = {
            INVOICES: Amounts(500_00, 139_00 - 20_00),  # a credit note of 20.00 among them
            VOIDS: Amounts(0, 39_00),
            RECEIPTS: Amounts(311_00, 100_00),
            DocumentKind.REFUND: Amounts(0, 10_00),
            DocumentKind.CHARGEBACK: Amounts(1_00, 0),
            DocumentKind.RETURN: Amounts(0, 50_00),
            DocumentKind.GOODWILL: Amounts(0, 4_00),
            DocumentKind.WRITE_OFF: Amounts(0, 60_00),
            DocumentKind.PAYOUT: Amounts(0, 1_00),
        }

        assert rebuilt(documents) == Amounts(190_00, -23_00)

    def test_of_nothing_is_nothing(self):
        assert rebuilt({}) == NOTHING == Amounts(0, 0)


class TestCustomerBalances:
    def test_opening_movements_closing_and_what_is_open_and_credit(self):
        postings = {
            "AA0101": {
                PostingKind.INVOICED: Amounts(100_00, 50_00),
                PostingKind.PAYMENT_RECEIVED: Amounts(100_00, 0),
                PostingKind.OVERPAID: Amounts(11_00, 0),
                PostingKind.CREDIT_APPLIED: Amounts(0, 6_00),
            },
            "AA0102": {PostingKind.TAX_CREDITED: Amounts(0, 2_00)},
        }
        documents = {
            "AA0101": {INVOICES: Amounts(100_00, 50_00), RECEIPTS: Amounts(111_00, 0), USED: Amounts(0, 6_00)},
            "AA0102": {INVOICES: Amounts(0, -2_00)},
        }

        found = customer_balances(postings, documents)

        assert found.opening == Comparison("opening", -11_00, -11_00)
        assert found.closing == Comparison("closing", 37_00, 37_00)
        assert (found.open_cents, found.credit_cents) == (44_00, 7_00)
        assert found.credit_used == Comparison(USED, 6_00, 6_00)
        assert [each.name for each in found.movements] == [each for each in DocumentKind if each is not USED]
        assert [each for each in found.movements if each.journal_cents] == [Comparison(INVOICES, 48_00, 48_00)]
        assert found.accounts == ()
        assert found.agrees

    def test_a_difference_is_told_by_movement_and_by_account(self):
        postings = {"B": {PostingKind.INVOICED: Amounts(0, 5)}, "A": {PostingKind.INVOICED: Amounts(0, 1)}}
        documents = {"A": {INVOICES: Amounts(0, 1)}, "C": {RECEIPTS: Amounts(0, 2)}}

        found = customer_balances(postings, documents)

        assert found.accounts == (Comparison("B", 5, 0), Comparison("C", 0, -2))
        assert [each.name for each in found.movements if not each.agrees] == [INVOICES, RECEIPTS]
        assert not found.agrees

    def test_differences_of_two_accounts_do_not_hide_each_other(self):
        postings = {"A": {PostingKind.INVOICED: Amounts(0, 5)}}
        documents = {"B": {INVOICES: Amounts(0, 5)}}

        found = customer_balances(postings, documents)

        assert found.closing.agrees
        assert not found.agrees

    def test_nor_do_those_of_two_documents_of_one_account(self):
        """A payment that was posted as a write-off leaves the balance right, and the books wrong."""
        found = customer_balances({"A": {PostingKind.WRITTEN_OFF: Amounts(0, 5)}}, {"A": {RECEIPTS: Amounts(0, 5)}})

        assert found.accounts == ()
        assert not found.agrees

    def test_credit_that_was_set_against_an_invoice_without_a_document_is_seen(self):
        """It moves both balances alike, so that what is owed in all is right, and neither of its parts."""
        found = customer_balances({"A": {PostingKind.CREDIT_APPLIED: Amounts(3, 4)}}, {})

        assert found.closing.agrees
        assert found.credit_used == Comparison(USED, 4, 0)
        assert found.accounts == (Comparison("A, credit set against invoices", 7, 0),)
        assert not found.agrees

    @given(
        st.dictionaries(
            st.sampled_from("ABC"),
            st.dictionaries(
                st.sampled_from(PostingKind), st.builds(Amounts, st.integers(0, 10**9), st.integers(0, 10**9))
            ),
        )
    )
    def test_whatever_was_posted_agrees_with_the_documents_behind_it(self, postings):
        documents = {account: documents_behind(kinds) for account, kinds in postings.items()}

        found = customer_balances(postings, documents)

        assert found.agrees
        assert found.closing.journal_cents == found.open_cents - found.credit_cents
        moved = sum(each.journal_cents for each in found.movements)
        assert found.opening.journal_cents + moved == found.closing.journal_cents
