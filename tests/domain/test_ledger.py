"""The books: what issuing and paying move (rules 14, 27 and 35)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.ledger import (
    BOOKS_OF,
    AccountBalances,
    Book,
    CreditGrant,
    InvoiceBalances,
    OpenInvoice,
    Posting,
    PostingKind,
    account_balances,
    invoice_balances,
    issue_postings,
    moved_cents,
    payment_postings,
)
from app.domain.taxes import TaxRate
from tests.factories.invoices import SALES_TAX, a_draft, a_line, billed_base, facts
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.strategies import any_facts

INVOICE = "inv_000000000000000000000000a1"
PAYMENT = "pay_000000000000000000000000b2"
GRANTS = st.lists(st.integers(0, 50_000), max_size=5).map(
    lambda amounts: [CreditGrant(10 + index, cents) for index, cents in enumerate(amounts)]
)
OPEN_INVOICES = st.lists(st.integers(0, 50_000), max_size=5).map(
    lambda amounts: [OpenInvoice(f"inv_{index}", cents) for index, cents in enumerate(amounts)]
)


def balances(postings):
    """Debits less credits of each book."""
    books = Counter()
    for posting in postings:
        books[posting.debit] += posting.amount_cents
        books[posting.credit] -= posting.amount_cents
    return books


class TestPosting:
    @pytest.mark.parametrize(
        ("kind", "debit", "credit"),
        [
            (PostingKind.INVOICED, Book.RECEIVABLE, Book.REVENUE),
            (PostingKind.CREDIT_GRANTED, Book.REVENUE, Book.CUSTOMER_CREDIT),
            (PostingKind.CREDIT_APPLIED, Book.CUSTOMER_CREDIT, Book.RECEIVABLE),
            (PostingKind.PAYMENT_RECEIVED, Book.CASH, Book.RECEIVABLE),
            (PostingKind.OVERPAID, Book.CASH, Book.CUSTOMER_CREDIT),
            (PostingKind.TAX_INVOICED, Book.RECEIVABLE, Book.TAX_PAYABLE),
            (PostingKind.TAX_CREDITED, Book.TAX_PAYABLE, Book.CUSTOMER_CREDIT),
            (PostingKind.PREPAID, Book.CASH, Book.CUSTOMER_CREDIT),
            (PostingKind.GOODWILL_GRANTED, Book.GOODWILL, Book.CUSTOMER_CREDIT),
            (PostingKind.CREDIT_PAID_OUT, Book.CUSTOMER_CREDIT, Book.CASH),
            (PostingKind.VOIDED, Book.REVENUE, Book.RECEIVABLE),
            (PostingKind.TAX_VOIDED, Book.TAX_PAYABLE, Book.RECEIVABLE),
            (PostingKind.CREDIT_RESTORED, Book.RECEIVABLE, Book.CUSTOMER_CREDIT),
            (PostingKind.WRITTEN_OFF, Book.BAD_DEBT, Book.RECEIVABLE),
            (PostingKind.WRITE_OFF_RECOVERED, Book.CASH, Book.BAD_DEBT),
            (PostingKind.REVERSED, Book.REVENUE, Book.RECEIVABLE),
            (PostingKind.TAX_REVERSED, Book.TAX_PAYABLE, Book.RECEIVABLE),
            (PostingKind.REVERSAL_VOIDED, Book.RECEIVABLE, Book.REVENUE),
            (PostingKind.TAX_REVERSAL_VOIDED, Book.RECEIVABLE, Book.TAX_PAYABLE),
            (PostingKind.REFUNDED, Book.RECEIVABLE, Book.CASH),
            (PostingKind.CHARGED_BACK, Book.RECEIVABLE, Book.CASH),
            (PostingKind.RETURNED, Book.RECEIVABLE, Book.CASH),
        ],
    )
    def test_moves_an_amount_from_one_book_to_another(self, kind, debit, credit):
        posting = Posting(kind, 1)
        assert (posting.debit, posting.credit) == (debit, credit)

    def test_adds_to_the_book_it_debits_and_takes_from_the_one_it_credits(self):
        posting = Posting(PostingKind.PAYMENT_RECEIVED, 92_60)
        moved = {book: moved_cents(posting, book) for book in Book}
        assert moved == dict.fromkeys(Book, 0) | {Book.RECEIVABLE: -92_60, Book.CASH: 92_60}

    def test_knows_the_books_of_every_kind(self):
        assert set(BOOKS_OF) == set(PostingKind)
        assert all(debit != credit for debit, credit in BOOKS_OF.values())


class TestIssuePostings:
    def test_charge_the_invoice(self):
        assert issue_postings(a_draft(), INVOICE, ()) == (Posting(PostingKind.INVOICED, 139_00, INVOICE),)

    def test_rule_35_use_up_credit_from_the_oldest_on(self):
        grants = [CreditGrant(4, 91_00), CreditGrant(7, 20_00), CreditGrant(9, 500_00)]
        assert issue_postings(a_draft(credit_applied_cents=115_00), INVOICE, grants) == (
            Posting(PostingKind.INVOICED, 139_00, INVOICE),
            Posting(PostingKind.CREDIT_APPLIED, 91_00, INVOICE, grant_seq=4),
            Posting(PostingKind.CREDIT_APPLIED, 20_00, INVOICE, grant_seq=7),
            Posting(PostingKind.CREDIT_APPLIED, 4_00, INVOICE, grant_seq=9),
        )

    def test_move_one_cent_like_any_other_amount(self):
        draft = a_draft(lines=(a_line(amount_cents=1),), credit_applied_cents=1)
        assert issue_postings(draft, INVOICE, [CreditGrant(4, 1)]) == (
            Posting(PostingKind.INVOICED, 1, INVOICE),
            Posting(PostingKind.CREDIT_APPLIED, 1, INVOICE, grant_seq=4),
        )

    def test_pass_over_credit_that_is_used_up(self):
        grants = [CreditGrant(4, 0), CreditGrant(7, 10_00)]
        assert issue_postings(a_draft(credit_applied_cents=10_00), INVOICE, grants)[1:] == (
            Posting(PostingKind.CREDIT_APPLIED, 10_00, INVOICE, grant_seq=7),
        )

    def test_rule_14_make_credit_of_a_total_below_zero(self):
        draft = a_draft(lines=(a_line(amount_cents=128_00), a_line(amount_cents=-219_00)))
        assert issue_postings(draft, INVOICE, [CreditGrant(4, 91_00)]) == (
            Posting(PostingKind.CREDIT_GRANTED, 91_00, INVOICE),
        )

    def test_put_tax_aside_from_what_is_earned(self):
        taxed = compute_invoice(facts(taxes=(SALES_TAX,)))
        assert issue_postings(taxed, INVOICE, ()) == (
            Posting(PostingKind.INVOICED, 139_00, INVOICE),
            Posting(PostingKind.TAX_INVOICED, 9_04, INVOICE),
        )

    def test_rule_14_give_tax_back_with_what_it_was_on(self):
        """The old prices of a change from 220 to 100: 6.5 % of $128.00 is $8.32, less the $14.24 of the $219.00."""
        lower = facts(
            kind=InvoiceKind.PLAN_CHANGE,
            plan=a_plan(base_cents=128_00),
            billed_base=billed_base(219_00, a_220_plan(), taxes=(SALES_TAX,)),
            taxes=(SALES_TAX,),
        )
        assert issue_postings(compute_invoice(lower), INVOICE, ()) == (
            Posting(PostingKind.CREDIT_GRANTED, 91_00, INVOICE),
            Posting(PostingKind.TAX_CREDITED, 5_92, INVOICE),
        )

    @pytest.mark.parametrize(
        ("billed_cents", "new_cents", "old_rate", "new_rate", "moved"),
        [
            # A lower plan, where tax began since: its tax is paid by the reversal, the rest of that is credit.
            (239_00, 39_00, 0, 100_000, {"TAX_INVOICED": 3_90, "REVERSED": 3_90, "CREDIT_GRANTED": 196_10}),
            # The new tax is dearer than what the lower plan saves.
            (139_00, 138_00, 0, 100_000, {"TAX_INVOICED": 13_80, "REVERSED": 1_00}),
            # A higher plan, where tax has ended since: the tax that had been charged comes off its price.
            (139_00, 239_00, 200_000, 0, {"INVOICED": 100_00, "TAX_REVERSED": 27_80}),
            (139_00, 149_00, 200_000, 0, {"INVOICED": 10_00, "TAX_REVERSED": 10_00, "TAX_CREDITED": 17_80}),
        ],
    )
    def test_rule_14_what_comes_back_first_lowers_what_is_charged_besides(
        self, billed_cents, new_cents, old_rate, new_rate, moved
    ):
        change = facts(
            kind=InvoiceKind.PLAN_CHANGE,
            plan=a_plan(code="new", base_cents=new_cents),
            billed_base=billed_base(billed_cents, taxes=(TaxRate("Tax", old_rate),)),
            taxes=(TaxRate("Tax", new_rate),),
        )
        postings = issue_postings(compute_invoice(change), INVOICE, ())
        assert {str(posting.kind): posting.amount_cents for posting in postings} == moved

    def test_rule_27_move_nothing_for_a_total_of_zero(self):
        free = a_draft(lines=(a_line(amount_cents=139_00), a_line(amount_cents=-139_00, kind=LineKind.ADJUSTMENT)))
        assert issue_postings(free, INVOICE, [CreditGrant(4, 91_00)]) == ()

    def test_refuse_to_apply_credit_that_nobody_granted(self):
        with pytest.raises(ArithmeticError, match="Credit of 1 cents was to be applied"):
            issue_postings(a_draft(credit_applied_cents=10_01), INVOICE, [CreditGrant(4, 10_00)])

    @given(known=any_facts(), grants=GRANTS)
    def test_rule_35_leave_each_book_with_what_the_invoice_says(self, known, grants):
        available = sum(grant.remaining_cents for grant in grants)
        draft = compute_invoice(replace(known, credit_available_cents=available))
        postings = issue_postings(draft, INVOICE, grants)
        books = balances(postings)
        assert sum(books.values()) == 0
        assert all(posting.amount_cents > 0 and posting.invoice_id == INVOICE for posting in postings)
        assert books[Book.RECEIVABLE] == draft.amount_due_cents
        assert books[Book.REVENUE] == -(draft.total_cents - draft.tax_cents)
        assert books[Book.TAX_PAYABLE] == -draft.tax_cents
        assert books[Book.CUSTOMER_CREDIT] == draft.credit_applied_cents - draft.credit_created_cents

    @given(grants=GRANTS, share=st.integers(0, 100))
    def test_rule_35_never_overdraw_a_grant_nor_touch_a_newer_one_before_it_is_empty(self, grants, share):
        applied = sum(grant.remaining_cents for grant in grants) * share // 100
        draft = a_draft(lines=(a_line(amount_cents=1_000_000),), credit_applied_cents=applied)
        used = Counter(
            {posting.grant_seq: posting.amount_cents for posting in issue_postings(draft, INVOICE, grants)[1:]}
        )
        left = [grant.remaining_cents - used[grant.seq] for grant in grants]
        assert used.total() == applied
        assert min(left, default=0) >= 0
        touched = [index for index, grant in enumerate(grants) if used[grant.seq]]
        assert all(left[index] == 0 for index in range(max(touched, default=0)))


def test_an_open_invoice_is_collected_by_itself_and_not_under_way_unless_said():
    assert OpenInvoice("inv_1", 139_00) == OpenInvoice("inv_1", 139_00, 0, is_by_hand=False, is_under_way=False)


class TestPaymentPostings:
    def test_pay_open_invoices_in_the_order_given_and_keep_the_rest_as_credit(self):
        """Rule 35: what is paid beyond the open balance is credit."""
        open_invoices = [OpenInvoice("inv_1", 92_60), OpenInvoice("inv_2", 151_90)]
        assert payment_postings(250_00, PAYMENT, open_invoices) == (
            Posting(PostingKind.PAYMENT_RECEIVED, 92_60, "inv_1", PAYMENT),
            Posting(PostingKind.PAYMENT_RECEIVED, 151_90, "inv_2", PAYMENT),
            Posting(PostingKind.OVERPAID, 5_50, None, PAYMENT),
        )

    def test_stop_when_the_money_is_spent(self):
        open_invoices = [OpenInvoice("inv_1", 0), OpenInvoice("inv_2", 92_60), OpenInvoice("inv_3", 151_90)]
        assert payment_postings(92_60, PAYMENT, open_invoices) == (
            Posting(PostingKind.PAYMENT_RECEIVED, 92_60, "inv_2", PAYMENT),
        )

    def test_pay_in_part(self):
        assert payment_postings(50_00, PAYMENT, [OpenInvoice("inv_1", 92_60)]) == (
            Posting(PostingKind.PAYMENT_RECEIVED, 50_00, "inv_1", PAYMENT),
        )

    @given(amount_cents=st.integers(1, 300_000), open_invoices=OPEN_INVOICES)
    def test_add_up_to_the_payment(self, amount_cents, open_invoices):
        postings = payment_postings(amount_cents, PAYMENT, open_invoices)
        paid = Counter({posting.invoice_id: posting.amount_cents for posting in postings})
        assert sum(posting.amount_cents for posting in postings) == amount_cents
        assert all(posting.amount_cents > 0 and posting.payment_id == PAYMENT for posting in postings)
        assert all(paid[invoice.id] <= invoice.balance_cents for invoice in open_invoices)
        assert paid[None] == max(0, amount_cents - sum(invoice.balance_cents for invoice in open_invoices))
        assert balances(postings)[Book.CASH] == amount_cents


POSTINGS = st.lists(
    st.builds(
        Posting,
        st.sampled_from(PostingKind),
        st.integers(1, 50_000),
        st.sampled_from([None, "inv_1", "inv_2", "inv_3"]),
    ),
    max_size=12,
)


class TestRunningBalances:
    """What postings move on the balances that are kept beside them (rule 35)."""

    STORY = (
        Posting(PostingKind.INVOICED, 139_00, "inv_1"),
        Posting(PostingKind.TAX_INVOICED, 13_90, "inv_1"),
        Posting(PostingKind.CREDIT_GRANTED, 20_00, "inv_2"),
        Posting(PostingKind.CREDIT_APPLIED, 5_00, "inv_1", grant_seq=3),
        Posting(PostingKind.PAYMENT_RECEIVED, 100_00, "inv_1", PAYMENT),
        Posting(PostingKind.WRITTEN_OFF, 47_90, "inv_1"),
        Posting(PostingKind.WRITE_OFF_RECOVERED, 40_00, "inv_1", PAYMENT),
        Posting(PostingKind.INVOICED, 25_00, "inv_3"),
        Posting(PostingKind.OVERPAID, 1_00, None, PAYMENT),
    )

    def test_of_an_account_are_what_it_owes_and_its_credit(self):
        assert account_balances(self.STORY) == AccountBalances(receivable_cents=25_00, credit_cents=16_00)

    def test_of_an_invoice_are_what_is_to_be_paid_and_what_was_written_off(self):
        assert invoice_balances(self.STORY) == {
            "inv_1": InvoiceBalances(balance_cents=0, written_off_cents=7_90),
            "inv_3": InvoiceBalances(balance_cents=25_00, written_off_cents=0),
        }

    def test_of_nothing_are_nothing(self):
        assert (account_balances(()), invoice_balances(())) == (AccountBalances(0, 0), {})

    @given(first=POSTINGS, then=POSTINGS)
    def test_add_up_posting_by_posting_and_are_those_of_the_books(self, first, then):
        together, parts = account_balances([*first, *then]), (account_balances(first), account_balances(then))
        assert together == AccountBalances(*map(sum, zip(*parts, strict=True)))
        books = balances([*first, *then])
        assert together == (books[Book.RECEIVABLE], -books[Book.CUSTOMER_CREDIT])
        for invoice_id, sums in invoice_balances([*first, *then]).items():
            named = balances(each for each in (*first, *then) if each.invoice_id == invoice_id)
            assert sums == (named[Book.RECEIVABLE], named[Book.BAD_DEBT])
            assert any(sums)
