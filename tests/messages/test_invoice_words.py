"""The words below the lines of an invoice: total, credit, payments, and what is left."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoices import compute_invoice
from app.domain.ledger import BOOKS_OF, Book, PaymentKind, PostingKind
from app.messages.invoice_words import KIND_NAMES, Sum, invoice_words
from app.views.invoices import Credit, Payment, Reversal
from tests.factories.invoices import SALES_TAX, TWO_TAXES, a_charge, a_correction, change_with_credit_kept, facts
from tests.factories.issued import an_invoice

GRANTED_AT = datetime(2026, 7, 2, 5, tzinfo=UTC)
CHECK = Payment(PaymentKind.CHECK, 100_00, date(2026, 8, 3), "1042")


def labels(words):
    return [(one.label, one.amount) for one in words.sums]


class TestInvoiceWords:
    def test_a_plain_invoice_has_a_total_and_a_balance(self):
        words = invoice_words(an_invoice())
        assert words.sums == (Sum("Total", "$139.00"), Sum("Balance", "$139.00", is_final=True))
        assert (words.status, words.is_open, words.issued_on) == ("Open", True, "August 1, 2026")
        assert words.period == "August 1, 2026 – August 31, 2026"

    def test_credit_and_payments_stand_between_them(self):
        credit = Credit(30_00, PostingKind.CREDIT_GRANTED, GRANTED_AT)
        words = invoice_words(an_invoice(used=(credit,), payments=(CHECK,)))
        assert words.sums == (
            Sum("Total", "$139.00"),
            Sum("Credit applied", "-$30.00", "from an earlier invoice or credit note, July 1, 2026"),
            Sum("Amount due", "$109.00"),
            Sum("Payment", "-$100.00", "Check 1042, received August 3, 2026"),
            Sum("Balance", "$9.00", is_final=True),
        )

    @pytest.mark.parametrize(
        ("why", "label"),
        [
            (PostingKind.REFUNDED, "Refunded"),
            (PostingKind.CHARGED_BACK, "Chargeback"),
            (PostingKind.RETURNED, "Payment returned"),
        ],
    )
    def test_what_went_back_of_a_payment_stands_below_it(self, why, label):
        charge = Payment(PaymentKind.CARD, 139_00, date(2026, 8, 1), "abc123", "Visa", "1111")
        back = Reversal(
            why, 39_00, datetime(2026, 8, 6, 3, tzinfo=UTC), PaymentKind.PAYPAL, "abc123", "PayPal", None, "a@b.c"
        )
        words = invoice_words(an_invoice(payments=(charge,), reversals=(back,)))
        assert words.sums[-3:] == (
            Sum("Payment", "-$139.00", "Visa ending in 1111, received August 1, 2026"),
            Sum(label, "$39.00", "PayPal a@b.c, August 5, 2026"),
            Sum("Balance", "$39.00", is_final=True),
        )

    def test_a_payment_whose_method_is_not_known_is_named_by_its_reference(self):
        charge = Payment(PaymentKind.CARD, 139_00, date(2026, 8, 1), "abc123")
        words = invoice_words(an_invoice(payments=(charge,)))
        assert Sum("Payment", "-$139.00", "Card abc123, received August 1, 2026") in words.sums

    def test_a_total_below_zero_becomes_credit(self):
        """Rule 14."""
        words = invoice_words(an_invoice(total_cents=-91_00, status=InvoiceStatus.PAID))
        assert words.sums == (
            Sum("Total", "-$91.00"),
            Sum("Credited to your account", "$91.00", "It pays for other invoices."),
            Sum("Amount due", "$0.00"),
            Sum("Balance", "$0.00", is_final=True),
        )
        assert (words.status, words.is_open) == ("Paid", False)

    def test_tax_stands_below_the_lines_after_what_it_is_on(self):
        """Rule 11."""
        taxed = compute_invoice(facts("2026-08", charges=(a_charge(),), taxes=(SALES_TAX,))).lines
        words = invoice_words(an_invoice(lines=taxed))
        assert [line.title for line in words.lines] == ["100 Minutes plan, August 2026", "Script rewritten"]
        assert words.sums == (
            Sum("Subtotal", "$179.00"),
            Sum("Kansas sales tax", "$11.64", "6.5 % of $179.00 = $11.64"),
            Sum("Total", "$190.64"),
            Sum("Balance", "$190.64", is_final=True),
        )

    def test_each_of_several_taxes_has_a_row_of_its_own(self):
        """Rule 11: 6.5 % to the state, 1.25 % to the city."""
        taxed = compute_invoice(facts("2026-08", taxes=TWO_TAXES)).lines
        assert invoice_words(an_invoice(lines=taxed)).sums == (
            Sum("Subtotal", "$139.00"),
            Sum("Kansas sales tax", "$9.04", "6.5 % of $139.00 = $9.04"),
            Sum("Wichita sales tax", "$1.74", "1.25 % of $139.00 = $1.74"),
            Sum("Total", "$149.78"),
            Sum("Balance", "$149.78", is_final=True),
        )

    def test_tax_that_is_given_back_names_its_invoice_and_credit_kept_its_note(self):
        """Rules 11, 13 and 27: $20.00 of the $139.00 had been credited, and stay off the new price."""
        words = invoice_words(an_invoice(lines=change_with_credit_kept(), kind=InvoiceKind.PLAN_CHANGE))
        assert [(line.title, line.amount) for line in words.lines] == [
            ("220 Minutes plan, August 2026", "$239.00"),
            ("100 Minutes plan, August 2026: given back", "-$119.00"),
            ("Credit kept from credit note 100002", "-$20.00"),
        ]
        assert words.lines[2].arithmetic == "this much of it stays off the new price: $20.00"
        assert words.sums == (
            Sum("Subtotal", "$100.00"),
            Sum("Kansas sales tax", "$15.54", "6.5 % of $239.00 = $15.54"),
            Sum("Wichita sales tax", "$2.99", "1.25 % of $239.00 = $2.99"),
            Sum("Kansas sales tax of the credit kept", "-$1.30", "6.5 % of -$20.00 = -$1.30"),
            Sum("Wichita sales tax of the credit kept", "-$0.25", "1.25 % of -$20.00 = -$0.25"),
            Sum(
                "Kansas sales tax of invoice 100001: given back",
                "-$7.74",
                "6.5 % charged on $119.00: -$7.74",
            ),
            Sum(
                "Wichita sales tax of invoice 100001: given back",
                "-$1.49",
                "1.25 % charged on $119.00: -$1.49",
            ),
            Sum("Total", "$107.75"),
            Sum("Balance", "$107.75", is_final=True),
        )

    def test_credit_that_came_after_the_issue_stands_below_the_amount_due(self):
        """Rules 27 and 35: a credit note over it."""
        at_issue = Credit(30_00, PostingKind.GOODWILL_GRANTED, GRANTED_AT)
        later = Credit(50_00, PostingKind.CREDIT_GRANTED, datetime(2026, 8, 5, 19, tzinfo=UTC))
        words = invoice_words(an_invoice(used=(at_issue,), used_later=(later,)))
        assert words.sums == (
            Sum("Total", "$139.00"),
            Sum("Credit applied", "-$30.00", "goodwill, July 1, 2026"),
            Sum("Amount due", "$109.00"),
            Sum("Credit applied", "-$50.00", "from an earlier invoice or credit note, August 5, 2026"),
            Sum("Balance", "$59.00", is_final=True),
        )

    def test_a_void_invoice_takes_back_what_was_still_due(self):
        """Rule 27."""
        credit = Credit(30_00, PostingKind.PREPAID, GRANTED_AT)
        words = invoice_words(an_invoice(used=(credit,), status=InvoiceStatus.VOID))
        assert words.sums[-2:] == (
            Sum("Withdrawn", "-$109.00", "The credit that it had used is yours again."),
            Sum("Balance", "$0.00", is_final=True),
        )
        assert labels(invoice_words(an_invoice(status=InvoiceStatus.VOID))) == [
            ("Total", "$139.00"),
            ("Withdrawn", "-$139.00"),
            ("Balance", "$0.00"),
        ]

    def test_what_was_written_off_is_said_beside_the_balance(self):
        words = invoice_words(an_invoice(payments=(CHECK,), status=InvoiceStatus.UNCOLLECTIBLE))
        assert words.sums[-1] == Sum("Balance", "$39.00", "written off", is_final=True)

    def test_what_is_paid_of_a_write_off_leaves_the_rest_beside_the_balance(self):
        """Rule 27."""
        later = Payment(PaymentKind.CHECK, 25_00, date(2026, 9, 3), "1077")
        words = invoice_words(an_invoice(payments=(CHECK, later), status=InvoiceStatus.UNCOLLECTIBLE))
        assert words.sums == (
            Sum("Total", "$139.00"),
            Sum("Payment", "-$100.00", "Check 1042, received August 3, 2026"),
            Sum("Payment", "-$25.00", "Check 1077, received September 3, 2026"),
            Sum("Balance", "$14.00", "written off", is_final=True),
        )

    def test_a_credit_note_says_which_invoice_it_is_on(self):
        note = an_invoice(
            lines=[a_correction()], kind=InvoiceKind.CREDIT_NOTE, status=InvoiceStatus.PAID, corrects_number=100_001
        )
        words = invoice_words(note)
        assert (words.title, words.about) == ("Credit note 100002", "On invoice 100001")
        assert words.lines[0].arithmetic == "charged $139.00, given back now $50.00"
        assert labels(words)[:2] == [("Total", "-$50.00"), ("Credited to your account", "$50.00")]

    def test_an_invoice_in_the_place_of_a_void_one_says_so(self):
        words = invoice_words(an_invoice(corrects_number=100_001))
        assert (words.title, words.about) == ("Invoice 100002", "In place of invoice 100001")
        assert invoice_words(an_invoice()).about == ""

    @pytest.mark.parametrize("kind", list(InvoiceKind))
    def test_every_kind_has_a_name_and_says_what_it_charges(self, kind):
        assert KIND_NAMES[kind]
        assert "August 1, 2026 – August 31, 2026" in invoice_words(an_invoice(kind=kind)).caption

    @pytest.mark.parametrize("origin", [kind for kind, books in BOOKS_OF.items() if books[1] is Book.CUSTOMER_CREDIT])
    def test_every_way_to_credit_has_words(self, origin):
        words = invoice_words(an_invoice(used=(Credit(30_00, origin, GRANTED_AT),)))
        assert words.sums[1].note.endswith(", July 1, 2026")
