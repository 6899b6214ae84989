"""The books of an account: append-only postings that each move one amount from one book to another (rule 35).

Debits equal credits by construction; what an invoice still owes and what credit an account has are sums of postings,
kept beside them as running balances.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.domain.invoice_drafts import InvoiceDraft


class Book(StrEnum):
    """Where money can stand."""

    RECEIVABLE = "RECEIVABLE"
    REVENUE = "REVENUE"
    CASH = "CASH"
    CUSTOMER_CREDIT = "CUSTOMER_CREDIT"
    TAX_PAYABLE = "TAX_PAYABLE"
    BAD_DEBT = "BAD_DEBT"
    GOODWILL = "GOODWILL"


class PaymentKind(StrEnum):
    """How money came in."""

    CHECK = "CHECK"
    CARD = "CARD"
    PAYPAL = "PAYPAL"


class PostingKind(StrEnum):
    """Why money moved."""

    INVOICED = "INVOICED"
    TAX_INVOICED = "TAX_INVOICED"
    CREDIT_GRANTED = "CREDIT_GRANTED"
    TAX_CREDITED = "TAX_CREDITED"
    CREDIT_APPLIED = "CREDIT_APPLIED"
    CREDIT_PAID_OUT = "CREDIT_PAID_OUT"
    PAYMENT_RECEIVED = "PAYMENT_RECEIVED"
    OVERPAID = "OVERPAID"
    PREPAID = "PREPAID"
    GOODWILL_GRANTED = "GOODWILL_GRANTED"
    VOIDED = "VOIDED"
    TAX_VOIDED = "TAX_VOIDED"
    CREDIT_RESTORED = "CREDIT_RESTORED"
    REVERSED = "REVERSED"
    TAX_REVERSED = "TAX_REVERSED"
    REVERSAL_VOIDED = "REVERSAL_VOIDED"
    TAX_REVERSAL_VOIDED = "TAX_REVERSAL_VOIDED"
    WRITTEN_OFF = "WRITTEN_OFF"
    WRITE_OFF_RECOVERED = "WRITE_OFF_RECOVERED"
    REFUNDED = "REFUNDED"
    CHARGED_BACK = "CHARGED_BACK"
    RETURNED = "RETURNED"


class ReversalReason(StrEnum):
    """Why what was paid on an invoice went back, so that it is open again; each is the kind of its posting."""

    REFUNDED = "REFUNDED"
    CHARGED_BACK = "CHARGED_BACK"
    RETURNED = "RETURNED"


REVERSALS = frozenset(map(PostingKind, ReversalReason))


BOOKS_OF: dict[PostingKind, tuple[Book, Book]] = {
    PostingKind.INVOICED: (Book.RECEIVABLE, Book.REVENUE),
    PostingKind.TAX_INVOICED: (Book.RECEIVABLE, Book.TAX_PAYABLE),
    PostingKind.CREDIT_GRANTED: (Book.REVENUE, Book.CUSTOMER_CREDIT),
    PostingKind.TAX_CREDITED: (Book.TAX_PAYABLE, Book.CUSTOMER_CREDIT),
    PostingKind.CREDIT_PAID_OUT: (Book.CUSTOMER_CREDIT, Book.CASH),
    PostingKind.PREPAID: (Book.CASH, Book.CUSTOMER_CREDIT),
    PostingKind.GOODWILL_GRANTED: (Book.GOODWILL, Book.CUSTOMER_CREDIT),
    PostingKind.VOIDED: (Book.REVENUE, Book.RECEIVABLE),
    PostingKind.TAX_VOIDED: (Book.TAX_PAYABLE, Book.RECEIVABLE),
    PostingKind.CREDIT_RESTORED: (Book.RECEIVABLE, Book.CUSTOMER_CREDIT),
    PostingKind.REVERSED: (Book.REVENUE, Book.RECEIVABLE),
    PostingKind.TAX_REVERSED: (Book.TAX_PAYABLE, Book.RECEIVABLE),
    PostingKind.REVERSAL_VOIDED: (Book.RECEIVABLE, Book.REVENUE),
    PostingKind.TAX_REVERSAL_VOIDED: (Book.RECEIVABLE, Book.TAX_PAYABLE),
    PostingKind.WRITTEN_OFF: (Book.BAD_DEBT, Book.RECEIVABLE),
    PostingKind.WRITE_OFF_RECOVERED: (Book.CASH, Book.BAD_DEBT),
    PostingKind.CREDIT_APPLIED: (Book.CUSTOMER_CREDIT, Book.RECEIVABLE),
    PostingKind.PAYMENT_RECEIVED: (Book.CASH, Book.RECEIVABLE),
    PostingKind.OVERPAID: (Book.CASH, Book.CUSTOMER_CREDIT),
    PostingKind.REFUNDED: (Book.RECEIVABLE, Book.CASH),
    PostingKind.CHARGED_BACK: (Book.RECEIVABLE, Book.CASH),
    PostingKind.RETURNED: (Book.RECEIVABLE, Book.CASH),
}
"""The debited and the credited book of each kind."""


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of `amount_cents` (above zero).

    `grant_seq` names the credit that is used up, on a posting that applies credit.
    """

    kind: PostingKind
    amount_cents: int
    invoice_id: str | None = None
    payment_id: str | None = None
    grant_seq: int | None = None

    @property
    def debit(self) -> Book:
        """The book that is debited."""
        return BOOKS_OF[self.kind][0]

    @property
    def credit(self) -> Book:
        """The book that is credited."""
        return BOOKS_OF[self.kind][1]


