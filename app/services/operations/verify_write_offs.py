"""Write-offs checked: the lines that stand for each, and that money which came later recovered what it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.explanations import dollars
from app.domain.invoices import ENGINE_VERSION
from app.domain.ledger import PaymentKind, PostingKind
from app.domain.position_fold import fold
from app.domain.write_offs import recover, write_off_shares
from app.services.operations.replay import void_since
from app.services.operations.verify_ledger import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from app.domain.billed_lines import WriteOffEntry, WriteOffShare
    from app.domain.ledger import Posting
    from app.domain.position_fold import Books
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import Payment, PostedPosting

NO_LINES = "none"


def check_write_offs(
    account: str,
    invoices: Sequence[StoredInvoice],
    postings: Sequence[PostedPosting],
    payments: Sequence[Payment],
    entries: Sequence[WriteOffEntry],
) -> Iterator[Difference]:
    """Yield write-offs and recoveries whose lines are not those that the books call for, and credit that money became
    though a write-off was there to recover (rules 27, 35).

    `entries` are the stored lines of write-offs. Most accounts have none, and then this looks at nothing.
    """
    if not any(posted.posting.kind is PostingKind.WRITTEN_OFF for posted in postings):
        return
    check = _Check(account, invoices, postings, payments, entries)
    for _, seq, posting in postings:
        yield from check.of_posting(seq, posting)


class _Check:
    """The write-offs of one account, posting by posting; `_left` is what is written off and not recovered yet."""

    def __init__(
        self,
        account: str,
        invoices: Sequence[StoredInvoice],
        postings: Sequence[PostedPosting],
        payments: Sequence[Payment],
        entries: Sequence[WriteOffEntry],
    ) -> None:
        self._account, self._invoices, self._entries = account, invoices, entries
        self._numbers = {invoice.id: invoice.number for invoice in invoices}
        self._old = {invoice.id for invoice in invoices if invoice.engine_version != ENGINE_VERSION}
        self._checks = {payment.id for payment in payments if payment.kind is PaymentKind.CHECK}
        self._void = void_since(invoices, postings)
        self._left: dict[str, int] = {}

    def of_posting(self, seq: int, posting: Posting) -> Iterator[Difference]:
        invoice_id, cents = posting.invoice_id or "", posting.amount_cents
        left_cents = self._left.get(invoice_id, 0)
        if posting.kind is PostingKind.WRITTEN_OFF:
            self._left[invoice_id] = left_cents + cents
            expected = write_off_shares(self._books_before(seq), self._numbers[invoice_id], cents, seq)
            yield from self._of_lines(seq, invoice_id, expected)
        elif posting.kind is PostingKind.WRITE_OFF_RECOVERED:
            self._left[invoice_id] = left_cents - cents
            _, expected = self._recover(invoice_id, cents, left_cents, seq)
            yield from self._of_lines(seq, invoice_id, expected)
        elif posting.kind is PostingKind.OVERPAID and posting.payment_id in self._checks:
            yield from self._of_credit(seq, cents)

    def _of_lines(self, seq: int, invoice_id: str, expected: Sequence[WriteOffShare]) -> Iterator[Difference]:
        found = next((_words(entry.shares) for entry in self._entries if entry.seq == seq), NO_LINES)
        if found != _words(expected):
            place = f"invoice {self._numbers[invoice_id]}, lines of posting {seq}"
            yield self._difference(place, found, _words(expected), invoice_id)

    def _of_credit(self, seq: int, cents: int) -> Iterator[Difference]:
        """Yield credit that a check became though it could have recovered a write-off."""
        for invoice_id, left_cents in self._left.items():
            recovered, _ = self._recover(invoice_id, cents, left_cents, seq) if left_cents else (0, ())
            if recovered:
                place = f"posting {seq}, credit beside the write-off of invoice {self._numbers[invoice_id]}"
                yield self._difference(
                    place, f"{dollars(cents)} of credit", f"{dollars(recovered)} recovered", invoice_id
                )

    def _recover(self, invoice_id: str, cents: int, left_cents: int, seq: int) -> tuple[int, tuple[WriteOffShare, ...]]:
        books = self._books_before(seq)
        return recover(books, self._numbers[invoice_id], cents, unrecovered_cents=left_cents, seq=seq)

    def _books_before(self, seq: int) -> Books:
        issued = (i for i in self._invoices if i.ledger_watermark < seq and self._void.get(i.id, seq) >= seq)
        return fold((invoice.document for invoice in issued), [entry for entry in self._entries if entry.seq < seq])

    def _difference(self, place: str, is_so: str, should_be: str, invoice_id: str) -> Difference:
        return Difference(self._account, place, is_so, should_be, is_warning=invoice_id in self._old)


def _words(shares: Sequence[WriteOffShare]) -> str:
    """Return the lines in words, in an order of their own."""
    said = (
        f"line {share.ref.position} of invoice {share.ref.number} {share.cents} and {list(share.taxes)} cents"
        for share in sorted(shares, key=lambda share: (share.seq, share.ref))
    )
    return ", ".join(said) or NO_LINES
