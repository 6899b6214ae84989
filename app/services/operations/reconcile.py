"""A restored database and the gateway brought together: every transaction is known here, recorded, or told to staff.

Nothing is charged, refunded or voided by this. Only when nothing is left to tell, money moves again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from app.domain.collection import OPEN_STATES, AttemptState, CollectionStatus, best_of
from app.domain.events.operations import DatabaseRestored, GatewayReconciled, TransactionAccepted
from app.domain.explanations import dollars
from app.domain.payment_gateway import AnswerKind, ChargeAnswer, TransactionKind, TransactionStatus
from app.domain.refunds import RefundKind
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION, MESSAGES
from app.services.adjustments.refund_steps import look_for_refund, record_refund
from app.services.common.staff_actions import check_staff
from app.services.invoices.settle_credit import settle_credit
from app.services.operations.match_transactions import NotMatched, match_refund, match_sale, record_matched_sale
from app.services.payments.settlements import Settlement, record_settlement

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime

    from app.domain.collection import Attempt
    from app.domain.payment_gateway import Transaction
    from app.domain.refunds import Refund
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class SinceTooLate(ValueError):
    """What happened between the backup and the time given would not be looked at."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"The restored data ends at {until.isoformat()}: reconcile since then, or since earlier.")
        self.until = until


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Its outcome: how many transactions were known, what was recorded, and what staff have to look at."""

    known: int
    recorded: tuple[str, ...]
    problems: tuple[str, ...]
    is_lifted: bool


async def accept_transactions(services: Services, *, transaction_ids: Sequence[str], actor: str, reason: str) -> None:
    """Write down that staff have looked at transactions of the gateway that belong in no book of ours."""
    check_staff(actor, reason)

    async def work(uow: UnitOfWork) -> None:
        now, event = services.clock.now(), TransactionAccepted(reason=reason)
        for transaction_id in transaction_ids:
            await uow.events.record(event, ids=services.ids, actor=actor, at=now, subject_id=transaction_id)

    await unit_of_work.write(services.database, work)


async def reconcile(services: Services, *, since: datetime, actor: str) -> Reconciliation:
    """Compare everything that the gateway did since an instant with what is known here; doing it again is harmless.

    :raises SinceTooLate: when the restored data ends before that.
    :raises GatewayUnavailable: when the gateway cannot be asked; what was recorded by then stays.
    """
    run = _Run(services, actor, await unit_of_work.read(services.database, lambda uow: _prepare(uow, since)))
    await run.settle_open_charges()
    await run.settle_open_refunds()
    found = [transaction async for transaction in services.payments.transactions_since(since)]
    for transaction in sorted(found, key=_place):
        await run.look_at(transaction)
    return await unit_of_work.write(services.database, lambda uow: _finish(uow, services, run, since))


def _place(transaction: Transaction) -> tuple[datetime, bool, str]:
    """Return the place of a transaction among others: by time, and a refund never before its sale."""
    return transaction.created_at, transaction.kind is TransactionKind.REFUND, transaction.id


async def _prepare(uow: UnitOfWork, since: datetime) -> frozenset[str]:
    """Return the transactions that staff have accepted."""
    restored = await uow.events.list_of(DatabaseRestored)
    until = restored[-1].event.data_until if restored and await uow.holds.find(COLLECTION) is not None else None
    if until is not None and since > until:
        raise SinceTooLate(until)
    return frozenset(entry.subject_id or "" for entry in await uow.events.list_of(TransactionAccepted))


async def _finish(uow: UnitOfWork, services: Services, run: _Run, since: datetime) -> Reconciliation:
    is_held = await uow.holds.find(COLLECTION) is not None
    is_lifted = is_held and not run.problems
    if is_lifted:
        for name in (COLLECTION, MESSAGES):
            await uow.holds.lift(name)
    event = GatewayReconciled(
        since=since,
        matched=run.known,
        adopted=tuple(run.recorded),
        problems=tuple(run.problems),
        is_lifted=is_lifted,
    )
    await uow.events.record(event, ids=services.ids, actor=run.actor, at=services.clock.now())
    return Reconciliation(run.known, tuple(run.recorded), tuple(run.problems), is_lifted)


class _Run:
    """One run, and what it has come to so far."""

    def __init__(self, services: Services, actor: str, accepted: frozenset[str]) -> None:
        self.actor = actor
        self.known = 0
        self.recorded: list[str] = []
        self.problems: list[str] = []
        self._services = services
        self._accepted = accepted

    async def settle_open_charges(self) -> None:
        """Find out about every charge without an outcome; one that the gateway does not have is left for later."""
        services = self._services
        for attempt in await unit_of_work.read(services.database, lambda uow: uow.attempts.without_outcome()):
            best = best_of(await services.payments.find_by_order(attempt.id))
            if best is not None:
                await self._settle_charge(attempt, best)

    async def _settle_charge(self, attempt: Attempt, best: Transaction) -> None:
        services = self._services

        async def work(uow: UnitOfWork) -> str | None:
            if best.moves_money:
                return await record_matched_sale(uow, services, attempt, best, self.actor)
            await _decline(uow, services, attempt, best)
            return None

        await self._match(best, work)

    async def settle_open_refunds(self) -> None:
        """Find out about every refund without an outcome; one that the gateway does not have is left for later."""
        services = self._services
        for refund in await unit_of_work.read(services.database, lambda uow: uow.refunds.list_open()):
            answer = await self._ask_about(refund)
            if answer.kind is AnswerKind.DONE:
                self.recorded.append(f"Refund {refund.id} went through.")
                await unit_of_work.write(
                    services.database, partial(_refunded, services=services, refund=refund, answer=answer)
                )

    async def _ask_about(self, refund: Refund) -> ChargeAnswer:
        services = self._services
        if refund.kind is RefundKind.REFUND:
            return await look_for_refund(services, refund.id)
        attempt = await unit_of_work.read(services.database, lambda uow: uow.attempts.find(refund.attempt_id))
        found = None if attempt is None else await services.payments.find_transaction(attempt.transaction_id or "")
        is_void = found is not None and found.status is TransactionStatus.VOIDED
        return ChargeAnswer(AnswerKind.DONE if is_void else AnswerKind.UNKNOWN, found)

    async def look_at(self, transaction: Transaction) -> None:
        """Find a transaction in our books, record it, or tell of it."""
        if transaction.id in self._accepted:
            self.known += 1
        elif transaction.kind is TransactionKind.SALE:
            await self._look_at_sale(transaction)
        elif transaction.moves_money:
            await self._look_at_refund(transaction)

    async def _look_at_sale(self, sale: Transaction) -> None:
        services = self._services

        async def find(uow: UnitOfWork) -> tuple[Attempt | None, Attempt | None]:
            by_transaction = await uow.attempts.find_by_transaction(sale.id)
            return by_transaction, await uow.attempts.find(sale.order_id or "")

        known, of_order = await unit_of_work.read(services.database, find)
        if known is not None:
            await self._look_at_known(known, sale)
        elif not sale.moves_money or (of_order is not None and of_order.state in OPEN_STATES):
            return
        elif of_order is not None:
            self.problems.append(
                f"Transaction {sale.id} of {dollars(sale.amount_cents)} took money for charge {of_order.id}, which is "
                f"{of_order.state.lower()} here by another transaction."
            )
        else:
            await self._match_sale(sale)

    async def _look_at_known(self, attempt: Attempt, sale: Transaction) -> None:
        """A charge that is known: its outcome since is taken over too."""
        services = self._services
        if attempt.state is not AttemptState.SUCCEEDED and sale.moves_money:
            self.problems.append(
                f"Transaction {sale.id} of {dollars(sale.amount_cents)} is declined here, but money was taken."
            )
            return
        self.known += 1
        settlement = await unit_of_work.write(
            services.database, lambda uow: record_settlement(uow, services, attempt.id, sale)
        )
        if settlement in {Settlement.RETURNED, Settlement.VOIDED}:
            self.recorded.append(f"Transaction {sale.id} was {settlement.lower()}.")

    async def _match_sale(self, sale: Transaction) -> None:
        services, token = self._services, sale.method_token
        stored = await unit_of_work.read(services.database, lambda uow: uow.payment_methods.find(token or ""))
        vaulted = None if token is None or stored is not None else await services.payments.find_method(token)
        await self._match(sale, lambda uow: match_sale(uow, services, sale, vaulted, self.actor))

    async def _look_at_refund(self, given: Transaction) -> None:
        services = self._services

        async def find(uow: UnitOfWork) -> Refund | None:
            return await uow.refunds.find_by_transaction(given.id) or await uow.refunds.find(given.order_id or "")

        known = await unit_of_work.read(services.database, find)
        if known is None:
            await self._match(given, lambda uow: match_refund(uow, services, given, self.actor))
        elif known.state is AttemptState.SUCCEEDED and known.transaction_id == given.id:
            self.known += 1
        else:
            self.problems.append(
                f"Transaction {given.id} gave {dollars(given.amount_cents)} back, but {known.id} here says otherwise."
            )

    async def _match(self, transaction: Transaction, work: Callable[[UnitOfWork], Awaitable[str | None]]) -> None:
        try:
            done = await unit_of_work.write(self._services.database, work)
        except NotMatched as error:
            self.problems.append(f"Transaction {transaction.id} of {dollars(transaction.amount_cents)}: {error.why}.")
        else:
            self.recorded += [] if done is None else [done]


async def _decline(uow: UnitOfWork, services: Services, attempt: Attempt, best: Transaction) -> None:
    """Record that a charge was refused; its round goes on from there once money moves again."""
    now = services.clock.now()
    await uow.accounts.get(attempt.account_id, lock=True)
    await uow.attempts.record_outcome(
        attempt.id, AttemptState.DECLINED, at=now, transaction_id=best.id, decline=best.decline
    )
    collection = await uow.collections.find(attempt.invoice_id)
    if collection is not None and collection.status is not CollectionStatus.DONE:
        await uow.collections.save(None, collection, {"status": CollectionStatus.CHARGING, "retry_at": now})
    await settle_credit(uow, services.ids, attempt.account_id, now)


async def _refunded(uow: UnitOfWork, services: Services, refund: Refund, answer: ChargeAnswer) -> None:
    await uow.accounts.get(refund.account_id, lock=True)
    stored = await uow.refunds.find(refund.id)
    if stored is not None and stored.state in OPEN_STATES:
        await record_refund(uow, services, replace(refund, sends=stored.sends), answer)
