"""Collecting one invoice: charge a method, believe only definite answers, go on from the rows (rules 29-31).

Each charge is written down before it is sent, and no transaction is open while the gateway works. Whoever is killed at
any point leaves rows from which the next one goes on without charging twice.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from app.domain.collection import (
    AddLateFee,
    Attempt,
    AttemptState,
    Charge,
    CollectionStatus,
    EndRound,
    Finish,
    Resolve,
    Suspend,
    Wait,
    Warn,
    begin_round,
    can_send_again,
    look_up_at,
    next_step,
    outcome_among,
    pause_after,
    state_after,
)
from app.domain.invoice_drafts import InvoiceKind
from app.domain.payment_gateway import AnswerKind, ChargeAnswer, ChargeReason, ChargeRequest, GatewayUnavailable
from app.repositories import unit_of_work
from app.repositories.collections import LeaseLost
from app.repositories.webhook_events import COLLECTION
from app.services.invoices.settle_credit import settle_credit, settle_requested
from app.services.payments import collection_steps as steps
from app.services.payments.collection_snapshot import load_collection

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.domain.collection import CollectionChange
    from app.repositories.collections import Lease
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.payments.collection_snapshot import CollectionSnapshot

LEASE = timedelta(minutes=5)
"""Far longer than the gateway's deadline: nobody else begins while a charge may still be under way."""

LOCAL_STEPS: dict[type, Callable[..., Awaitable[None]]] = {
    EndRound: steps.end_round,
    Finish: steps.finish,
    AddLateFee: steps.add_late_fee,
    Warn: steps.warn,
    Suspend: steps.suspend,
}


@dataclass(frozen=True, slots=True)
class _Call:
    """What the gateway is to be asked about an attempt: to charge, or whether it did.

    `was_sent` where the attempt may have reached the gateway before.
    """

    lease: Lease
    attempt: Attempt
    sends: bool
    was_sent: bool


async def collect_invoice(services: Services, invoice_id: str) -> bool:
    """Do everything about an invoice that is due now; False when somebody else is at it, or nothing is to be done.

    It ends when the invoice is paid, the round has failed, or an outcome cannot be known yet.
    """
    call = await unit_of_work.write(services.database, lambda uow: _begin(uow, services, invoice_id))
    if call is None:
        return False
    # Each turn is: commit what will be asked, ask outside any transaction, commit the answer. A process that dies
    # between two of them leaves an attempt without outcome, which the next one resolves before anything else.
    with suppress(LeaseLost):
        while isinstance(call, _Call):
            answer = await _ask(services, call)
            call = await unit_of_work.write(
                services.database,
                partial(_record, services=services, call=call, answer=answer),
            )
    return True


async def _begin(uow: UnitOfWork, services: Services, invoice_id: str) -> _Call | bool | None:
    real_now = services.real_now()
    if await uow.holds.find(COLLECTION) is not None:
        return None
    collection = await uow.collections.find(invoice_id)
    if collection is None:
        return None
    # The account before the collection, as whoever asks for a payment locks them: else each waits for the other.
    await uow.accounts.get(collection.account_id, lock=True)
    lease = await uow.collections.claim(invoice_id, real_now, real_now + LEASE)
    return None if lease is None else await _go_on(uow, services, lease)


async def _go_on(uow: UnitOfWork, services: Services, lease: Lease) -> _Call | bool:
    """Take every step that needs no gateway, and return the call that comes next; True when nothing is left to do.

    Credit of the account pays first: nothing is charged above what is owed at this moment.
    """
    # The account is locked before its balance is read: credit that arises meanwhile waits, and is seen next time.
    await uow.accounts.get(lease.account_id, lock=True)
    await settle_credit(uow, services.ids, lease.account_id, services.clock.now())
    while True:
        found = await load_collection(uow, lease.invoice_id, lease.account_id, services.clock.now())
        if found.collection.status is CollectionStatus.DONE:
            return True
        step = next_step(
            found.collection,
            balance_cents=found.balance_cents,
            attempts=found.attempts,
            methods=found.methods,
            now=found.now,
        )
        if isinstance(step, Wait):
            await uow.collections.release(lease)
            return True
        if isinstance(step, Charge):
            if await _pay_by_hand(uow, services, found):
                continue
            return await _plan(uow, services, lease, found, step)
        if isinstance(step, Resolve):
            return await _plan_again(uow, lease, found, step.attempt)
        await LOCAL_STEPS[type(step)](uow, services, lease, found, step)


