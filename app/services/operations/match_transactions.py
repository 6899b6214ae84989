"""Charges and refunds that the gateway made and that a restored database does not know, recorded in the books.

Only what cannot be anything else is matched: our customer, an order id of our form, and the very amount that is open.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.collection import OPEN_STATES, Attempt, AttemptState
from app.domain.events.payments import UnknownChargeMatched
from app.domain.events.reversals import UnknownRefundMatched
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import ChargeReason, TransactionStatus
from app.domain.refunds import Refund, RefundKind
from app.repositories.accounts import AccountNotFound
from app.services.payments.collection_snapshot import load_collection
from app.services.payments.collection_steps import record_success
from app.services.payments.reversals import post_reversal, record_reversal, reversed_charge, stop_collecting

if TYPE_CHECKING:
    from app.domain.collection import Collection
    from app.domain.payment_gateway import Transaction, VaultedMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

ORDER_PREFIX, REFUND_PREFIX = "att_", "rfd_"
LEASE = timedelta(minutes=5)


class NotMatched(ValueError):
    """The transaction cannot be recorded in the books by itself; `why` is for staff."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


async def match_sale(
    uow: UnitOfWork, services: Services, sale: Transaction, vaulted: VaultedMethod | None, actor: str
) -> str:
    """Take a sale in as the charge of the open invoice that it pays exactly, and return what was done.

    `vaulted` is the method charged, as the vault has it. Invoices are tried from the oldest on.
    :raises NotMatched: when no invoice of the customer waits for just that amount.
    """
    order_id, account_id, token = sale.order_id or "", sale.customer_id or "", sale.method_token
    if not order_id.startswith(ORDER_PREFIX) or token is None:
        raise NotMatched(f"its order id {order_id or 'is missing and'} is none of ours")
    collection = await _waiting_for(uow, account_id, sale.amount_cents)
    if await uow.payment_methods.find(token) is None:
        await uow.payment_methods.add_found(account_id, token, vaulted, at=services.clock.now())
    elif await uow.payment_methods.find(token, account_id) is None:
        raise NotMatched(f"its method {token} is another account's")
    attempts = await uow.attempts.of_invoice(collection.invoice_id)
    for attempt in attempts:
        if attempt.state in OPEN_STATES:
            # It is not at the gateway; the one that is has taken its place.
            await uow.attempts.record_outcome(attempt.id, AttemptState.DECLINED, at=services.clock.now())
    charge = Attempt(
        id=order_id,
        account_id=account_id,
        invoice_id=collection.invoice_id,
        attempt_no=len(attempts) + 1,
        round_no=collection.round_no,
        method_id=token,
        amount_cents=sale.amount_cents,
        state=AttemptState.SUCCEEDED,
        reason=ChargeReason.UNSCHEDULED,
        sent_at=sale.created_at,
        sends=1,
    )
    await uow.attempts.add(charge, created_at=sale.created_at)
    return await record_matched_sale(uow, services, charge, sale, actor)


async def _waiting_for(uow: UnitOfWork, account_id: str, amount_cents: int) -> Collection:
    """Return the collecting of the oldest open invoice with just that balance, and make the caller the only writer.

    :raises NotMatched: when there is none.
    """
    try:
        await uow.accounts.get(account_id, lock=True)
    except AccountNotFound:
        raise NotMatched(f"its customer {account_id or 'is missing and'} is none of ours") from None
    for collection in await uow.collections.list_for_account(account_id):
        if await uow.ledger.balance_of_invoice(account_id, collection.invoice_id) == amount_cents:
            return collection
    raise NotMatched(f"no open invoice of account {account_id} has that balance")


async def record_matched_sale(
    uow: UnitOfWork, services: Services, attempt: Attempt, sale: Transaction, actor: str
) -> str:
    """Record that a charge went through, as its collecting would have; returns what was done.

    :raises NotMatched: when somebody is collecting the invoice just now.
    """
    now, real_now = services.clock.now(), services.real_now()
    await uow.accounts.get(attempt.account_id, lock=True)
    lease = await uow.collections.claim(attempt.invoice_id, real_now, real_now + LEASE)
    if lease is None:
        raise NotMatched("its invoice is paid, or being collected by somebody")
    found = await load_collection(uow, attempt.invoice_id, attempt.account_id, now)
    await record_success(uow, services, lease, found, attempt, sale)
    if sale.amount_cents < found.balance_cents:
        await uow.collections.release(lease)
    if sale.status is TransactionStatus.SETTLED:
        await uow.settlements.mark_settled([attempt.id], at=now)
    await uow.events.record(
        UnknownChargeMatched(
            number=found.invoice.number,
            transaction=sale.id,
            attempt=attempt.id,
            amount_cents=sale.amount_cents,
        ),
        ids=services.ids,
        actor=actor,
        at=now,
        account_id=attempt.account_id,
        subject_id=attempt.invoice_id,
    )
    return f"Transaction {sale.id} paid invoice {found.invoice.number}."


async def match_refund(uow: UnitOfWork, services: Services, given: Transaction, actor: str) -> str:
    """Take a refund in as one of the charge that it gives back of, and return what was done.

    :raises NotMatched: when its sale is no charge of ours, or has not so much left.
    """
    attempt = await uow.attempts.find_by_transaction(given.refunded_id or "")
    if attempt is None:
        raise NotMatched(f"its sale {given.refunded_id} is none of ours")
    now = services.clock.now()
    await uow.accounts.get(attempt.account_id, lock=True)
    left_cents = attempt.amount_cents - await uow.refunds.gone_back_cents(attempt.id)
    if given.amount_cents > left_cents:
        raise NotMatched(f"charge {attempt.id} has only {left_cents} cents left")
    order_id = given.order_id or ""
    is_free = order_id.startswith(REFUND_PREFIX) and await uow.refunds.find(order_id) is None
    refund = Refund(
        id=order_id if is_free else services.ids.new("rfd"),
        account_id=attempt.account_id,
        attempt_id=attempt.id,
        kind=RefundKind.REFUND,
        amount_cents=given.amount_cents,
        state=AttemptState.SUCCEEDED,
        actor=actor,
        why="found at the gateway",
        sends=1,
        sent_at=given.created_at,
        transaction_id=given.id,
    )
    await uow.refunds.add(refund, created_at=now)
    await post_reversal(uow, attempt, PostingKind.REFUNDED, given.amount_cents, now)
    await stop_collecting(uow, attempt.invoice_id)
    event = UnknownRefundMatched(
        **await reversed_charge(uow, attempt),
        amount_cents=given.amount_cents,
        refund=refund.id,
        transaction=given.id,
    )
    await record_reversal(uow, services.ids, event, attempt, now, actor)
    return f"Transaction {given.id} gave money of invoice {event.number} back."
