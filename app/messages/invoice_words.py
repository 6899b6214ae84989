"""An invoice in words and written figures, the same for every document that shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import explain
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import LineKind
from app.domain.ledger import PaymentKind, PostingKind, ReversalReason
from app.domain.payment_methods import method_name
from app.domain.periods import billing_date, day_before
from app.formatting import format_date, format_money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.domain.periods import Period
    from app.views.invoices import Credit, Invoice, Payment, PlacedLine, Reversal

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

KIND_NAMES = {
    InvoiceKind.CYCLE: "Monthly invoice",
    InvoiceKind.PLAN_CHANGE: "Plan change",
    InvoiceKind.PLAN_UPGRADE: "Automatic plan upgrade",
    InvoiceKind.ADD_ON: "Add-on",
    InvoiceKind.FINAL: "Final invoice",
    InvoiceKind.CREDIT_NOTE: "Credit note",
}
"""What gave rise to an invoice, for people."""

_CAPTIONS = {
    InvoiceKind.CYCLE: "Charges for {}, and for usage of earlier months",
    InvoiceKind.PLAN_CHANGE: "Plan change, billed for the whole month {}",
    InvoiceKind.PLAN_UPGRADE: "Upgrade to the plan that fits the usage of {}; it replaces the plan billed before",
    InvoiceKind.ADD_ON: "Purchases in {}",
    InvoiceKind.FINAL: "Final charges for {}, and for usage of earlier months",
    InvoiceKind.CREDIT_NOTE: "Credits issued in {}",
}

PAYMENT_NAMES = {PaymentKind.CHECK: "Check", PaymentKind.CARD: "Card", PaymentKind.PAYPAL: "PayPal"}
"""How money came in, for people."""

REVERSAL_NAMES = {
    ReversalReason.REFUNDED: "Refunded",
    ReversalReason.CHARGED_BACK: "Chargeback",
    ReversalReason.RETURNED: "Payment returned",
}
"""Why a payment was reversed, for people."""

_CREDIT = {
    PostingKind.CREDIT_GRANTED: "from an earlier invoice or credit note",
    PostingKind.TAX_CREDITED: "tax of an earlier invoice or credit note",
    PostingKind.OVERPAID: "from an earlier payment",
    PostingKind.PREPAID: "paid in advance",
    PostingKind.GOODWILL_GRANTED: "goodwill",
    PostingKind.CREDIT_RESTORED: "back from an invoice that was withdrawn",
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
    """All that a document shows, in its order. `about` names the other invoice that this one is about, if any."""

    issuer: str
    product: str
    number: str
    title: str
    about: str
    account_name: str
    account_number: str
    status: str
    is_open: bool
    issued_on: str
    due_on: str
    period: str
    caption: str
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
        title=f"{'Credit note' if facts.kind is InvoiceKind.CREDIT_NOTE else 'Invoice'} {facts.number}",
        about=_about(invoice),
        account_name=facts.account_name,
        account_number=facts.account_external_id,
        status=STATUS_NAMES[facts.status],
        is_open=facts.status is InvoiceStatus.OPEN,
        issued_on=format_date(billing_date(facts.issued_at)),
        due_on=format_date(facts.due_on),
        period=_days(invoice.period),
        caption=_CAPTIONS[facts.kind].format(_days(invoice.period)),
        lines=tuple(_line(placed) for placed in invoice.lines if placed.line.kind is not LineKind.TAX),
        sums=tuple(_sums(invoice)),
        balance=format_money(facts.balance_cents),
    )


def _about(invoice: Invoice) -> str:
    facts = invoice.facts
    if facts.corrects_number is None:
        return ""
    relation = "On" if facts.kind is InvoiceKind.CREDIT_NOTE else "In place of"
    return f"{relation} invoice {facts.corrects_number}"


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
    """Yield the way from the lines to the balance; every amount is what it adds."""
    facts = invoice.facts
    at_issue, later = invoice.credits_at_issue, invoice.later_credits
    yield from _tax_sums(invoice)
    yield Sum("Total", format_money(facts.total_cents))
    yield from (_credit(credit) for credit in at_issue)
    if invoice.credit_created_cents:
        note = "It pays for other invoices."
        yield Sum("Credited to your account", format_money(invoice.credit_created_cents), note)
    if at_issue or invoice.credit_created_cents:
        yield Sum("Amount due", format_money(facts.amount_due_cents))
    yield from (_credit(credit) for credit in later)
    yield from (_payment(payment) for payment in invoice.payments)
    yield from (_reversals(back) for back in invoice.reversals)
    if facts.status is InvoiceStatus.VOID:
        yield _withdrawn(invoice)
    note = "written off" if facts.status is InvoiceStatus.UNCOLLECTIBLE else ""
    yield Sum("Balance", format_money(facts.balance_cents), note, is_final=True)


def _tax_sums(invoice: Invoice) -> Iterator[Sum]:
    taxes = [placed.line for placed in invoice.lines if placed.line.kind is LineKind.TAX]
    if taxes:
        yield Sum("Subtotal", format_money(invoice.subtotal_cents))
    for line in taxes:
        words = explain(line)
        yield Sum(words.title, format_money(line.amount_cents), words.arithmetic)


def _withdrawn(invoice: Invoice) -> Sum:
    """What was still due when the invoice became void is not to be paid; credit that it had used is credit again."""
    credited_cents = sum(credit.amount_cents for credit in invoice.credits)
    paid_cents = sum(payment.amount_cents for payment in invoice.payments)
    settled_cents = credited_cents + paid_cents - sum(back.amount_cents for back in invoice.reversals)
    note = "The credit that it had used is yours again." if invoice.credits else ""
    left_cents = max(0, invoice.facts.total_cents) - settled_cents
    return Sum("Withdrawn", format_money(invoice.facts.balance_cents - left_cents), note)


def _credit(credit: Credit) -> Sum:
    note = f"{_CREDIT[credit.origin]}, {format_date(billing_date(credit.granted_at))}"
    return Sum("Credit applied", format_money(-credit.amount_cents), note)


def _paid_by(payment: Payment | Reversal) -> str:
    """Name what paid as the portal does: a card by its network and last digits, a check by its number."""
    if payment.brand is not None:
        return method_name(payment.brand, payment.last4, payment.payer_email)
    return f"{PAYMENT_NAMES[payment.kind]} {payment.reference}"


def _payment(payment: Payment) -> Sum:
    note = f"{_paid_by(payment)}, received {format_date(payment.received_on)}"
    return Sum("Payment", format_money(-payment.amount_cents), note)


def _reversals(back: Reversal) -> Sum:
    note = f"{_paid_by(back)}, {format_date(billing_date(back.reversed_at))}"
    return Sum(REVERSAL_NAMES[ReversalReason(back.why)], format_money(back.amount_cents), note)
