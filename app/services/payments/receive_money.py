"""Money that comes in: it pays what is open, then recovers what was written off, and the rest is credit (rule 35)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.billed_lines import WriteOffEntry
from app.domain.events.invoices import InvoiceRecovered
from app.domain.ledger import Posting, PostingKind, payment_postings
from app.domain.write_offs import recover
from app.services.invoices.still_billed import load_books

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.ledger import OpenInvoice
    from app.ports import Ids
    from app.repositories.ledger import Payment
    from app.repositories.unit_of_work import UnitOfWork
    from app.repositories.write_offs import UnrecoveredInvoice


async def receive_money(
    uow: UnitOfWork,
    ids: Ids,
    payment: Payment,
    open_invoices: Sequence[OpenInvoice],
    written_off: Sequence[UnrecoveredInvoice],
    now: datetime,
) -> tuple[Posting, ...]:
    """Record a payment and spread it: over open invoices, then over those written off, each in the order given.

    What it pays or recovers in full is paid, what is left becomes credit. The caller is the account's only writer, and
    ends the collecting of what is paid.
    """
    await uow.payments.add(payment, recorded_at=now)
    spread = payment_postings(payment.amount_cents, payment.id, open_invoices)
    received = [posting for posting in spread if posting.kind is PostingKind.PAYMENT_RECEIVED]
    await uow.ledger.append(payment.account_id, received, posted_at=now)
    left = payment.amount_cents - sum(posting.amount_cents for posting in received)
    recovered = await _recover(uow, ids, payment, written_off, left, now) if left else []
    left -= sum(posting.amount_cents for posting in recovered)
    rest = [Posting(PostingKind.OVERPAID, left, None, payment.id)] if left else []
    await uow.ledger.append(payment.account_id, rest, posted_at=now)
    missing = {invoice.id: invoice.cents for invoice in written_off}
    paid = [
        *paid_invoice_ids(received, open_invoices),
        *(p.invoice_id for p in recovered if p.invoice_id is not None and p.amount_cents == missing[p.invoice_id]),
    ]
    await uow.invoices.mark_paid(paid, paid_at=now)
    return (*received, *recovered, *rest)


async def _recover(
    uow: UnitOfWork, ids: Ids, payment: Payment, written_off: Sequence[UnrecoveredInvoice], cents: int, now: datetime
) -> list[Posting]:
    """Let money recover what was written off, cash against bad debt: what is billed again brings no credit."""
    postings: list[Posting] = []
    books = await load_books(uow, payment.account_id) if written_off else None
    for invoice in written_off:
        if books is None or not cents:
            break
        seq = await uow.ledger.last_posting(payment.account_id) + 1
        recovered, shares = recover(books, invoice.number, cents, unrecovered_cents=invoice.cents, seq=seq)
        if recovered:
            posting = Posting(PostingKind.WRITE_OFF_RECOVERED, recovered, invoice.id, payment.id)
            await uow.ledger.append(payment.account_id, [posting], posted_at=now)
            await uow.write_offs.add(payment.account_id, WriteOffEntry(seq, shares))
            event = InvoiceRecovered(
                number=invoice.number,
                amount_cents=recovered,
                written_off_cents=(invoice.cents, invoice.cents - recovered),
                payment=payment.id,
            )
            await uow.events.record(
                event, ids=ids, actor="system", at=now, account_id=payment.account_id, subject_id=invoice.id
            )
            postings.append(posting)
            cents -= recovered
    return postings


def paid_invoice_ids(postings: Sequence[Posting], open_invoices: Sequence[OpenInvoice]) -> list[str]:
    """Return the open invoices that the postings of a payment have paid in full."""
    received = {p.invoice_id: p.amount_cents for p in postings if p.kind is PostingKind.PAYMENT_RECEIVED}
    return [invoice.id for invoice in open_invoices if received.get(invoice.id) == invoice.balance_cents]
