"""The words below the lines of an invoice: total, credit, payments, and what is left."""

from __future__ import annotations

from datetime import UTC, date, datetime

from app.domain.invoices import InvoiceKind, InvoiceStatus
from app.domain.ledger import PaymentKind, PostingKind
from app.messages.invoice_words import Sum, invoice_words
from app.views.invoices import Credit, Invoice, InvoiceFacts, Payment, place_line
from tests.factories.invoices import a_line

ISSUED_AT = datetime(2026, 8, 1, 13, 0, tzinfo=UTC)


def an_invoice(*, total_cents=139_00, used=(), payments=(), status=InvoiceStatus.OPEN) -> Invoice:
    applied_cents = sum(credit.amount_cents for credit in used)
    facts = InvoiceFacts(
        id="inv_1",
        account_id="acc_1",
        account_external_id="AA0101",
        account_name="Harbor Dental",
        kind=InvoiceKind.CYCLE,
        status=status,
        number=100_002,
        period_on=date(2026, 8, 1),
        issued_at=ISSUED_AT,
        due_on=date(2026, 8, 1),
        paid_at=None,
        total_cents=total_cents,
        credit_applied_cents=applied_cents,
        amount_due_cents=max(0, total_cents) - applied_cents,
        content_hash="",
        paid_cents=sum(payment.amount_cents for payment in payments),
        paid_starts_on=date(2026, 7, 1),
        usage_watermark=0,
        earlier_watermark=0,
    )
    return Invoice(facts, [place_line(facts, 1, a_line(amount_cents=total_cents, month="2026-08"))], payments, used)


class TestInvoiceWords:
    def test_a_plain_invoice_has_a_total_and_a_balance(self):
        words = invoice_words(an_invoice())
        assert words.sums == (Sum("Total", "$139.00"), Sum("Balance", "$139.00", is_final=True))
        assert (words.status, words.is_open, words.issued_on) == ("Open", True, "August 1, 2026")
        assert words.period == "August 1, 2026 – August 31, 2026"

    def test_credit_and_payments_stand_between_them(self):
        credit = Credit(30_00, PostingKind.CREDIT_GRANTED, datetime(2026, 7, 2, 5, tzinfo=UTC))
        payment = Payment(PaymentKind.CHECK, 100_00, date(2026, 8, 3), "1042")
        words = invoice_words(an_invoice(used=(credit,), payments=(payment,)))
        assert words.sums == (
            Sum("Total", "$139.00"),
            Sum("Credit applied", "-$30.00", "from an earlier invoice, July 1, 2026"),
            Sum("Amount due", "$109.00"),
            Sum("Payment", "-$100.00", "Check 1042, received August 3, 2026"),
            Sum("Balance", "$9.00", is_final=True),
        )

    def test_a_total_below_zero_becomes_credit(self):
        """Rule 14."""
        words = invoice_words(an_invoice(total_cents=-91_00, status=InvoiceStatus.PAID))
        assert words.sums == (
            Sum("Total", "-$91.00"),
            Sum("Credited to your account", "$91.00", "It pays for coming invoices."),
            Sum("Amount due", "$0.00"),
            Sum("Balance", "$0.00", is_final=True),
        )
        assert (words.status, words.is_open) == ("Paid", False)