async def _pay_by_hand(uow: UnitOfWork, services: Services, found: CollectionSnapshot) -> bool:
    """Let credit come before a card on an invoice that is charged because its customer asked; tell if there was any."""
    if not found.collection.is_by_hand:
        return False
    return await settle_requested(uow, services.ids, found.account.id, [found.invoice.id], found.now, "system")


async def _plan(uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, step: Charge) -> _Call:
    """Write a charge down as sent (rule 31)."""
    round_no = found.collection.round_no
    if step.begins_round:
        changed = begin_round(found.collection, found.now, services.policies)
        await uow.collections.save(lease, found.collection, changed)
        round_no = changed["round_no"]
    attempt = Attempt(
        id=services.ids.new("att"),
        account_id=found.account.id,
        invoice_id=found.invoice.id,
        attempt_no=len(found.attempts) + 1,
        round_no=round_no,
        method_id=step.method.id,
        amount_cents=found.balance_cents,
        state=AttemptState.SENT,
        reason=await _reason(uow, found),
        sent_at=found.now,
        sends=1,
    )
    # A lease that ran out belongs to somebody else, who may have planned a charge already: theirs counts.
    await uow.collections.check_lease(lease)
    await uow.attempts.add(attempt, created_at=found.now)
    return _Call(lease, attempt, sends=True, was_sent=False)


async def _reason(uow: UnitOfWork, found: CollectionSnapshot) -> ChargeReason:
    if not await uow.attempts.has_charged(found.account.id):
        return ChargeReason.FIRST
    return ChargeReason.RECURRING if found.invoice.kind is InvoiceKind.CYCLE else ChargeReason.UNSCHEDULED


async def _plan_again(uow: UnitOfWork, lease: Lease, found: CollectionSnapshot, attempt: Attempt) -> _Call:
    """Send an attempt without an outcome once more where that is safe, or look for it."""
    await uow.collections.check_lease(lease)
    was_sent = attempt.state is not AttemptState.PLANNED
    # With a request key the gateway answers a second sending with the first's result, as long as it remembers the key.
    sends = can_send_again(attempt, found.now)
    if sends:
        await uow.attempts.mark_sent(attempt, at=found.now, uses_key=attempt.uses_key)
        sent_at = attempt.sent_at if was_sent and attempt.uses_key else found.now
        attempt = replace(attempt, sends=attempt.sends + 1, sent_at=sent_at, absences=0)
    return _Call(lease, attempt, sends=sends, was_sent=was_sent)


async def _ask(services: Services, call: _Call) -> ChargeAnswer:
    """Let the gateway charge, or tell the outcome of a charge; what cannot be known is UNKNOWN."""
    attempt = call.attempt
    if not call.sends:
        return await _look(services, attempt)
    answer = await services.payments.charge(
        ChargeRequest(
            attempt_id=attempt.id,
            amount_cents=attempt.amount_cents,
            customer_id=attempt.account_id,
            method_token=attempt.method_id,
            reason=attempt.reason,
            uses_key=attempt.uses_key,
        )
    )
    if answer.is_duplicate:
        # The gateway has decided about the charge before it, so that one can be looked for at once.
        return await _find(services, replace(attempt, decline=answer.decline))
    # The refusal is of this sending alone; the one before may have taken the money.
    if call.was_sent and answer.kind is AnswerKind.REFUSED and not answer.keys_refused:
        return await _confirm_refusal(services, attempt, answer)
    return answer


