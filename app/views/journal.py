"""The journal: postings of all accounts as double entry, in the order in which they were posted (rule 35)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.ledger import Book, PostingKind


class JournalEntry(NamedTuple):
    """One posting: `amount_cents`, above zero, debited to one book and credited to another.

    `account` is its external id, `seq` the posting's place among those of the account. An entry names the invoice and
    the payment that it is about, where there is one; a payment by the reference that its payer or the gateway gave it.
    """

    posted_at: datetime
    account: str
    seq: int
    invoice_number: int | None
    payment_reference: str | None
    kind: PostingKind
    debit: Book
    credit: Book
    amount_cents: int
