"""Pay now: one invoice, or everything that is open, at once and by the methods on file (rule 30)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from app.domain.checkouts import ChangeInProgress
from app.domain.collection import Collection, CollectionStatus, request_collection_attempt
from app.domain.events.payments import PaymentRequested
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.payment_methods import chargeable
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION
from app.services.common.idempotency import execute_idempotently
from app.services.invoices.own_invoice import own_invoice
from app.services.invoices.settle_credit import settle_requested
from app.services.payments.customer_charges import CollectionOnHold, Outcome, PaymentDeclined, PaymentMethodRequired

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.services.payments.payment_runner import PaymentRunner

PAY_INVOICE = "pay_invoice"
PAY_OPEN_BALANCE = "pay_open_balance"


class NothingToPay(ValueError):
    """Nothing is open."""

    def __init__(self) -> None:
        super().__init__("Nothing is left to pay.")


class PaymentResult(StrEnum):
    """The outcome of the payment of one invoice."""

    PAID = "PAID"
    PENDING = "PENDING"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class PaidInvoice:
    """One invoice, and the outcome of its payment."""

    invoice_id: str
    result: PaymentResult


async def pay_invoice(
    services: Services, caller: Caller, *, payment_runner: PaymentRunner, invoice_id: str, idempotency_key: str
) -> Outcome:
    """Charge what is open on an invoice now, and wait for it up to eight seconds; it uses no slot of the schedule.

    A charge that is under way already is waited for instead.
    :raises InvoiceUnknown: when the account has no such invoice.
    :raises NothingToPay, PaymentMethodRequired, PaymentDeclined: when nothing is open, or nothing could be charged.
    :raises IdempotencyConflict: when the key came with another invoice before.
    """

    async def work(uow: UnitOfWork) -> dict[str, Any]:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()

        async def request() -> dict[str, Any]:
            invoice = await own_invoice(uow, invoice_id, owner.id)
            if invoice.status is not InvoiceStatus.OPEN:
                raise NothingToPay
            await settle_requested(uow, services.ids, owner.id, [invoice_id], now, caller.actor)
            await _request(uow, owner.id, [invoice_id], now)
            await uow.events.record(
                PaymentRequested(number=invoice.number),
                ids=services.ids,
                actor=caller.actor,
                at=now,
                account_id=owner.id,
                subject_id=invoice_id,
                request_id=caller.request_id,
            )
            return {"invoices": [invoice_id]}

        asked = {"invoice": invoice_id}
        return await execute_idempotently(
            uow, account_id=owner.id, operation=PAY_INVOICE, key=idempotency_key, request=asked, now=now, work=request
        )

    await unit_of_work.write(services.database, work)
    await payment_runner.collect_now([invoice_id])
    (paid,) = await _results(services.database, caller.account, [invoice_id])
    if paid.result is PaymentResult.DECLINED:
        raise PaymentDeclined(invoice_id)
    return Outcome.APPLIED if paid.result is PaymentResult.PAID else Outcome.PAYMENT_PENDING


async def pay_open_balance(
    services: Services, caller: Caller, *, payment_runner: PaymentRunner, idempotency_key: str
) -> list[PaidInvoice]:
    """Charge every open invoice, the oldest first, and return the outcome of each.

    The errors are those of `pay_invoice`; that one invoice is declined is a result, and the others are charged still.
    """

    async def work(uow: UnitOfWork) -> dict[str, Any]:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()

        async def request() -> dict[str, Any]:
            open_ids = [invoice.id for invoice in await uow.ledger.open_invoices(owner.id) if invoice.balance_cents > 0]
            if not open_ids:
                raise NothingToPay
            await settle_requested(uow, services.ids, owner.id, open_ids, now, caller.actor)
            await _request(uow, owner.id, open_ids, now)
            await uow.events.record(
                PaymentRequested(invoices=len(open_ids)),
                ids=services.ids,
                actor=caller.actor,
                at=now,
                account_id=owner.id,
                request_id=caller.request_id,
            )
            return {"invoices": open_ids}

        return await execute_idempotently(
            uow,
            account_id=owner.id,
            operation=PAY_OPEN_BALANCE,
            key=idempotency_key,
            request={},
            now=now,
            work=request,
        )

    invoice_ids = (await unit_of_work.write(services.database, work))["invoices"]
    await payment_runner.collect_now(invoice_ids)
    return await _results(services.database, caller.account, invoice_ids)


async def _request(uow: UnitOfWork, account_id: str, invoice_ids: Sequence[str], now: datetime) -> None:
    """Ask for a round of each invoice; one that is under way, or whose outcome is not known, is the one to wait for."""
    if await uow.holds.find(COLLECTION) is not None:
        raise CollectionOnHold
    waiting = await uow.checkouts.find_waiting(account_id)
    if waiting is not None and waiting.invoice_id in invoice_ids:
        raise ChangeInProgress(waiting)
    still_open = {invoice.id for invoice in await uow.ledger.open_invoices(account_id)} & set(invoice_ids)
    if still_open and not chargeable(await uow.payment_methods.list_on_file(account_id)):
        raise PaymentMethodRequired
    for invoice_id in invoice_ids:
        collection = await uow.collections.find(invoice_id)
        if invoice_id in still_open and collection is not None and not _is_under_way(collection):
            await uow.collections.save(None, collection, request_collection_attempt(now))


def _is_under_way(collection: Collection) -> bool:
    return collection.is_requested or collection.status in {CollectionStatus.CHARGING, CollectionStatus.UNKNOWN}


async def _results(database: Database, account: str, invoice_ids: Sequence[str]) -> list[PaidInvoice]:
    async def read(uow: UnitOfWork) -> list[PaidInvoice]:
        owner = await uow.accounts.get_by_external_id(account)
        return [PaidInvoice(each, await _result(uow, owner.id, each)) for each in invoice_ids]

    return await unit_of_work.read(database, read)


async def _result(uow: UnitOfWork, account_id: str, invoice_id: str) -> PaymentResult:
    invoice = await uow.invoices.find(invoice_id, account_id)
    collection = await uow.collections.find(invoice_id)
    if invoice is None or collection is None or invoice.status is not InvoiceStatus.OPEN:
        return PaymentResult.PAID
    return PaymentResult.PENDING if _is_under_way(collection) else PaymentResult.DECLINED
