"""Charges that a bank disputes: staff hear of each step; a lost one goes back, and its invoice is open again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.events.reversals import DisputeLost, DisputeOpened, DisputeWon
from app.domain.ledger import PostingKind
from app.domain.refunds import DisputeState
from app.services.notifications.announce import announce
from app.services.payments.collection_words import TAKEN_BACK
from app.services.payments.reversals import (
    post_reinstated_payment,
    post_reversal,
    record_reversal,
    reversed_charge,
    stop_collecting,
)
from app.services.payments.tell_collection import payment_undone

if TYPE_CHECKING:
    from app.domain.collection import Attempt
    from app.domain.refunds import Dispute
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

EVENTS = {
    DisputeState.OPEN: DisputeOpened,
    DisputeState.WON: DisputeWon,
    DisputeState.LOST: DisputeLost,
}


async def record_dispute(uow: UnitOfWork, services: Services, attempt: Attempt, dispute: Dispute) -> bool:
    """Record a dispute as the gateway has it now; False when we know it so already. The account is locked here.

    Its invoice is charged by hand alone from the first word of it on.
    """
    now = services.clock.now()
    await uow.accounts.get(attempt.account_id, lock=True)
    known = await uow.disputes.find_state(dispute.id)
    if known is dispute.state:
        return False
    await uow.disputes.put(dispute, account_id=attempt.account_id, attempt_id=attempt.id)
    if known is None or dispute.state is DisputeState.LOST:
        await _freeze(uow, attempt)
    if dispute.state is DisputeState.LOST:
        await post_reversal(uow, attempt, PostingKind.CHARGED_BACK, dispute.amount_cents, now)
        await stop_collecting(uow, attempt.invoice_id)
    elif known is DisputeState.LOST:
        reference = f"dispute {dispute.id}, {dispute.changed_at.isoformat()}"
        await post_reinstated_payment(uow, services.ids, attempt, reference, dispute.amount_cents, now)
    event = EVENTS[dispute.state](
        **await reversed_charge(uow, attempt), amount_cents=dispute.amount_cents, dispute=dispute.id, was=known
    )
    event_id = await record_reversal(uow, services.ids, event, attempt, now)
    if dispute.state is DisputeState.LOST:
        told = payment_undone(attempt.account_id, event_id, event, TAKEN_BACK, None)
        await announce(uow, ids=services.ids, now=now, announcements=told)
    return True


async def _freeze(uow: UnitOfWork, attempt: Attempt) -> None:
    """Charge nothing by itself for an invoice that is still open while its charge is disputed."""
    if await uow.ledger.balance_of_invoice(attempt.account_id, attempt.invoice_id) > 0:
        await stop_collecting(uow, attempt.invoice_id)
