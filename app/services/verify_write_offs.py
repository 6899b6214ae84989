"""Write-offs checked: the lines that stand for each, and that money which came later recovered what it could."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.explanations import dollars
from app.domain.invoices import ENGINE_VERSION
from app.domain.ledger import PaymentKind, PostingKind
from app.domain.positions import fold
from app.domain.write_offs import recover, write_off_shares
from app.services.replay import void_since
from app.services.verify_ledger import Difference

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from app.domain.billed_lines import WriteOffEntry, WriteOffShare
    from app.domain.positions import Books
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import Payment, PostedPosting


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
    numbers = {invoice.id: invoice.number for invoice in invoices}
    old = {invoice.id for invoice in invoices if invoice.engine_version != ENGINE_VERSION}
    checks = {payment.id for payment in payments if payment.kind is PaymentKind.CHECK}
    void, stored = void_since(invoices, postings), {entry.seq: entry.shares for entry in entries}
    missing: dict[str, int] = {}
    for _, seq, posting in postings:
        invoice_id, cents = posting.invoice_id or "", posting.amount_cents
        seen = [i.document for i in invoices if i.ledger_watermark < seq and void.get(i.id, seq) >= seq]
        if posting.kind is PostingKind.WRITTEN_OFF:
            books = fold(seen, [entry for entry in entries if entry.seq < seq])
            expected = write_off_shares(books, numbers[invoice_id], cents, seq)
            missing[invoice_id] = missing.get(invoice_id, 0) + cents
        elif posting.kind is PostingKind.WRITE_OFF_RECOVERED:
            books = fold(seen, [entry for entry in entries if entry.seq < seq])
            left = missing.get(invoice_id, 0)
            _, expected = recover(books, numbers[invoice_id], cents, unrecovered_cents=left, seq=seq)
            missing[invoice_id] = left - cents
        else:
            if posting.kind is PostingKind.OVERPAID and posting.payment_id in checks:
                books = fold(seen, [entry for entry in entries if entry.seq < seq])
                for place, is_so, should_be, each in _overpaid(seq, cents, books, missing, numbers):
                    yield Difference(account, place, is_so, should_be, is_warning=each in old)
            continue
        found = _words(stored.get(seq, ()))
        if found != _words(expected):
            place = f"invoice {numbers[invoice_id]}, lines of posting {seq}"
            yield Difference(account, place, found, _words(expected), is_warning=invoice_id in old)


def _overpaid(
    seq: int, cents: int, books: Books, missing: Mapping[str, int], numbers: Mapping[str, int]
) -> Iterator[tuple[str, str, str, str]]:
    """Yield credit that a check became though it could have recovered a write-off, with the invoice's id."""
    for invoice_id, left in missing.items():
        number = numbers[invoice_id]
        recovered, _ = recover(books, number, cents, unrecovered_cents=left, seq=seq) if left else (0, ())
        if recovered:
            place = f"posting {seq}, credit beside the write-off of invoice {number}"
            yield place, f"{dollars(cents)} of credit", f"{dollars(recovered)} recovered", invoice_id


def _words(shares: Sequence[WriteOffShare]) -> str:
    """Return the lines in words, in an order of their own."""
    said = (
        f"line {share.ref.position} of invoice {share.ref.number} {share.cents} and {list(share.taxes)} cents"
        for share in sorted(shares, key=lambda share: (share.seq, share.ref))
    )
    return ", ".join(said) or "none"
