"""What the payment gateway told us, dealt with in any order and however often: the gateway is asked how things stand.

A notice about nothing of ours is put in quarantine with its reason, and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from app.domain.collection import OPEN_STATES, AttemptState, pause_after
from app.domain.events.operations import WebhookEventQuarantined
from app.domain.events.payment_methods import PaymentMethodMissing, PaymentMethodRevoked
from app.domain.events.reversals import RefundFailed
from app.domain.payment_gateway import GatewayUnavailable, WebhookEventKind
from app.domain.refunds import WebhookEventState
from app.repositories import unit_of_work
from app.services.common.failures import log_failure
from app.services.operations.ask_each import ask_each
from app.services.payment_methods.vault_methods import flag_method, follow_vault
from app.services.payments.disputes import record_dispute
from app.services.payments.reversals import post_reinstated_payment, record_reversal, reversed_charge
from app.services.payments.settlements import record_settlement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from app.domain.collection import Attempt
    from app.domain.payment_gateway import Transaction
    from app.domain.refunds import Refund
    from app.repositories.unit_of_work import UnitOfWork
    from app.repositories.webhook_events import StoredWebhookEvent
    from app.services.common.services import Services

log = structlog.get_logger("notices")

PAGE_SIZE = 100
MOST_FAILURES = 60
"""How often a notice is tried, about half a day, before it waits for staff."""


class NotOurs(LookupError):
    """The notice is about nothing that we know; `reason` is kept with it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotYet(RuntimeError):
    """What the notice is about is under way here; it is looked at again later."""


async def process_webhook_events(services: Services) -> int:
    """Deal with every notice that is due, and return how many were looked at; what fails is tried again later."""
    due = await unit_of_work.read(
        services.database, lambda uow: uow.webhook_events.due(services.clock.now(), PAGE_SIZE)
    )
    for stored in due:
        await _process(services, stored)
    return len(due)


async def _process(services: Services, stored: StoredWebhookEvent) -> None:
    try:
        effect = await _HANDLERS[stored.notice.kind](services, stored)
        await unit_of_work.write(services.database, lambda uow: _finish(uow, services, stored, effect))
    except NotOurs as error:
        await _quarantine(services, stored, error.reason)
    except (GatewayUnavailable, NotYet) as error:
        await _postpone(services, stored, str(getattr(error, "reason", error)))
    except Exception as error:  # noqa: BLE001  one notice's trouble is not the others'
        log_failure(log, "notice not processed", error, notice=stored.id)
        await _postpone(services, stored, type(error).__qualname__)


@dataclass(frozen=True, slots=True)
class _Effect:
    """What a notice changes, in one transaction; nothing where it is kept only."""

    apply: Callable[[UnitOfWork], Awaitable[object]] | None = None
    note: str | None = None


async def _finish(uow: UnitOfWork, services: Services, stored: StoredWebhookEvent, effect: _Effect) -> None:
    if effect.apply is not None:
        await effect.apply(uow)
    await uow.webhook_events.close(stored.id, WebhookEventState.DONE, at=services.clock.now(), reason=effect.note)


async def _quarantine(services: Services, stored: StoredWebhookEvent, reason: str) -> None:
    now = services.clock.now()

    async def work(uow: UnitOfWork) -> None:
        if await uow.webhook_events.close(stored.id, WebhookEventState.QUARANTINED, at=now, reason=reason):
            event = WebhookEventQuarantined(name=stored.notice.name, reason=reason)
            await uow.events.record(event, ids=services.ids, actor="system", at=now, subject_id=stored.id)

    await unit_of_work.write(services.database, work)


async def _postpone(services: Services, stored: StoredWebhookEvent, reason: str) -> None:
    if stored.failures >= MOST_FAILURES:
        await _quarantine(services, stored, reason)
        return
    until = services.clock.now() + pause_after(stored.failures)
    await unit_of_work.write(
        services.database, lambda uow: uow.webhook_events.postpone(stored, until=until, reason=reason)
    )


async def _keep(_services: Services, _stored: StoredWebhookEvent) -> _Effect:
    return _Effect(note="kept, nothing to do")


async def _on_settlement(services: Services, stored: StoredWebhookEvent) -> _Effect:
    """A charge settled, or was declined at settlement: whichever, the gateway says how it stands now."""
    transaction = await _transaction(services, stored)
    refund = await unit_of_work.read(services.database, lambda uow: uow.refunds.find_by_transaction(transaction.id))
    if refund is not None and refund.transaction_id != (await _charge_of(services, refund)).transaction_id:
        return await _on_refund(services, stored)
    attempt = await _attempt(services, transaction)
    return _Effect(lambda uow: record_settlement(uow, services, attempt.id, transaction))


async def _charge_of(services: Services, refund: Refund) -> Attempt:
    attempt = await unit_of_work.read(services.database, lambda uow: uow.attempts.find(refund.attempt_id))
    if attempt is None:
        raise NotOurs("its refund has no charge")
    return attempt


