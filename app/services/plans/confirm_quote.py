"""Confirming a quote: once under its key, on the facts as they stand, paid before it takes effect (rules 16, 17)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.domain.checkouts import ChangeInProgress, Checkout, CheckoutAction, CheckoutState
from app.domain.collection import reached_no_bank
from app.domain.invoices import compute_invoice
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.payment_methods import chargeable
from app.ports import ORIGIN
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION
from app.services.common.account_snapshot import load_snapshot
from app.services.common.idempotency import execute_idempotently
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoice
from app.services.payments.customer_charges import CollectionOnHold, Outcome, PaymentDeclined, PaymentMethodRequired

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from app.domain.invoices import BillingFacts
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.services.payments.payment_runner import PaymentRunner
    from app.services.plans.quotes import Quote, QuoteSigner
    from app.views.account_snapshot import AccountSnapshot


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """What a quote stands for: its invoice, if it has one now, and how it takes effect.

    `apply` is told the invoice's id; it gets the same `details` that a change waiting for its payment keeps.
    """

    action: CheckoutAction
    details: dict[str, Any]
    facts: BillingFacts | None
    plan_version_id: str
    apply: Callable[[str | None], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a quote that was confirmed came to."""

    details: Mapping[str, Any]
    invoice_id: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Who confirms which quote. Without a payment runner a change takes effect at once, and is collected later."""

    services: Services
    caller: Caller
    signer: QuoteSigner
    payment_runner: PaymentRunner | None
    action: str
    quote_token: str
    idempotency_key: str
    request: Mapping[str, Any]


async def confirm_quote(
    by: Confirmation, decide: Callable[[UnitOfWork, AccountSnapshot, Quote, datetime], Awaitable[PlannedChange]]
) -> Confirmed:
    """Carry out what a quote stands for; `decide` makes sure, inside the transaction, that it still does.

    What has to be paid first is charged, and waited for up to eight seconds.
    :raises InvalidQuote: when the quote is not one of this account's.
    :raises ChangeInProgress: while another change waits for its payment.
    :raises PaymentMethodRequired: when it has to be paid first and nothing can be charged.
    :raises PaymentDeclined: when nothing could be charged; nothing has changed.
    :raises GatewayUnavailable: when no bank was asked, for the payment gateway takes no charge; nothing has changed.
    :raises IdempotencyConflict: when the key came with another request before.
    """

    async def work(uow: UnitOfWork) -> dict[str, Any]:
        owner = await uow.accounts.get_by_external_id(by.caller.account, lock=True)
        quote = by.signer.read(by.quote_token, owner.id, by.action)
        now = by.services.clock.now()

        async def confirm() -> dict[str, Any]:
            waiting = await uow.checkouts.find_waiting(owner.id)
            if waiting is not None:
                raise ChangeInProgress(waiting)
            snapshot = await load_snapshot(uow, by.caller.account, now)
            return await _carry_out(uow, by, snapshot, await decide(uow, snapshot, quote, now), now)

        return await execute_idempotently(
            uow,
            account_id=owner.id,
            operation=by.action,
            key=by.idempotency_key,
            request={"quote": quote.id, **by.request},
            now=now,
            work=confirm,
        )

    result = await unit_of_work.write(by.services.database, work)
    if result["invoice"] is not None and by.payment_runner is not None:
        await by.payment_runner.collect_now([result["invoice"]])
    return await _outcome(by, result)


async def _carry_out(
    uow: UnitOfWork, by: Confirmation, snapshot: AccountSnapshot, change: PlannedChange, now: datetime
) -> dict[str, Any]:
    result = {"details": change.details, "invoice": None, "waits": False}
    if change.facts is None:
        await change.apply(None)
        return result
    waits = await _waits(uow, by, snapshot, compute_invoice(change.facts).amount_due_cents)
    issue = await issue_invoice(
        uow,
        by.services.ids,
        snapshot,
        InvoiceOrder(
            change.facts,
            change.plan_version_id,
            by.caller.actor,
            request_id=by.caller.request_id,
            is_checkout=waits,
        ),
        now,
    )
    if waits:
        checkout = Checkout(
            by.services.ids.new("chk"),
            snapshot.account_id,
            issue.id,
            change.action,
            CheckoutState.WAITING,
            change.details,
            by.caller.actor,
            by.caller.request_id,
            ORIGIN.get(),
        )
        await uow.checkouts.add(checkout, created_at=now)
    else:
        await change.apply(issue.id)
    return result | {"invoice": issue.id, "waits": waits}


async def _waits(uow: UnitOfWork, by: Confirmation, snapshot: AccountSnapshot, due_cents: int) -> bool:
    """Tell whether the change has to be paid before it takes effect, and make sure that it can be (rule 17)."""
    if not due_cents or by.payment_runner is None or not by.payment_runner.charges_first:
        return False
    if await uow.holds.find(COLLECTION) is not None:
        raise CollectionOnHold
    if not chargeable(await uow.payment_methods.list_on_file(snapshot.account_id)):
        raise PaymentMethodRequired
    return True


async def _outcome(by: Confirmation, result: Mapping[str, Any]) -> Confirmed:
    """Return what the confirmation has come to by now; under a key that came before, too."""
    details, invoice_id = result["details"], result["invoice"]
    if not result["waits"]:
        is_scheduled = details.get("when") == "NEXT_CYCLE"
        return Confirmed(details, invoice_id, Outcome.SCHEDULED if is_scheduled else Outcome.APPLIED)
    checkout = await unit_of_work.read(by.services.database, lambda uow: uow.checkouts.find_by_invoice(invoice_id))
    state = CheckoutState.WAITING if checkout is None else checkout.state
    if state is CheckoutState.DECLINED:
        attempts = await unit_of_work.read(by.services.database, lambda uow: uow.attempts.of_invoice(invoice_id))
        if reached_no_bank(attempts):
            raise GatewayUnavailable("it took no charge")
        raise PaymentDeclined(invoice_id)
    return Confirmed(details, invoice_id, Outcome.APPLIED if state is CheckoutState.DONE else Outcome.PAYMENT_PENDING)
