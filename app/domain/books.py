"""What moves in the books beside issuing and paying: voiding and settling credit; and the report of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.ledger import Book, Posting, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.domain.ledger import CreditGrant, OpenInvoice
    from app.domain.periods import Period

RECEIVABLE_MOVEMENTS: Mapping[str, tuple[PostingKind, ...]] = {
    "invoiced": (PostingKind.INVOICED, PostingKind.VOIDED),
    "tax": (PostingKind.TAX_INVOICED, PostingKind.TAX_VOIDED),
    "credits applied": (PostingKind.CREDIT_APPLIED, PostingKind.CREDIT_RESTORED),
    "collected": (PostingKind.PAYMENT_RECEIVED,),
    "refunded": (PostingKind.REFUNDED, PostingKind.CHARGED_BACK, PostingKind.RETURNED),
    "written off": (PostingKind.WRITTEN_OFF,),
}
"""What changes what customers owe, in the order of the report, with the kinds of posting behind it."""

CREDIT_MOVEMENTS: Mapping[str, tuple[PostingKind, ...]] = {
    "credited by invoices and credit notes": (PostingKind.CREDIT_GRANTED, PostingKind.TAX_CREDITED),
    "goodwill": (PostingKind.GOODWILL_GRANTED,),
    "received in advance": (PostingKind.PREPAID, PostingKind.OVERPAID),
    "applied to invoices": (PostingKind.CREDIT_APPLIED, PostingKind.CREDIT_RESTORED),
    "paid out": (PostingKind.CREDIT_PAID_OUT,),
}
"""What changes the credit that customers have, in the order of the report."""


@dataclass(frozen=True, slots=True)
class BookMonth:
    """One book in one month: what it opened with, and what moved it, in cents; movements carry their sign."""

    name: str
    opening_cents: int
    movements: tuple[tuple[str, int], ...]

    @property
    def closing_cents(self) -> int:
        """The opening and all that moved: it cannot fail to balance."""
        return self.opening_cents + sum(cents for _, cents in self.movements)


@dataclass(frozen=True, slots=True)
class Settlements:
    """Charges that the gateway settled in a month, and those made until its end of which nobody has seen that yet."""

    matched_count: int = 0
    matched_cents: int = 0
    unmatched_count: int = 0
    unmatched_cents: int = 0


@dataclass(frozen=True, slots=True)
class MonthReport:
    """The books of the whole business in one month: what customers owe, what is owed to them as credit, and how much
    of what was charged has been settled.
    """

    period: Period
    receivable: BookMonth
    credit: BookMonth
    settlements: Settlements = Settlements()


def void_postings(invoice_id: str, total_cents: int, tax_cents: int, credit_applied_cents: int) -> tuple[Posting, ...]:
    """Return what voiding an invoice moves: its charge and tax are taken back, and credit applied to it comes back."""
    moved = (
        (PostingKind.VOIDED, total_cents - tax_cents),
        (PostingKind.TAX_VOIDED, tax_cents),
        (PostingKind.CREDIT_RESTORED, credit_applied_cents),
    )
    return tuple(Posting(kind, cents, invoice_id) for kind, cents in moved if cents)


def settle_credit(
    grants: Iterable[CreditGrant], open_invoices: Sequence[OpenInvoice], *, pays_out: bool = False
) -> Iterator[Posting]:
    """Yield credit applied to open invoices, both in the order given; the rest stays, or is paid out (rule 35)."""
    balances = {invoice.id: invoice.balance_cents for invoice in open_invoices}
    for grant in grants:
        left = grant.remaining_cents
        for invoice_id, balance_cents in balances.items():
            part = min(left, balance_cents)
            if part > 0:
                yield Posting(PostingKind.CREDIT_APPLIED, part, invoice_id, None, grant.seq)
                balances[invoice_id] -= part
                left -= part
        if pays_out and left > 0:
            yield Posting(PostingKind.CREDIT_PAID_OUT, left, None, None, grant.seq)


def month_report(
    period: Period,
    before: Mapping[PostingKind, int],
    within: Mapping[PostingKind, int],
    settlements: Settlements = Settlements(),
) -> MonthReport:
    """Return the report of a month from the sums of all postings by kind, before it and within it."""
    return MonthReport(
        period,
        _book_month("receivable", Book.RECEIVABLE, 1, RECEIVABLE_MOVEMENTS, before, within),
        _book_month("credit liability", Book.CUSTOMER_CREDIT, -1, CREDIT_MOVEMENTS, before, within),
        settlements,
    )


def _book_month(
    name: str,
    book: Book,
    sign: int,
    movements: Mapping[str, tuple[PostingKind, ...]],
    before: Mapping[PostingKind, int],
    within: Mapping[PostingKind, int],
) -> BookMonth:
    def moved(kinds: Iterable[PostingKind], sums: Mapping[PostingKind, int]) -> int:
        return sign * sum(moved_cents(Posting(kind, sums.get(kind, 0)), book) for kind in kinds)

    rows = tuple((movement, moved(kinds, within)) for movement, kinds in movements.items())
    return BookMonth(name, moved(PostingKind, before), rows)