async def _on_dispute(services: Services, stored: StoredWebhookEvent) -> _Effect:
    dispute = await services.payments.find_dispute(stored.notice.dispute_id or "")
    if dispute is None:
        raise NotOurs("the gateway has no such dispute")
    found = await services.payments.find_transaction(dispute.transaction_id)
    if found is None:
        raise NotOurs("the gateway has no such transaction")
    attempt = await _attempt(services, found)
    return _Effect(lambda uow: record_dispute(uow, services, attempt, dispute))


async def _on_revoked(services: Services, stored: StoredWebhookEvent) -> _Effect:
    """The payer has taken their agreement back. A token is never used again, so an old notice stays true."""
    token = stored.notice.subject_id or ""
    if await unit_of_work.read(services.database, lambda uow: uow.payment_methods.find(token)) is None:
        raise NotOurs("no payment method of ours")
    return _Effect(lambda uow: flag_method(uow, services, token, PaymentMethodRevoked))


async def _on_cards_updated(services: Services, _stored: StoredWebhookEvent) -> _Effect:
    """Banks have changed cards: each of ours is looked at in the vault, for the report itself may be anybody's."""
    on_file = await unit_of_work.read(services.database, lambda uow: uow.vault_records.ids_on_file())

    async def look_at(method_id: str) -> None:
        vaulted = await services.payments.find_method(method_id)
        if vaulted is None:
            await unit_of_work.write(
                services.database, lambda uow: flag_method(uow, services, method_id, PaymentMethodMissing)
            )
        else:
            await unit_of_work.write(services.database, lambda uow: follow_vault(uow, services, vaulted))

    await ask_each([method_id for _, method_id in on_file], look_at)
    return _Effect()


async def _on_refund(services: Services, stored: StoredWebhookEvent) -> _Effect:
    """A refund did not reach the customer: the money is ours again, and staff give it back in another way."""
    transaction = await _transaction(services, stored)
    refund = await unit_of_work.read(services.database, lambda uow: uow.refunds.find_by_transaction(transaction.id))
    if refund is None:
        raise NotOurs("no refund of ours")
    if transaction.moves_money:
        return _Effect(note="the gateway says that the refund stands")
    return _Effect(lambda uow: _undo_refund(uow, services, refund.id))


async def _undo_refund(uow: UnitOfWork, services: Services, refund_id: str) -> None:
    refund = await uow.refunds.find(refund_id)
    if refund is None:
        raise LookupError(refund_id)
    await uow.accounts.get(refund.account_id, lock=True)
    refund = await uow.refunds.find(refund_id)
    attempt = None if refund is None else await uow.attempts.find(refund.attempt_id)
    if refund is None or attempt is None or refund.state is not AttemptState.SUCCEEDED:
        return
    now = services.clock.now()
    await uow.refunds.fail(refund.id, at=now)
    await post_reinstated_payment(uow, services.ids, attempt, f"refund {refund.id} failed", refund.amount_cents, now)
    event = RefundFailed(**await reversed_charge(uow, attempt), amount_cents=refund.amount_cents, refund=refund.id)
    await record_reversal(uow, services.ids, event, attempt, now)


async def _transaction(services: Services, stored: StoredWebhookEvent) -> Transaction:
    found = await services.payments.find_transaction(stored.notice.subject_id or "")
    if found is None:
        raise NotOurs("the gateway has no such transaction")
    return found


async def _attempt(services: Services, transaction: Transaction) -> Attempt:
    """Return the charge behind a transaction; one whose answer is still awaited is not known by it yet.

    :raises NotOurs: when there is none.
    :raises NotYet: while its outcome is not known here.
    """

    async def find(uow: UnitOfWork) -> Attempt | None:
        known = await uow.attempts.find_by_transaction(transaction.id)
        return known or (await uow.attempts.find(transaction.order_id or ""))

    attempt = await unit_of_work.read(services.database, find)
    if attempt is None:
        raise NotOurs("no charge of ours")
    if attempt.state in OPEN_STATES:
        raise NotYet("its charge is under way")
    if attempt.transaction_id != transaction.id:
        raise NotOurs("another transaction of a charge of ours")
    return attempt


_HANDLERS: Mapping[WebhookEventKind, Callable[[Services, StoredWebhookEvent], Awaitable[_Effect]]] = {
    WebhookEventKind.CHECK: _keep,
    WebhookEventKind.OTHER: _keep,
    WebhookEventKind.DISPUTE_OPENED: _on_dispute,
    WebhookEventKind.DISPUTE_LOST: _on_dispute,
    WebhookEventKind.DISPUTE_WON: _on_dispute,
    WebhookEventKind.DISPUTE_CHANGED: _on_dispute,
    WebhookEventKind.METHOD_REVOKED: _on_revoked,
    WebhookEventKind.CARDS_UPDATED: _on_cards_updated,
    WebhookEventKind.TRANSACTION_SETTLED: _on_settlement,
    WebhookEventKind.SETTLEMENT_DECLINED: _on_settlement,
    WebhookEventKind.REFUND_FAILED: _on_refund,
}
