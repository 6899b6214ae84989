"""What customers owe, rebuilt from documents alone and compared with what the postings say (rule 35).

Both sides are open invoices less credit. Credit that pays an invoice lowers the two alike, so the sum needs no document
that says which credit paid which invoice: invoices, payments, what went back, goodwill and write-offs are enough. How
much credit was set against invoices is compared beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from app.domain.ledger import Book, Posting, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class DocumentKind(StrEnum):
    """What changes how much a customer owes, each by an amount in cents that its own record says."""

    INVOICE = "invoices and credit notes"
    VOID = "invoices voided"
    RECEIPT = "payments"
    REFUND = "refunds"
    CHARGEBACK = "chargebacks"
    RETURN = "payments returned"
    GOODWILL = "goodwill"
    WRITE_OFF = "write-offs"
    RECOVERY = "write-offs recovered"
    PAYOUT = "credit paid out"
    CREDIT_USE = "credit set against invoices"


SIGN_OF: Mapping[DocumentKind, int] = {
    DocumentKind.INVOICE: 1,  # the total of an invoice that gives money back is below zero
    DocumentKind.VOID: -1,
    DocumentKind.RECEIPT: -1,
    DocumentKind.REFUND: 1,
    DocumentKind.CHARGEBACK: 1,
    DocumentKind.RETURN: 1,
    DocumentKind.GOODWILL: -1,
    DocumentKind.WRITE_OFF: -1,
    DocumentKind.RECOVERY: 1,  # its payment lowers what is owed, but not what is open: that had been written off
    DocumentKind.PAYOUT: 1,
    DocumentKind.CREDIT_USE: 0,  # less is open, and as much less is credit
}
"""Whether a document raises or lowers what a customer owes."""

DOCUMENTS_OF: Mapping[PostingKind, tuple[tuple[DocumentKind, int], ...]] = {
    PostingKind.INVOICED: ((DocumentKind.INVOICE, 1),),
    PostingKind.TAX_INVOICED: ((DocumentKind.INVOICE, 1),),
    PostingKind.CREDIT_GRANTED: ((DocumentKind.INVOICE, -1),),
    PostingKind.TAX_CREDITED: ((DocumentKind.INVOICE, -1),),
    PostingKind.REVERSED: ((DocumentKind.INVOICE, -1),),
    PostingKind.TAX_REVERSED: ((DocumentKind.INVOICE, -1),),
    PostingKind.VOIDED: ((DocumentKind.VOID, 1),),
    PostingKind.TAX_VOIDED: ((DocumentKind.VOID, 1),),
    PostingKind.REVERSAL_VOIDED: ((DocumentKind.VOID, -1),),
    PostingKind.TAX_REVERSAL_VOIDED: ((DocumentKind.VOID, -1),),
    PostingKind.PAYMENT_RECEIVED: ((DocumentKind.RECEIPT, 1),),
    PostingKind.OVERPAID: ((DocumentKind.RECEIPT, 1),),
    PostingKind.PREPAID: ((DocumentKind.RECEIPT, 1),),
    PostingKind.REFUNDED: ((DocumentKind.REFUND, 1),),
    PostingKind.CHARGED_BACK: ((DocumentKind.CHARGEBACK, 1),),
    PostingKind.RETURNED: ((DocumentKind.RETURN, 1),),
    PostingKind.GOODWILL_GRANTED: ((DocumentKind.GOODWILL, 1),),
    PostingKind.WRITTEN_OFF: ((DocumentKind.WRITE_OFF, 1),),
    PostingKind.WRITE_OFF_RECOVERED: ((DocumentKind.RECEIPT, 1), (DocumentKind.RECOVERY, 1)),
    PostingKind.CREDIT_PAID_OUT: ((DocumentKind.PAYOUT, 1),),
    PostingKind.CREDIT_APPLIED: ((DocumentKind.CREDIT_USE, 1),),
    PostingKind.CREDIT_RESTORED: ((DocumentKind.CREDIT_USE, -1),),
}
"""The documents whose amounts the postings of a kind add up to: 1 where they raise the sum, -1 where they lower it."""


class Amounts(NamedTuple):
    """Cents of one kind: those before a month began, and those within it."""

    before_cents: int = 0
    within_cents: int = 0

    @property
    def until_cents(self) -> int:
        """All of them, to the end of the month."""
        return self.before_cents + self.within_cents

    def plus(self, other: Amounts, factor: int = 1) -> Amounts:
        """Return the sum of these and of others times a factor."""
        return Amounts(self.before_cents + factor * other.before_cents, self.within_cents + factor * other.within_cents)


Documents: TypeAlias = Mapping[DocumentKind, Amounts]
Postings: TypeAlias = Mapping[PostingKind, Amounts]

NOTHING = Amounts()


def rebuilt(documents: Documents) -> Amounts:
    """Return what is owed by the amounts of documents: open invoices less credit, in cents (rule 35).

    Before the month, and how much more within it.
    """
    owed = NOTHING
    for document, amounts in documents.items():
        owed = owed.plus(amounts, SIGN_OF[document])
    return owed


def documents_behind(postings: Postings) -> dict[DocumentKind, Amounts]:
    """Return what the postings of each kind say of the amounts of documents."""
    said: dict[DocumentKind, Amounts] = {}
    for kind, amounts in postings.items():
        for document, factor in DOCUMENTS_OF[kind]:
            said[document] = said.get(document, NOTHING).plus(amounts, factor)
    return said


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure in cents as the journal has it, and as it is rebuilt from documents."""

    name: str
    journal_cents: int
    rebuilt_cents: int

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.journal_cents == self.rebuilt_cents


