"""Carrying refunds out: send, believe only definite answers, find out what is not known, never send twice unsafely."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import structlog

from app.domain.collection import GATEWAY_DEADLINE, OPEN_STATES, AttemptState, best_of, pause_after
from app.domain.events.reversals import PaymentRefunded, RefundDeclined
from app.domain.ledger import PostingKind
from app.domain.payment_gateway import (
    AnswerKind,
    ChargeAnswer,
    GatewayUnavailable,
    TransactionKind,
    TransactionStatus,
)
from app.domain.periods import billing_date
from app.domain.refunds import (
    Refund,
    RefundKind,
    can_refund_again,
    is_decided,
    refund_state_after,
    sent_again,
)
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION
from app.services.common.failures import contained
from app.services.notifications.announce import announce
from app.services.payments.reversals import post_reversal, record_reversal, reversed_charge, stop_collecting
from app.services.payments.tell_collection import payment_refunded

if TYPE_CHECKING:
    from app.domain.collection import Attempt
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

log = structlog.get_logger("refunds")

REFUND_LEASE = GATEWAY_DEADLINE
"""How long whoever sends a refund has it to themselves: until the gateway has decided."""

PAGE_SIZE = 100
ABSENT = "the gateway has no such refund"


async def settle_refunds(services: Services) -> int:
    """Find out about every refund whose outcome is not known and that is due to be looked for; returns how many were.

    Under a hold it does nothing.
    """

    async def find(uow: UnitOfWork) -> list[Refund]:
        if await uow.holds.find(COLLECTION) is not None:
            return []
        return await uow.refunds.due(services.clock.now(), PAGE_SIZE)

    due = await unit_of_work.read(services.database, find)
    for refund in due:
        with contained(log, "refund not settled", refund=refund.id):
            await settle_refund(services, refund)
    return len(due)


async def settle_refund(services: Services, refund: Refund) -> Refund:
    """Find out about one refund, unless somebody else is at it; returns it as it then is."""
    until = services.clock.now() + REFUND_LEASE
    if not await unit_of_work.write(services.database, lambda uow: uow.refunds.claim(refund, until)):
        return refund
    claimed = replace(refund, next_action_at=until)
    return await carry_out(services, claimed, was_sent=refund.state is not AttemptState.PLANNED)


async def carry_out(services: Services, refund: Refund, *, was_sent: bool) -> Refund:
    """Send a refund, or look for it, until it is known or has to wait; the caller has it to itself.

    `was_sent` where it may have reached the gateway before; a refund that was just written down has not.
    """
    # A refund that may have arrived is looked for before it is sent again: two refunds of one charge are money lost.
    found = await _look(services, refund) if was_sent else None
    if found is not None:
        return await unit_of_work.write(
            services.database, lambda uow: _record(uow, services, refund, found, was_sent=was_sent)
        )
    while True:
        # It is written down as sent before it is: a process that dies in between knows that it may have arrived.
        sent = await _mark_sent(services, refund) if was_sent or refund.state is AttemptState.PLANNED else refund
        answer = await _send(services, sent)
        if was_sent and answer.kind is AnswerKind.REFUSED and not answer.keys_refused:
            answer = await _confirm_refusal(services, refund, answer)
        refund = await unit_of_work.write(
            services.database,
            partial(_record, services=services, refund=sent, answer=answer, was_sent=was_sent),
        )
        if refund.state is not AttemptState.PLANNED or answer.kind is AnswerKind.NEVER_SENT:
            return refund
        was_sent = False


async def _look(services: Services, refund: Refund) -> ChargeAnswer | None:
    """Return what the gateway knows of a refund that was sent; None where it is to be sent again."""
    try:
        if refund.kind is RefundKind.VOID:
            return await _look_for_void(services, refund)
        now = services.clock.now()
        if can_refund_again(refund, now):
            return None
        if not is_decided(refund.sent_at, now):
            return ChargeAnswer(AnswerKind.UNKNOWN, reason="the gateway may still be at it")
        return await look_for_refund(services, refund.id)
    except GatewayUnavailable as error:
        return ChargeAnswer(AnswerKind.UNKNOWN, reason=error.reason)


async def _confirm_refusal(services: Services, refund: Refund, answer: ChargeAnswer) -> ChargeAnswer:
    """A second sending that is refused tells nothing of the first; its absence does, once the gateway has decided."""
    if refund.kind is RefundKind.VOID:
        return answer
    try:
        found = await look_for_refund(services, refund.id)
    except GatewayUnavailable as error:
        return ChargeAnswer(AnswerKind.UNKNOWN, reason=error.reason)
    is_refused = found.reason == ABSENT and is_decided(refund.sent_at, services.clock.now())
    return replace(answer, kind=AnswerKind.DECLINED) if is_refused else found


async def look_for_refund(services: Services, refund_id: str) -> ChargeAnswer:
    """Return what the gateway has under a refund's id.

    :raises GatewayUnavailable: when it cannot be asked.
    """
    found = [t for t in await services.payments.find_by_order(refund_id) if t.kind is TransactionKind.REFUND]
    best = best_of(found)
    if best is None:
        return ChargeAnswer(AnswerKind.UNKNOWN, reason=ABSENT)
    return ChargeAnswer(AnswerKind.DONE if best.moves_money else AnswerKind.DECLINED, best, best.decline)


async def _look_for_void(services: Services, refund: Refund) -> ChargeAnswer | None:
    """A sale that is void has been voided, by whichever sending; voiding it again is the same."""
    attempt = await unit_of_work.read(services.database, lambda uow: uow.attempts.find(refund.attempt_id))
    found = None if attempt is None else await services.payments.find_transaction(attempt.transaction_id or "")
    if found is not None and found.status is TransactionStatus.VOIDED:
        return ChargeAnswer(AnswerKind.DONE, found)
    return None


async def _mark_sent(services: Services, refund: Refund) -> Refund:
    """Write down that a refund is about to be sent, the first time or again."""
    now = services.clock.now()
    sent = replace(sent_again(refund, now), next_action_at=now + REFUND_LEASE)
    await unit_of_work.write(services.database, lambda uow: uow.refunds.save(sent, at=now))
    return sent


async def _send(services: Services, refund: Refund) -> ChargeAnswer:
    attempt = await unit_of_work.read(services.database, lambda uow: uow.attempts.find(refund.attempt_id))
    transaction_id = "" if attempt is None else attempt.transaction_id or ""
    if refund.kind is RefundKind.VOID:
        return await services.payments.void(transaction_id, refund.request_key)
    return await services.payments.refund(
        transaction_id, refund.amount_cents, refund.request_key, uses_key=refund.uses_key
    )


async def _record(
    uow: UnitOfWork, services: Services, refund: Refund, answer: ChargeAnswer, *, was_sent: bool
) -> Refund:
    """Write down the outcome of a refund, and return it; PLANNED where it is to be sent in another way at once."""
    now = services.clock.now()
    await uow.accounts.get(refund.account_id, lock=True)
    stored = await uow.refunds.find(refund.id)
    # A webhook event, the sweep or reconcile may have recorded the outcome first.
    if stored is None or stored.state not in OPEN_STATES:
        return stored or refund
    state = refund_state_after(refund, answer, was_sent=was_sent)
    if state is AttemptState.SUCCEEDED:
        return await record_refund(uow, services, refund, answer)
    # Somebody has sent it again since: this failure is of an earlier sending and says nothing of theirs.
    if stored.sends != refund.sends:
        return stored
    changed = _after_failure(refund, answer, state)
    if changed.state in OPEN_STATES:
        pause = pause_after(changed.sends + changed.absences)
        changed = replace(changed, next_action_at=now + pause)
    await uow.refunds.save(changed, at=now)
    if changed.state is AttemptState.DECLINED:
        await _tell_refused(uow, services, changed, answer)
    return changed


def _after_failure(refund: Refund, answer: ChargeAnswer, state: AttemptState) -> Refund:
    if answer.keys_refused:
        is_first = refund.sends <= 1
        return replace(refund, uses_key=False, state=AttemptState.PLANNED if is_first else AttemptState.UNKNOWN)
    if refund.kind is RefundKind.VOID and state is AttemptState.DECLINED:
        # It has settled in the meantime: what cannot be voided is refunded.
        return replace(refund, kind=RefundKind.REFUND, state=AttemptState.PLANNED, sends=0, sent_at=None)
    absences = refund.absences + (answer.reason == ABSENT)
    return replace(refund, state=state, absences=absences)


async def record_refund(uow: UnitOfWork, services: Services, refund: Refund, answer: ChargeAnswer) -> Refund:
    """Record a refund that went through; the caller is the account's only writer."""
    now = services.clock.now()
    transaction_id = None if answer.transaction is None else answer.transaction.id
    done = replace(refund, state=AttemptState.SUCCEEDED, transaction_id=transaction_id)
    attempt = await _attempt(uow, refund)
    await uow.refunds.save(done, at=now)
    # A void is seen by two: by whoever sent it, and by the sweep as a sale that is void. It is posted once.
    is_new = refund.kind is not RefundKind.VOID or await uow.settlements.mark_returned(attempt.id, at=now)
    if is_new:
        await post_reversal(uow, attempt, PostingKind.REFUNDED, refund.amount_cents, now)
        await stop_collecting(uow, attempt.invoice_id)
        event = PaymentRefunded(
            **await reversed_charge(uow, attempt),
            amount_cents=refund.amount_cents,
            refund=refund.id,
            kind_=refund.kind,
            reason=refund.why,
        )
        await record_reversal(uow, services.ids, event, attempt, now, refund.actor)
        open_cents = max(0, await uow.ledger.balance_of_invoice(attempt.account_id, attempt.invoice_id))
        told = payment_refunded(attempt.account_id, event, open_cents, billing_date(now))
        await announce(uow, ids=services.ids, now=now, announcements=told)
    return done


async def _tell_refused(uow: UnitOfWork, services: Services, refund: Refund, answer: ChargeAnswer) -> None:
    attempt = await _attempt(uow, refund)
    event = RefundDeclined(
        **await reversed_charge(uow, attempt),
        amount_cents=refund.amount_cents,
        refund=refund.id,
        code=None if answer.decline is None else answer.decline.code,
    )
    await record_reversal(uow, services.ids, event, attempt, services.clock.now(), refund.actor)


async def _attempt(uow: UnitOfWork, refund: Refund) -> Attempt:
    attempt = await uow.attempts.find(refund.attempt_id)
    if attempt is None:
        raise LookupError(refund.attempt_id)
    return attempt
