"""The steps of collecting without the gateway: what an outcome means, what falls due between rounds (rules 29-33)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.billing_items import OneTimeCharge
from app.domain.collection import (
    MOST_FAILURES,
    AddLateFee,
    AttemptState,
    CollectionStatus,
    EndRound,
    Finish,
    Suspend,
    Warn,
    begin_round,
    is_hard,
    pause_after,
    reached_no_bank,
    warned_suspension_at,
)
from app.domain.events.accounts import AccountSuspended, SuspensionAnnounced
from app.domain.events.invoices import LateFeeAdded
from app.domain.events.payment_methods import PaymentMethodDeclined
from app.domain.events.payments import ChargeDeclined, ChargeSucceeded, CollectionFailed
from app.domain.invoice_lines import LineKind
from app.domain.ledger import OpenInvoice, PaymentKind
from app.domain.payment_gateway import AnswerKind, MethodKind
from app.domain.payment_methods import MethodStatus
from app.domain.periods import billing_date
from app.repositories.ledger import Payment
from app.services.invoices.finish_checkout import complete_checkout, drop_checkout
from app.services.invoices.settle_credit import DONE, reactivate_if_settled, settle_credit
from app.services.notifications.announce import announce
from app.services.payments.receive_money import receive_money
from app.services.payments.tell_collection import charge_received, collection_failed, suspended, suspension_scheduled

if TYPE_CHECKING:
    from app.domain.accounts import Account
    from app.domain.collection import Attempt, CollectionChange
    from app.domain.events.event import Event
    from app.domain.payment_gateway import ChargeAnswer, Transaction
    from app.domain.payment_methods import PaymentMethod
    from app.ports import Ids
    from app.repositories.collections import Lease
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.payments.collection_snapshot import CollectionSnapshot

REFUSED_CODE = "refused"


async def record_success(
    uow: UnitOfWork,
    services: Services,
    lease: Lease,
    found: CollectionSnapshot,
    attempt: Attempt,
    transaction: Transaction,
) -> None:
    """Record a charge that went through: the payment, what it paid for, and what waited for it."""
    now, ids = found.now, services.ids
    await uow.attempts.record_outcome(attempt.id, AttemptState.SUCCEEDED, at=now, transaction_id=transaction.id)
    method = found.method(attempt.method_id) or (await _removed_method(uow, attempt))
    kind = PaymentKind.PAYPAL if method is not None and method.kind is MethodKind.PAYPAL else PaymentKind.CARD
    payment = Payment(
        ids.new("pay"), attempt.account_id, kind, transaction.amount_cents, transaction.id, billing_date(now)
    )
    invoice = OpenInvoice(attempt.invoice_id, found.balance_cents)
    written_off = await uow.write_offs.unrecovered(attempt.account_id, attempt.invoice_id)
    await receive_money(uow, ids, payment, [invoice], written_off, now)
    event = ChargeSucceeded(
        number=found.invoice.number,
        amount_cents=transaction.amount_cents,
        method=attempt.method_id,
        method_name="" if method is None else method.display_name,
        is_backup=method is not None and not method.is_default,
        attempt=attempt.id,
        payment=payment.id,
    )
    await _record(uow, ids, found, event)
    await announce(uow, ids=ids, now=now, announcements=[charge_received(found, payment, method)])
    if transaction.amount_cents >= found.balance_cents:
        if found.checkout is not None:
            await complete_checkout(uow, ids, found.checkout, found.invoice, now)
        await uow.collections.save(lease, found.collection, DONE)
        await reactivate_if_settled(uow, ids, found.account, now)
    await settle_credit(uow, ids, found.account.id, now)


async def record_failure(
    uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, attempt: Attempt, answer: ChargeAnswer
) -> None:
    """Record a charge that was refused for good, by the bank or by the gateway."""
    now, ids = found.now, services.ids
    transaction_id = None if answer.transaction is None else answer.transaction.id
    await uow.attempts.record_outcome(
        attempt.id, AttemptState.DECLINED, at=now, transaction_id=transaction_id, decline=answer.decline
    )
    decline = answer.decline
    declined = ChargeDeclined(
        number=found.invoice.number,
        amount_cents=attempt.amount_cents,
        method=attempt.method_id,
        attempt=attempt.id,
        code=REFUSED_CODE if decline is None else decline.code,
        severity=None if decline is None else decline.severity,
    )
    await _record(uow, ids, found, declined)
    if is_hard(decline):
        await uow.payment_methods.set_status(attempt.method_id, MethodStatus.NEEDS_ATTENTION, at=now)
        await uow.events.record(
            PaymentMethodDeclined(status=(MethodStatus.ACTIVE, MethodStatus.NEEDS_ATTENTION), code=declined.code),
            ids=ids,
            actor="system",
            at=now,
            account_id=attempt.account_id,
            subject_id=attempt.method_id,
        )
    changed: CollectionChange = {"status": CollectionStatus.CHARGING, "retry_at": now}
    if answer.kind is AnswerKind.REFUSED:
        changed["failures"] = found.collection.failures + 1
    await uow.collections.save(lease, found.collection, changed)


async def end_round(
    uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, step: EndRound
) -> None:
    """End a round in which nothing was paid: the next one is due on its day, or a change that waited is dropped."""
    now, ids, collection = found.now, services.ids, found.collection
    if found.checkout is not None:
        await drop_checkout(uow, ids, found.checkout, found.invoice, now)
        await uow.collections.save(lease, collection, DONE)
        return
    changed: CollectionChange = begin_round(collection, now, services.policies) if step.begins_round else {}
    if reached_no_bank(step.tried):
        await _try_again(uow, lease, found)
        return
    following = changed.get("next_attempt_at", collection.next_attempt_at)
    await uow.collections.save(
        lease, collection, {**changed, "status": CollectionStatus.WAITING, "retry_at": None, "failures": 0}
    )
    if step.tried or found.methods:
        event = CollectionFailed(
            number=found.invoice.number,
            amount_cents=found.balance_cents,
            methods=tuple(attempt.method_id for attempt in step.tried),
            codes=tuple(attempt.decline.code for attempt in step.tried if attempt.decline is not None),
            next_attempt_at=following,
        )
        await _record(uow, ids, found, event)
        round_no = changed.get("round_no", collection.round_no)
        told = collection_failed(found, step.tried, round_no, following)
        await announce(uow, ids=ids, now=now, announcements=[told])


async def _try_again(uow: UnitOfWork, lease: Lease, found: CollectionSnapshot) -> None:
    """Begin the same round once more after a pause, or park it for staff when that has gone on for long."""
    collection = found.collection
    changed: CollectionChange = {
        "round_no": collection.round_no + 1,
        "retry_at": found.now + pause_after(collection.failures),
    }
    if collection.failures >= MOST_FAILURES:
        changed = {
            "status": CollectionStatus.PARKED,
            "note": "The payment gateway refuses to charge.",
            "retry_at": None,
        }
    await uow.collections.save(lease, collection, changed)


async def finish(uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, _step: Finish) -> None:
    """Stop collecting an invoice that nothing is owed on; whatever paid it has said so already."""
    await uow.collections.save(lease, found.collection, DONE)
    await reactivate_if_settled(uow, services.ids, found.account, found.now)


async def add_late_fee(
    uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, _step: AddLateFee
) -> None:
    """Add the fee for paying late to the next invoice, once for each invoice (rule 32)."""
    fee_cents = services.policies.late_fee_cents or 0
    title = f"Late fee for invoice {found.invoice.number}"
    charge = OneTimeCharge(LineKind.LATE_FEE, services.ids.new("chg"), title, fee_cents)
    if found.account.status is not AccountStatus.CLOSED:
        await uow.charges.add(found.account.id, charge, created_at=found.now)
        event = LateFeeAdded(number=found.invoice.number, amount_cents=fee_cents, charge=charge.id)
        await _record(uow, services.ids, found, event)
    await uow.collections.save(lease, found.collection, {"late_fee_at": None})


async def warn(uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, _step: Warn) -> None:
    """Say that service will be suspended, and when (rule 33)."""
    suspend_at = warned_suspension_at(found.collection, found.now, services.policies)
    if found.account.status is AccountStatus.ACTIVE and suspend_at is not None:
        event = SuspensionAnnounced(
            number=found.invoice.number, suspend_at=suspend_at, amount_cents=found.balance_cents
        )
        await _record(uow, services.ids, found, event)
        told = suspension_scheduled(found, billing_date(suspend_at), await _open_cents(uow, found.account))
        await announce(uow, ids=services.ids, now=found.now, announcements=[told])
    await uow.collections.save(lease, found.collection, {"warn_at": None, "suspend_at": suspend_at})


async def suspend(uow: UnitOfWork, services: Services, lease: Lease, found: CollectionSnapshot, _step: Suspend) -> None:
    """Suspend the service of an account that has not paid for too long (rule 33)."""
    if found.account.status is AccountStatus.ACTIVE:
        await uow.accounts.set_status(found.account.id, AccountStatus.SUSPENDED)
        event = AccountSuspended(
            number=found.invoice.number,
            status=(AccountStatus.ACTIVE, AccountStatus.SUSPENDED),
            amount_cents=found.balance_cents,
        )
        event_id = await _record(uow, services.ids, found, event)
        told = suspended(found, await _open_cents(uow, found.account), event_id)
        await announce(uow, ids=services.ids, now=found.now, announcements=[told])
    await uow.collections.save(lease, found.collection, {"warn_at": None, "suspend_at": None})


async def _record(uow: UnitOfWork, ids: Ids, found: CollectionSnapshot, event: Event) -> str:
    """Record what happened to the invoice by itself, and return the id of its entry in the audit log."""
    return await uow.events.record(
        event, ids=ids, actor="system", at=found.now, account_id=found.account.id, subject_id=found.invoice.id
    )


async def _open_cents(uow: UnitOfWork, account: Account) -> int:
    return sum(invoice.balance_cents for invoice in await uow.ledger.open_invoices(account.id))


async def _removed_method(uow: UnitOfWork, attempt: Attempt) -> PaymentMethod | None:
    stored = await uow.payment_methods.find(attempt.method_id, attempt.account_id)
    return None if stored is None else stored.method