async def _look(services: Services, attempt: Attempt) -> ChargeAnswer:
    """Return what the gateway knows of a charge, once it has decided about it."""
    if services.clock.now() < look_up_at(attempt, services.clock.now()):
        return _unknown(attempt, "the gateway may still be at it")
    return await _find(services, attempt)


async def _find(services: Services, attempt: Attempt) -> ChargeAnswer:
    """Return what the gateway has under the order of an attempt."""
    try:
        found = outcome_among(await services.payments.find_by_order(attempt.id), attempt)
    except GatewayUnavailable as error:
        return _unknown(attempt, error.reason)
    if found is None:
        return _unknown(attempt, ABSENT)
    return ChargeAnswer(AnswerKind.DONE if found.moves_money else AnswerKind.DECLINED, found, found.decline)


def _unknown(attempt: Attempt, reason: str) -> ChargeAnswer:
    """What is not known of an attempt leaves as it was what is: that it was rejected as a duplicate."""
    return ChargeAnswer(AnswerKind.UNKNOWN, decline=attempt.decline, reason=reason)


async def _confirm_refusal(services: Services, attempt: Attempt, answer: ChargeAnswer) -> ChargeAnswer:
    """A second sending that is refused tells nothing of the first; its absence does, once the gateway has decided."""
    found = await _look(services, attempt)
    return replace(answer, kind=AnswerKind.DECLINED) if found.reason == ABSENT else found


ABSENT = "the gateway has no such order"


async def _record(uow: UnitOfWork, services: Services, call: _Call, answer: ChargeAnswer) -> _Call | bool:
    """Write down the outcome of a charge, and return the call that comes next."""
    # The state is read again: while the gateway was asked, staff may have voided, credited or paid the invoice.
    found = await load_collection(uow, call.lease.invoice_id, call.lease.account_id, services.clock.now())
    await uow.collections.check_lease(call.lease)
    attempt = call.attempt
    if answer.keys_refused:
        return await _without_key(uow, call, found)
    state = state_after(answer, was_sent=call.was_sent)
    if state is AttemptState.SUCCEEDED and answer.transaction is not None:
        await steps.record_success(uow, services, call.lease, found, attempt, answer.transaction)
    elif state is AttemptState.DECLINED or (state is AttemptState.PLANNED and found.checkout is not None):
        await steps.record_failure(uow, services, call.lease, found, attempt, answer)
    else:
        await _postpone(uow, call, found, state, answer)
        return True
    return await _go_on(uow, services, call.lease)


async def _without_key(uow: UnitOfWork, call: _Call, found: CollectionSnapshot) -> _Call | bool:
    """The gateway takes no request keys from us: send for the first time without one, or look for what was sent."""
    await uow.attempts.mark_sent(call.attempt, at=found.now, uses_key=False)
    attempt = replace(call.attempt, uses_key=False, sends=call.attempt.sends + 1)
    if not call.was_sent:
        return _Call(call.lease, attempt, sends=True, was_sent=False)
    await _postpone(uow, call, found, AttemptState.UNKNOWN, ChargeAnswer(AnswerKind.UNKNOWN))
    return True


async def _postpone(
    uow: UnitOfWork, call: _Call, found: CollectionSnapshot, state: AttemptState, answer: ChargeAnswer
) -> None:
    """Come back to an attempt later; nothing else is tried before (rule 31)."""
    await uow.attempts.record_outcome(call.attempt.id, state, at=found.now, decline=answer.decline)
    if answer.reason == ABSENT:
        await uow.attempts.count_absence(call.attempt)
    retry_at = found.now + pause_after(found.collection.failures)
    # What must not be sent again is looked for, and the gateway's search lags behind what it has done.
    if state is AttemptState.UNKNOWN and (answer.is_duplicate or not call.attempt.uses_key):
        retry_at = max(retry_at, look_up_at(call.attempt, found.now))
    changed: CollectionChange = {
        "status": CollectionStatus.UNKNOWN if state is AttemptState.UNKNOWN else found.collection.status,
        "retry_at": retry_at,
        "failures": found.collection.failures + 1,
        "lease_until": None,
    }
    await uow.collections.save(call.lease, found.collection, changed)
