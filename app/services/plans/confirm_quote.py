"""Confirming a quote: once under its key, on the facts as they stand, paid before it takes effect (rules 16, 17)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic

from app.domain.checkouts import ChangeInProgress, Checkout, CheckoutState, PlanChangeDetails
from app.domain.collection import reached_no_bank
from app.domain.invoices import compute_invoice
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.payment_methods import chargeable
from app.domain.plan_changes import When
from app.ports import ORIGIN
from app.repositories import unit_of_work
from app.repositories.checkout_details import Details, read_details, write_details
from app.repositories.webhook_events import COLLECTION
from app.services.common.account_snapshot import load_snapshot
from app.services.common.idempotency import execute_idempotently
from app.services.invoices.apply_change import ConfirmedChange, apply_change
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
class PlannedChange(Generic[Details]):
    """What a quote stands for: the change, the facts of its invoice if it has one, and the month's plan after it."""

    details: Details
    facts: BillingFacts | None
    plan_version_id: str


@dataclass(frozen=True, slots=True)
class Confirmed(Generic[Details]):
    """A confirmed quote: its change, its invoice if it has one, and whether the change has taken effect."""

    details: Details
    invoice_id: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Confirmation(Generic[Details]):
    """Who confirms which quote, and the kind of change that it is of.

    Without a payment runner a change takes effect at once, and is collected later.
    """

    services: Services
    caller: Caller
    signer: QuoteSigner
    payment_runner: PaymentRunner | None
    action: str
    quote_token: str
    idempotency_key: str
    kind: type[Details]
    request: Mapping[str, str] = field(default_factory=dict)


async def confirm_quote(
    by: Confirmation[Details],
    decide: Callable[[UnitOfWork, AccountSnapshot, Quote, datetime], Awaitable[PlannedChange[Details]]],
) -> Confirmed[Details]:
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
    uow: UnitOfWork, by: Confirmation[Details], snapshot: AccountSnapshot, plan: PlannedChange[Details], now: datetime
) -> dict[str, Any]:
    ids, caller, details = by.services.ids, by.caller, plan.details
    change = ConfirmedChange(snapshot.account_id, details, None, caller.actor, caller.request_id)
    result = {"details": write_details(details), "invoice": None, "waits": False}
    if plan.facts is None:
        await apply_change(uow, ids, change, now)
        return result
    waits = await _waits(uow, by, snapshot, compute_invoice(plan.facts).amount_due_cents)
    order = InvoiceOrder(
        snapshot,
        plan.facts,
        plan.plan_version_id,
        caller.actor,
        request_id=caller.request_id,
        is_checkout=waits,
    )
    issue = await issue_invoice(uow, ids, order, now)
    if waits:
        checkout = Checkout(
            ids.new("chk"),
            snapshot.account_id,
            issue.id,
            CheckoutState.WAITING,
            details,
            caller.actor,
            caller.request_id,
            ORIGIN.get(),
        )
        await uow.checkouts.add(checkout, created_at=now)
    else:
        await apply_change(uow, ids, replace(change, invoice_id=issue.id), now)
    return result | {"invoice": issue.id, "waits": waits}


async def _waits(uow: UnitOfWork, by: Confirmation[Details], snapshot: AccountSnapshot, due_cents: int) -> bool:
    """Tell whether the change has to be paid before it takes effect, and make sure that it can be (rule 17)."""
    if not due_cents or by.payment_runner is None or not by.payment_runner.charges_first:
        return False
    if await uow.holds.find(COLLECTION) is not None:
        raise CollectionOnHold
    if not chargeable(await uow.payment_methods.list_on_file(snapshot.account_id)):
        raise PaymentMethodRequired
    return True


async def _outcome(by: Confirmation[Details], result: Mapping[str, Any]) -> Confirmed[Details]:
    """Return what the confirmation has come to by now; under a key that came before, too."""
    details, invoice_id = read_details(by.kind, result["details"]), result["invoice"]
    if not result["waits"]:
        is_scheduled = isinstance(details, PlanChangeDetails) and details.when is When.NEXT_CYCLE
        return Confirmed(details, invoice_id, Outcome.SCHEDULED if is_scheduled else Outcome.APPLIED)
    checkout = await unit_of_work.read(by.services.database, lambda uow: uow.checkouts.find_by_invoice(invoice_id))
    state = CheckoutState.WAITING if checkout is None else checkout.state
    if state is CheckoutState.DECLINED:
        attempts = await unit_of_work.read(by.services.database, lambda uow: uow.attempts.of_invoice(invoice_id))
        if reached_no_bank(attempts):
            raise GatewayUnavailable("it took no charge")
        raise PaymentDeclined(invoice_id)
    return Confirmed(details, invoice_id, Outcome.APPLIED if state is CheckoutState.DONE else Outcome.PAYMENT_PENDING)