@dataclass(frozen=True, slots=True)
class CustomerBalances:
    """What all customers owe from the opening of a month to its end, by the journal and by documents.

    The journal's closing balance is `open_cents` less `credit_cents`. `credit_used` is what was set against invoices in
    the month, less what came back of voided ones. `accounts` are those whose closing balances differ, by external id,
    or whose credit used up to then.
    """

    opening: Comparison
    movements: tuple[Comparison, ...]
    closing: Comparison
    credit_used: Comparison
    open_cents: int
    credit_cents: int
    accounts: tuple[Comparison, ...]

    @property
    def agrees(self) -> bool:
        """Whether documents bear the journal out: each figure, and each account."""
        return not self.accounts and all(each.agrees for each in self.figures)

    @property
    def figures(self) -> tuple[Comparison, ...]:
        """Opening, movements and closing, and the credit used."""
        return (self.opening, *self.movements, self.closing, self.credit_used)


def customer_balances(postings: Mapping[str, Postings], documents: Mapping[str, Documents]) -> CustomerBalances:
    """Compare the postings with the documents, both by account, in the order of the accounts' ids (rule 35)."""
    said = {account: documents_behind(kinds) for account, kinds in postings.items()}
    journal, found = _total(said.values()), _total(documents.values())
    owed, rebuilt_owed = rebuilt(journal), rebuilt(found)
    return CustomerBalances(
        Comparison("opening", owed.before_cents, rebuilt_owed.before_cents),
        tuple(_movement(document, journal, found) for document, sign in SIGN_OF.items() if sign),
        Comparison("closing", owed.until_cents, rebuilt_owed.until_cents),
        _credit_used(journal, found),
        _balance(postings.values(), Book.RECEIVABLE),
        -_balance(postings.values(), Book.CUSTOMER_CREDIT),
        tuple(each for each in _accounts(said, documents) if not each.agrees),
    )


def _movement(document: DocumentKind, journal: Documents, found: Documents) -> Comparison:
    posted, documented = (side.get(document, NOTHING).within_cents for side in (journal, found))
    return Comparison(document, SIGN_OF[document] * posted, SIGN_OF[document] * documented)


def _credit_used(journal: Documents, found: Documents) -> Comparison:
    posted, documented = (side.get(DocumentKind.CREDIT_USE, NOTHING).within_cents for side in (journal, found))
    return Comparison(DocumentKind.CREDIT_USE, posted, documented)


def _accounts(journal: Mapping[str, Documents], found: Mapping[str, Documents]) -> Iterator[Comparison]:
    """Yield the closing balance of each account, and how much credit it has used until then."""
    for account in sorted(journal.keys() | found.keys()):
        sides = journal.get(account, {}), found.get(account, {})
        yield Comparison(account, *(rebuilt(side).until_cents for side in sides))
        used = (side.get(DocumentKind.CREDIT_USE, NOTHING).until_cents for side in sides)
        yield Comparison(f"{account}, {DocumentKind.CREDIT_USE}", *used)


def _total(parts: Iterable[Documents]) -> dict[DocumentKind, Amounts]:
    total: dict[DocumentKind, Amounts] = {}
    for part in parts:
        for document, amounts in part.items():
            total[document] = total.get(document, NOTHING).plus(amounts)
    return total


def _balance(parts: Iterable[Postings], book: Book) -> int:
    """Return the balance of a book at the month's end; debits raise it."""
    return sum(
        moved_cents(Posting(kind, amounts.until_cents), book)
        for postings in parts
        for kind, amounts in postings.items()
    )
