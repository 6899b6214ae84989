"""What every way of money going back has in common: the posting, the balance that opens again, and its collecting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.events.invoices import LateFeeAdded
from app.domain.events.reversals import ReversedCharge
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import OpenInvoice, PaymentKind, Posting, PostingKind
from app.domain.periods import billing_date
from app.domain.refunds import collected_again, collected_by_hand
from app.repositories.ledger import Payment
from app.services.invoices.settle_credit import DONE, reactivate_if_settled, settle_credit
from app.services.payments.receive_money import receive_money

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.collection import Attempt, CollectionChange
    from app.domain.events.reversals import Reversal
    from app.domain.policies import CollectionPolicies
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork


async def payment_of(uow: UnitOfWork, attempt: Attempt) -> Payment:
    """Return the payment that a successful charge was recorded as.

    :raises LookupError: when there is none.
    """
    for kind in (PaymentKind.CARD, PaymentKind.PAYPAL):
        payment = await uow.payments.find(attempt.account_id, kind, attempt.transaction_id or "")
        if payment is not None:
            return payment
    raise LookupError(attempt.id)


async def post_reversal(uow: UnitOfWork, attempt: Attempt, kind: PostingKind, amount_cents: int, now: datetime) -> None:
    """Post that money of a charge went back, and open its invoice again; the caller is the account's only writer."""
    payment = await payment_of(uow, attempt)
    posting = Posting(kind, amount_cents, attempt.invoice_id, payment.id)
    await uow.ledger.append(attempt.account_id, [posting], posted_at=now)
    if await uow.ledger.balance_of_invoice(attempt.account_id, attempt.invoice_id) > 0:
        await uow.invoices.reopen(attempt.invoice_id)


async def post_reinstated_payment(
    uow: UnitOfWork, ids: Ids, attempt: Attempt, reference: str, amount_cents: int, now: datetime
) -> None:
    """Record money that came back to us after it had gone, as a payment of its own under the reference given."""
    former = await payment_of(uow, attempt)
    payment = Payment(ids.new("pay"), attempt.account_id, former.kind, amount_cents, reference, billing_date(now))
    balance_cents = await uow.ledger.balance_of_invoice(attempt.account_id, attempt.invoice_id)
    invoice = OpenInvoice(attempt.invoice_id, balance_cents)
    written_off = await uow.write_offs.unrecovered(attempt.account_id, attempt.invoice_id)
    await receive_money(uow, ids, payment, [invoice], written_off, now)
    if amount_cents >= balance_cents:
        collection = await uow.collections.find(attempt.invoice_id)
        if collection is not None:
            await uow.collections.save(None, collection, DONE)
    await settle_credit(uow, ids, attempt.account_id, now)
    await reactivate_if_settled(uow, ids, await uow.accounts.get(attempt.account_id), now)


async def stop_collecting(uow: UnitOfWork, invoice_id: str) -> None:
    """Leave an invoice to its customer: nothing is charged by itself any more."""
    collection = await uow.collections.find(invoice_id)
    if collection is not None:
        await uow.collections.save(None, collection, collected_by_hand(collection))


async def collect_again(
    uow: UnitOfWork, attempt: Attempt, policies: CollectionPolicies, now: datetime
) -> CollectionChange:
    """Go on collecting a returned charge with the next slot of its schedule; returns the fields that changed."""
    account = await uow.accounts.get(attempt.account_id)
    collection = await uow.collections.find(attempt.invoice_id)
    if collection is None or account.status is AccountStatus.CLOSED:
        return {}
    changed = collected_again(
        collection,
        returned_on=billing_date(now),
        paid_starts_on=account.paid_starts_on,
        had_late_fee=await uow.events.has_happened(account.id, LateFeeAdded, attempt.invoice_id),
        policies=policies,
    )
    if changed:
        await uow.collections.save(None, collection, changed)
    return changed


async def reversed_charge(uow: UnitOfWork, attempt: Attempt) -> ReversedCharge:
    """Return what the event of a reversal says of the charge."""
    invoice = await uow.invoices.find(attempt.invoice_id, attempt.account_id)
    stored = await uow.payment_methods.find(attempt.method_id, attempt.account_id)
    return ReversedCharge(
        number=None if invoice is None else invoice.number,
        method=attempt.method_id,
        method_name="" if stored is None else stored.method.display_name,
        attempt=attempt.id,
        is_open=invoice is not None and invoice.status is InvoiceStatus.OPEN,
    )


async def record_reversal(
    uow: UnitOfWork, ids: Ids, event: Reversal, attempt: Attempt, now: datetime, actor: str = "system"
) -> str:
    """Record money that went back, about the invoice that it had paid; returns the id of its entry in the audit log."""
    return await uow.events.record(
        event, ids=ids, actor=actor, at=now, account_id=attempt.account_id, subject_id=attempt.invoice_id
    )
