"""The outcome of a charge after it went through: settled, declined late, or voided behind our back."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.collection import OPEN_STATES, AttemptState
from app.domain.events.reversals import ChargeVoidedAtGateway, PaymentReturned
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import TransactionStatus
from app.domain.refunds import RefundKind
from app.services.invoices.settle_credit import settle_credit
from app.services.notifications.announce import announce
from app.services.payments.collection_words import RETURNED, VOIDED
from app.services.payments.reversals import (
    collect_again,
    post_reversal,
    record_reversal,
    reversed_charge,
    stop_collecting,
)
from app.services.payments.tell_collection import payment_undone

if TYPE_CHECKING:
    from app.domain.collection import Attempt
    from app.domain.payment_gateway import Transaction
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class Settlement(StrEnum):
    """What was found: nothing new, settled, returned by the bank, or voided by somebody at the gateway."""

    NOTHING_NEW = "NOTHING_NEW"
    SETTLED = "SETTLED"
    RETURNED = "RETURNED"
    VOIDED = "VOIDED"


LATE_DECLINES = frozenset(
    {
        TransactionStatus.SETTLEMENT_DECLINED,
        TransactionStatus.DECLINED,
        TransactionStatus.FAILED,
        TransactionStatus.REJECTED,
    }
)


async def record_settlement(
    uow: UnitOfWork, services: Services, attempt_id: str, transaction: Transaction
) -> Settlement:
    """Record how a successful charge stands at the gateway now; the same again changes nothing.

    A decline may come after it was settled. The account is locked here.
    """
    attempt = await uow.attempts.find(attempt_id)
    if attempt is None:
        raise LookupError(attempt_id)
    await uow.accounts.get(attempt.account_id, lock=True)
    attempt = await uow.attempts.find(attempt_id)
    if attempt is None or attempt.state is not AttemptState.SUCCEEDED or attempt.transaction_id != transaction.id:
        return Settlement.NOTHING_NEW
    if transaction.status is TransactionStatus.SETTLED:
        await uow.settlements.mark_settled([attempt.id], at=services.clock.now())
        return Settlement.SETTLED
    if transaction.status in LATE_DECLINES:
        return await _return(uow, services, attempt, transaction)
    if transaction.status is TransactionStatus.VOIDED:
        return await _record_void(uow, services, attempt)
    return Settlement.NOTHING_NEW


async def _return(uow: UnitOfWork, services: Services, attempt: Attempt, transaction: Transaction) -> Settlement:
    """The bank did not pay after all: the balance opens again, and collecting goes on after a failed round.

    All of it is missing, whatever was given back of it before.
    """
    now = services.clock.now()
    if not await uow.settlements.mark_returned(attempt.id, at=now):
        return Settlement.NOTHING_NEW
    await post_reversal(uow, attempt, PostingKind.RETURNED, attempt.amount_cents, now)
    changed = await collect_again(uow, attempt, services.policies, now)
    await settle_credit(uow, services.ids, attempt.account_id, now)
    following = changed.get("next_attempt_at")
    event = PaymentReturned(
        **await reversed_charge(uow, attempt),
        amount_cents=attempt.amount_cents,
        code=None if transaction.decline is None else transaction.decline.code,
        next_attempt_at=following,
    )
    event_id = await record_reversal(uow, services.ids, event, attempt, now)
    told = payment_undone(attempt.account_id, event_id, event, RETURNED, following)
    await announce(uow, ids=services.ids, now=now, announcements=told)
    return Settlement.RETURNED


async def _record_void(uow: UnitOfWork, services: Services, attempt: Attempt) -> Settlement:
    """Somebody voided the charge at the gateway, unless a refund of ours did: nobody charges it again by itself."""
    for refund in await uow.refunds.list_of_attempt(attempt.account_id, attempt.id):
        if refund.kind is RefundKind.VOID and refund.state in {*OPEN_STATES, AttemptState.SUCCEEDED}:
            return Settlement.NOTHING_NEW
    now = services.clock.now()
    if not await uow.settlements.mark_returned(attempt.id, at=now):
        return Settlement.NOTHING_NEW
    await post_reversal(uow, attempt, PostingKind.RETURNED, attempt.amount_cents, now)
    await stop_collecting(uow, attempt.invoice_id)
    event = ChargeVoidedAtGateway(**await reversed_charge(uow, attempt), amount_cents=attempt.amount_cents)
    event_id = await record_reversal(uow, services.ids, event, attempt, now)
    told = payment_undone(attempt.account_id, event_id, event, VOIDED, None)
    await announce(uow, ids=services.ids, now=now, announcements=told)
    return Settlement.VOIDED