def moved_cents(posting: Posting, book: Book) -> int:
    """Return what a posting adds to a book: above zero when it is debited, below when it is credited."""
    return posting.amount_cents * ((posting.debit is book) - (posting.credit is book))


class AccountBalances(NamedTuple):
    """What an account owes on all its invoices, and the credit that it has left; in cents."""

    receivable_cents: int = 0
    credit_cents: int = 0


class InvoiceBalances(NamedTuple):
    """What is still to be paid on an invoice, and what was written off of it and has not been recovered; in cents."""

    balance_cents: int = 0
    written_off_cents: int = 0


def account_balances(postings: Iterable[Posting]) -> AccountBalances:
    """Add up what postings of one account move (rule 35)."""
    receivable_cents = credit_cents = 0
    for posting in postings:
        receivable_cents += moved_cents(posting, Book.RECEIVABLE)
        credit_cents -= moved_cents(posting, Book.CUSTOMER_CREDIT)
    return AccountBalances(receivable_cents, credit_cents)


def invoice_balances(postings: Iterable[Posting]) -> dict[str, InvoiceBalances]:
    """Add up what postings move on the invoices that they name, by their ids; one that nothing moved is left out."""
    found: dict[str, InvoiceBalances] = {}
    for posting in postings:
        if posting.invoice_id is not None:
            before = found.get(posting.invoice_id, InvoiceBalances())
            found[posting.invoice_id] = InvoiceBalances(
                before.balance_cents + moved_cents(posting, Book.RECEIVABLE),
                before.written_off_cents + moved_cents(posting, Book.BAD_DEBT),
            )
    return {invoice_id: sums for invoice_id, sums in found.items() if any(sums)}


@dataclass(frozen=True, slots=True)
class CreditGrant:
    """A credit with something left: the posting that granted it, and the cents not yet used."""

    seq: int
    remaining_cents: int


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An invoice with something left to pay.

    `is_by_hand`: nothing is collected by itself any more (decision 0008). `is_under_way`: a charge has no outcome yet.
    """

    id: str
    balance_cents: int
    number: int = 0
    is_by_hand: bool = False
    is_under_way: bool = False


def issue_postings(draft: InvoiceDraft, invoice_id: str, grants: Iterable[CreditGrant]) -> tuple[Posting, ...]:
    """Return what issuing an invoice moves: the charge and its tax, then credit applied from the oldest grant on.

    Where one of both is below zero it lowers the other; a total below zero grants credit (rules 14, 35).
    """
    net_cents, tax_cents = draft.total_cents - draft.tax_cents, draft.tax_cents
    moved = (
        (PostingKind.INVOICED, net_cents),
        (PostingKind.TAX_INVOICED, tax_cents),
        *_given_back(PostingKind.REVERSED, PostingKind.CREDIT_GRANTED, -net_cents, tax_cents),
        *_given_back(PostingKind.TAX_REVERSED, PostingKind.TAX_CREDITED, -tax_cents, net_cents),
    )
    return (
        *(Posting(kind, cents, invoice_id) for kind, cents in moved if cents > 0),
        *_apply_credit(draft.credit_applied_cents, invoice_id, grants),
    )


def _given_back(
    reversed_kind: PostingKind, credited_kind: PostingKind, cents: int, charged_cents: int
) -> tuple[tuple[PostingKind, int], ...]:
    """Return what giving `cents` back moves: it lowers what the invoice charges besides; the rest is credit."""
    lowered = min(max(0, cents), max(0, charged_cents))
    return (reversed_kind, lowered), (credited_kind, cents - lowered)


def payment_postings(amount_cents: int, payment_id: str, open_invoices: Iterable[OpenInvoice]) -> tuple[Posting, ...]:
    """Return how a payment is spread: over open invoices in the order given, the rest becomes credit (rule 35)."""
    postings: list[Posting] = []
    left = amount_cents
    for invoice in open_invoices:
        part = min(left, invoice.balance_cents)
        if part > 0:
            postings.append(Posting(PostingKind.PAYMENT_RECEIVED, part, invoice.id, payment_id))
            left -= part
    if left > 0:
        postings.append(Posting(PostingKind.OVERPAID, left, None, payment_id))
    return tuple(postings)


def _apply_credit(amount_cents: int, invoice_id: str, grants: Iterable[CreditGrant]) -> Iterator[Posting]:
    left = amount_cents
    for grant in grants:
        part = min(left, grant.remaining_cents)
        if part > 0:
            yield Posting(PostingKind.CREDIT_APPLIED, part, invoice_id, None, grant.seq)
            left -= part
    if left > 0:
        raise ArithmeticError(f"Credit of {left} cents was to be applied but has no grant behind it.")
