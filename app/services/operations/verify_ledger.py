"""The books of an account checked against themselves, its invoices and its payments (rules 14, 27, 35)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceStatus
from app.domain.invoice_lines import LineKind
from app.domain.ledger import Book, PaymentKind, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.domain.collection import Attempt
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import Payment, PostedPosting


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in the books that does not agree: where, and what was found instead of what.

    A warning is a known fault of an earlier release: to be looked at, but not a sign that the books were damaged.
    """

    account: str
    place: str
    found: str
    expected: str
    is_warning: bool = False


def check_ledger(
    account: str,
    invoices: Sequence[StoredInvoice],
    postings: Sequence[PostedPosting],
    payments: Sequence[Payment],
    last_posting: int,
) -> Iterator[Difference]:
    """Yield how the postings disagree with each other, with the invoices and with the payments.

    `last_posting` is the number of its last posting that the account remembers.
    """
    found = chain(
        _check_order(postings, last_posting),
        _check_credit(postings),
        _check_charges(invoices, postings),
        _check_statuses(invoices, postings),
        _check_payments(payments, postings),
    )
    for place, is_so, should_be in found:
        if is_so != should_be:
            yield Difference(account, place, is_so, should_be)


Comparison = tuple[str, str, str]
"""Where, what is found there, and what should be."""


def _check_order(postings: Sequence[PostedPosting], last_posting: int) -> Iterator[Comparison]:
    for place, posted in enumerate(postings, start=1):
        yield "posting number", str(posted.seq), str(place)
    yield "last posting", str(last_posting), str(len(postings))


def _check_credit(postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """Use up credit from the oldest grant on, as issuing an invoice does, and never below zero (rule 35)."""
    grants: dict[int | None, int] = {}
    for _, seq, posting in postings:
        if posting.credit is Book.CUSTOMER_CREDIT:
            grants[seq] = posting.amount_cents
        elif posting.debit is Book.CUSTOMER_CREDIT:
            oldest = next((grant for grant, left in grants.items() if left > 0), None)
            left = grants.get(oldest, 0)
            yield f"posting {seq}, credit used", f"of posting {posting.grant_seq}", f"of posting {oldest}"
            yield f"posting {seq}, cents", str(posting.amount_cents), str(min(posting.amount_cents, left))
            grants[oldest] = left - posting.amount_cents


def _check_charges(invoices: Sequence[StoredInvoice], postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """Compare what was posted for each invoice when it was issued with what the invoice says (rules 14, 35)."""
    for invoice in invoices:
        tax_cents = sum(line.amount_cents for line in invoice.lines if line.kind is LineKind.TAX)
        net_cents = invoice.total_cents - tax_cents
        lowered = min(max(0, -net_cents), max(0, tax_cents)), min(max(0, -tax_cents), max(0, net_cents))
        said = {
            PostingKind.INVOICED: max(0, net_cents),
            PostingKind.TAX_INVOICED: max(0, tax_cents),
            PostingKind.REVERSED: lowered[0],
            PostingKind.TAX_REVERSED: lowered[1],
            PostingKind.CREDIT_GRANTED: max(0, -net_cents) - lowered[0],
            PostingKind.TAX_CREDITED: max(0, -tax_cents) - lowered[1],
            PostingKind.CREDIT_APPLIED: invoice.credit_applied_cents,
        }
        posted = _posted_at_issue(invoice, postings)
        for kind, cents in said.items():
            yield f"invoice {invoice.number}, posted {kind}", str(posted[kind]), str(cents)


def _posted_at_issue(invoice: StoredInvoice, postings: Sequence[PostedPosting]) -> Counter[PostingKind]:
    """Add up the postings that follow the last one the invoice saw; what came later is not the invoice's doing.

    Charges and grants of an invoice are posted only then; credit is applied to it later too.
    """
    moved: Counter[PostingKind] = Counter()
    for _, seq, posting in postings:
        if posting.invoice_id != invoice.id or posting.kind not in _AT_ISSUE:
            continue
        if posting.kind is not PostingKind.CREDIT_APPLIED or moved[posting.kind] < invoice.credit_applied_cents:
            moved[posting.kind] += posting.amount_cents if seq > invoice.ledger_watermark else 0
    return moved


_AT_ISSUE = frozenset(
    {
        PostingKind.INVOICED,
        PostingKind.TAX_INVOICED,
        PostingKind.REVERSED,
        PostingKind.TAX_REVERSED,
        PostingKind.CREDIT_GRANTED,
        PostingKind.TAX_CREDITED,
        PostingKind.CREDIT_APPLIED,
    }
)


def _check_statuses(invoices: Sequence[StoredInvoice], postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """An invoice is open while something is left to pay, and paid once nothing is; never more than paid (rule 27).

    One that is void, or given up on, has nothing left either.
    """
    open_cents: Counter[str | None] = Counter()
    for _, _, posting in postings:
        open_cents[posting.invoice_id] += moved_cents(posting, Book.RECEIVABLE)
    for invoice in invoices:
        left = open_cents[invoice.id]
        settled = invoice.status if invoice.status in _ENDED else InvoiceStatus.PAID
        status = InvoiceStatus.OPEN if left > 0 else settled
        place = f"invoice {invoice.number}, status"
        yield place, f"{invoice.status} with {left} cents open", f"{status} with {max(0, left)} cents open"


_ENDED = frozenset({InvoiceStatus.VOID, InvoiceStatus.UNCOLLECTIBLE})


def check_charges(account: str, attempts: Sequence[Attempt], payments: Sequence[Payment]) -> Iterator[Difference]:
    """Yield every charge that went through and is not recorded as a payment of the same amount (rule 31)."""
    recorded = {payment.reference: payment.amount_cents for payment in payments if payment.kind in _BY_GATEWAY}
    for attempt in attempts:
        cents = recorded.get(attempt.transaction_id or "", 0)
        if cents != attempt.amount_cents:
            place = f"charge {attempt.id}, payment"
            yield Difference(account, place, f"{cents} cents", f"{attempt.amount_cents} cents")


_BY_GATEWAY = frozenset({PaymentKind.CARD, PaymentKind.PAYPAL})


def _check_payments(payments: Sequence[Payment], postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """Every cent received is posted, and no other; what goes back names the payment that it goes back of."""
    posted: Counter[str | None] = Counter()
    ids = {payment.id for payment in payments}
    for _, seq, posting in postings:
        if posting.kind in _RECEIPTS:
            posted[posting.payment_id] += posting.amount_cents
        elif posting.kind in _BACK:
            yield f"posting {seq}, payment", str(posting.payment_id in ids), str(True)
    for payment in payments:
        yield f"payment {payment.reference!r}, posted", str(posted[payment.id]), str(payment.amount_cents)


_RECEIPTS = frozenset(
    {PostingKind.PAYMENT_RECEIVED, PostingKind.WRITE_OFF_RECOVERED, PostingKind.OVERPAID, PostingKind.PREPAID}
)
_BACK = frozenset({PostingKind.REFUNDED, PostingKind.CHARGED_BACK, PostingKind.RETURNED})
