"""The books of an account checked against themselves, its invoices and its payments (rules 14, 27, 35)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING

from app.domain.invoices import InvoiceStatus
from app.domain.ledger import Book, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import Payment, PostedPosting


@dataclass(frozen=True, slots=True)
class Difference:
    """Something in the books that does not agree: where, and what was found instead of what."""

    account: str
    place: str
    found: str
    expected: str


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
    """Compare what was posted for each invoice with what the invoice says (rules 14, 35)."""
    moved: Counter[tuple[str | None, PostingKind]] = Counter()
    for _, _, posting in postings:
        moved[posting.invoice_id, posting.kind] += posting.amount_cents
    for invoice in invoices:
        for kind, cents in (
            (PostingKind.INVOICED, max(0, invoice.total_cents)),
            (PostingKind.CREDIT_GRANTED, max(0, -invoice.total_cents)),
            (PostingKind.CREDIT_APPLIED, invoice.credit_applied_cents),
        ):
            yield f"invoice {invoice.number}, posted {kind}", str(moved[invoice.id, kind]), str(cents)


def _check_statuses(invoices: Sequence[StoredInvoice], postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """An invoice is open while something is left to pay, and paid once nothing is; never more than paid (rule 27)."""
    open_cents: Counter[str | None] = Counter()
    for _, _, posting in postings:
        open_cents[posting.invoice_id] += moved_cents(posting, Book.RECEIVABLE)
    for invoice in invoices:
        left = open_cents[invoice.id]
        status = InvoiceStatus.OPEN if left > 0 else InvoiceStatus.PAID
        place = f"invoice {invoice.number}, status"
        yield place, f"{invoice.status} with {left} cents open", f"{status} with {max(0, left)} cents open"


def _check_payments(payments: Sequence[Payment], postings: Sequence[PostedPosting]) -> Iterator[Comparison]:
    """Every cent received is posted, and no other."""
    posted: Counter[str | None] = Counter()
    for _, _, posting in postings:
        posted[posting.payment_id] += moved_cents(posting, Book.CASH)
    for payment in payments:
        yield f"payment {payment.reference!r}, posted", str(posted[payment.id]), str(payment.amount_cents)
