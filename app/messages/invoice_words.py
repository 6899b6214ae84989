"""An invoice in words and written figures, the same for every document that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import explain
from app.domain.invoices import InvoiceStatus
from app.domain.ledger import PaymentKind, PostingKind
from app.domain.periods import billing_date, day_before
from app.formatting import format_date, format_money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.periods import Period
    from app.views.invoices import Credit, Invoice, Payment, PlacedLine

ISSUER = "Specialty Answering Service"
PRODUCT = "SAS Flex Billing"

STATUS_NAMES = {
    InvoiceStatus.DRAFT: "Draft",
    InvoiceStatus.OPEN: "Open",
    InvoiceStatus.PAID: "Paid",
    InvoiceStatus.VOID: "Void",
    InvoiceStatus.UNCOLLECTIBLE: "Uncollectible",
}
"""Where an invoice stands, for people."""

_PAYMENT = {PaymentKind.CHECK: "Check"}

_CREDIT = {
    PostingKind.CREDIT_GRANTED: "from an earlier invoice",
    PostingKind.OVERPAID: "from an earlier payment",
}


@dataclass(frozen=True, slots=True)
class LineWords:
    """One line: what, for which days, how it was worked out, and the amount."""

    title: str
    period: str
    arithmetic: str
    amount: str


@dataclass(frozen=True, slots=True)
class Sum:
    """One row below the lines; `note` tells more about it, `is_final` marks the one that counts."""

    label: str
    amount: str
    note: str = ""
    is_final: bool = False


@dataclass(frozen=True, slots=True)
class InvoiceWords:
    """All that a document shows, in its order."""

    issuer: str
    product: str
    number: str
    account_name: str
    account_number: str
    status: str
    is_open: bool
    issued_on: str
    due_on: str
    period: str
    lines: tuple[LineWords, ...]
    sums: tuple[Sum, ...]
    balance: str


def invoice_words(invoice: Invoice) -> InvoiceWords:
    """Return the words of an invoice in American English; dates are billing dates."""
    facts = invoice.facts
    return InvoiceWords(
        issuer=ISSUER,
        product=PRODUCT,
        number=str(facts.number),
        account_name=facts.account_name,
        account_number=facts.account_external_id,
        status=STATUS_NAMES[facts.status],
        is_open=facts.status is InvoiceStatus.OPEN,
        issued_on=format_date(billing_date(facts.issued_at)),
        due_on=format_date(facts.due_on),
        period=_days(invoice.period),
        lines=tuple(_line(placed) for placed in invoice.lines),
        sums=tuple(_sums(invoice)),
        balance=format_money(invoice.balance_cents),
    )


def _line(placed: PlacedLine) -> LineWords:
    words = explain(placed.line)
    return LineWords(
        title=words.title,
        period=_days(placed.line.period),
        arithmetic=words.arithmetic,
        amount=format_money(placed.line.amount_cents),
    )


def _days(period: Period) -> str:
    first, last = format_date(period.starts_on), format_date(day_before(period.ends_before))
    return f"{first} – {last}"


def _sums(invoice: Invoice) -> Iterator[Sum]:
    facts = invoice.facts
    yield Sum("Total", format_money(facts.total_cents))
    yield from (_credit(credit) for credit in invoice.credits)
    if invoice.credit_created_cents:
        note = "It pays for coming invoices."
        yield Sum("Credited to your account", format_money(invoice.credit_created_cents), note)
    if invoice.credits or invoice.credit_created_cents:
        yield Sum("Amount due", format_money(facts.amount_due_cents))
    yield from (_payment(payment) for payment in invoice.payments)
    yield Sum("Balance", format_money(invoice.balance_cents), is_final=True)


def _credit(credit: Credit) -> Sum:
    note = f"{_CREDIT[credit.origin]}, {format_date(billing_date(credit.granted_at))}"
    return Sum("Credit applied", format_money(-credit.amount_cents), note)


def _payment(payment: Payment) -> Sum:
    note = f"{_PAYMENT[payment.kind]} {payment.reference}, received {format_date(payment.received_on)}"
    return Sum("Payment", format_money(-payment.amount_cents), note)
