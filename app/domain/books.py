"""What moves in the books beside issuing and paying: voiding and settling credit; and the report of a month."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.ledger import Book, Posting, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.domain.ledger import CreditGrant, OpenInvoice
    from app.domain.reports import ReportMonth

RECEIVABLE_MOVEMENTS: Mapping[str, tuple[PostingKind, ...]] = {
    "invoiced": (
        PostingKind.INVOICED,
        PostingKind.REVERSED,
        PostingKind.VOIDED,
        PostingKind.REVERSAL_VOIDED,
    ),
    "tax": (
        PostingKind.TAX_INVOICED,
        PostingKind.TAX_REVERSED,
        PostingKind.TAX_VOIDED,
        PostingKind.TAX_REVERSAL_VOIDED,
    ),
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

BAD_DEBT_MOVEMENTS: Mapping[str, tuple[PostingKind, ...]] = {
    "written off": (PostingKind.WRITTEN_OFF,),
    "recovered": (PostingKind.WRITE_OFF_RECOVERED,),
}
"""What changes the bad debt, in the order of the report."""


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
    """The books of the whole business in one month: what customers owe, what is owed to them as credit, what is not
    expected to be paid any more, and how much of what was charged has been settled.
    """

    month: ReportMonth
    receivable: BookMonth
    credit: BookMonth
    bad_debt: BookMonth
    settlements: Settlements = Settlements()

    @property
    def books(self) -> tuple[BookMonth, ...]:
        """The books in the order of the report."""
        return self.receivable, self.credit, self.bad_debt


def void_postings(invoice_id: str, total_cents: int, tax_cents: int, credit_applied_cents: int) -> tuple[Posting, ...]:
    """Return what voiding an invoice moves: its charge and tax are taken back, and credit applied to it comes back.

    The total is not below zero: an invoice that gave credit is not voided.
    """
    net_cents = total_cents - tax_cents
    moved = (
        (PostingKind.VOIDED, net_cents),
        (PostingKind.REVERSAL_VOIDED, -net_cents),
        (PostingKind.TAX_VOIDED, tax_cents),
        (PostingKind.TAX_REVERSAL_VOIDED, -tax_cents),
        (PostingKind.CREDIT_RESTORED, credit_applied_cents),
    )
    return tuple(Posting(kind, cents, invoice_id) for kind, cents in moved if cents > 0)


def spread_credit(
    credit_cents: int, arisen_cents: int, reversed_cents: Mapping[int, int], open_invoices: Sequence[OpenInvoice]
) -> dict[str, int]:
    """Return which open invoices credit pays, by id and in cents; only what is left waits for the next invoice.

    First those that the document corrects or takes back of (`reversed_cents` by number, tax and all), by hand or not,
    together for no more than the credit that arose from it; then all others, oldest first, except those that are paid
    by hand. One whose charge is under way is looked at again when its outcome is known.
    """
    payable = [invoice for invoice in open_invoices if not invoice.is_under_way]
    paid: dict[str, int] = {}
    left, arisen = credit_cents, min(arisen_cents, credit_cents)
    for invoice in payable:
        part = min(arisen, invoice.balance_cents, reversed_cents.get(invoice.number, 0))
        if part > 0:
            paid[invoice.id] = part
            arisen -= part
            left -= part
    for invoice in payable:
        part = 0 if invoice.is_by_hand else min(left, invoice.balance_cents - paid.get(invoice.id, 0))
        if part > 0:
            paid[invoice.id] = paid.get(invoice.id, 0) + part
            left -= part
    return paid


def credit_postings(grants: Iterable[CreditGrant], invoices: Sequence[OpenInvoice]) -> Iterator[Posting]:
    """Yield credit applied to what is open on invoices, both in the order given (rule 35)."""
    balances = {invoice.id: invoice.balance_cents for invoice in invoices}
    for grant in grants:
        left = grant.remaining_cents
        for invoice_id, balance_cents in balances.items():
            part = min(left, balance_cents)
            if part > 0:
                yield Posting(PostingKind.CREDIT_APPLIED, part, invoice_id, None, grant.seq)
                balances[invoice_id] -= part
                left -= part


def paid_out_postings(grants: Iterable[CreditGrant], cents: int) -> Iterator[Posting]:
    """Yield credit that is paid out to the customer, the oldest first."""
    for grant in grants:
        part = min(cents, grant.remaining_cents)
        if part > 0:
            yield Posting(PostingKind.CREDIT_PAID_OUT, part, None, None, grant.seq)
            cents -= part


def month_report(
    month: ReportMonth,
    before: Mapping[PostingKind, int],
    within: Mapping[PostingKind, int],
    settlements: Settlements = Settlements(),
) -> MonthReport:
    """Return the report of a month from the sums of all postings by kind, before it and within it."""
    return MonthReport(
        month,
        _book_month("receivable", Book.RECEIVABLE, 1, RECEIVABLE_MOVEMENTS, before, within),
        _book_month("credit liability", Book.CUSTOMER_CREDIT, -1, CREDIT_MOVEMENTS, before, within),
        _book_month("bad debt", Book.BAD_DEBT, 1, BAD_DEBT_MOVEMENTS, before, within),
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
