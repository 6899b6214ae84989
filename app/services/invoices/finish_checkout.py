"""A change that waited for its payment takes effect, or is dropped and its invoice void (rule 17)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from app.domain.add_ons import AddOnSubscription
from app.domain.alerts import AlertKind
from app.domain.announcements import PlanChange
from app.domain.checkouts import Checkout, CheckoutAction, CheckoutState
from app.domain.events.invoices import CheckoutDeclined
from app.domain.events.plans import AddOnActivated, PlanChanged
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.plan_changes import When
from app.ports import came_from
from app.services.invoices.issue_invoice import withdraw_invoice
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.tell import add_on_bought, invoice_facts, plan_moved
from app.services.notifications.announce import Announcement, actor_name, announce
from app.services.notifications.evaluate_thresholds import rearm_alerts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.add_ons import AddOnVersion
    from app.domain.events.event import Event
    from app.domain.events.plans import PlanChangeScheduled
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class AgreedChange:
    """A change that a customer has agreed to: of which account, its details, its invoice if any, by whom it is made."""

    account_id: str
    details: Mapping[str, Any]
    invoice_id: str | None
    actor: str
    request_id: str | None


async def apply_plan_change(uow: UnitOfWork, ids: Ids, agreed: AgreedChange, now: datetime) -> None:
    """Put the account, and its opened month, on the plan of the details; the change counts for that whole month."""
    account_id, details = agreed.account_id, agreed.details
    if details["month"] is not None:
        month = date.fromisoformat(details["month"])
        await uow.cycles.set_plan(account_id, month, details["plan"])
        await rearm_alerts(uow, account_id=account_id, month=month, plan_version_id=details["plan"], now=now)
    await uow.account_plans.choose(account_id, details["plan"])
    event_id = await record_plan_move(uow, ids, PlanChanged, agreed, now)
    told = await plan_moved(uow, account_id, details, PlanChange.CHANGED, event_id, agreed.actor)
    await announce(uow, ids=ids, now=now, announcements=[told])


async def record_plan_move(
    uow: UnitOfWork, ids: Ids, kind: type[PlanChanged | PlanChangeScheduled], agreed: AgreedChange, now: datetime
) -> str:
    """Record a change of plan, now or for the next month, and return the id of its entry in the audit log."""
    details, invoice_id = agreed.details, agreed.invoice_id
    event = kind(
        plan=details["plan"],
        when=When(details["when"]),
        effective_on=date.fromisoformat(details["effective_on"]),
        from_=details["from"],
        invoice=invoice_id,
    )
    return await _record(uow, ids, event, agreed, invoice_id, now)


async def apply_add_on(uow: UnitOfWork, ids: Ids, agreed: AgreedChange, version: AddOnVersion, now: datetime) -> None:
    """Subscribe the account to the add-on from the day that its invoice charges for."""
    account_id, details, actor = agreed.account_id, agreed.details, agreed.actor
    subscription = AddOnSubscription(details["subscription"], version, date.fromisoformat(details["starts_on"]))
    accepted_at = datetime.fromisoformat(details["accepted_at"])
    await uow.add_ons.subscribe(subscription, account_id, accepted_by=actor, accepted_at=accepted_at)
    event = AddOnActivated(
        add_on=version.code, version=version.id, terms=version.terms_version, invoice=agreed.invoice_id
    )
    event_id = await _record(uow, ids, event, agreed, subscription.id, now)
    by = await actor_name(uow, actor)
    told = add_on_bought(account_id, version, subscription.starts_on, details["amount_due_cents"], event_id, by)
    await announce(uow, ids=ids, now=now, announcements=[told])


async def complete_checkout(
    uow: UnitOfWork, ids: Ids, checkout: Checkout, invoice: StoredInvoice, now: datetime
) -> None:
    """Let a paid change take effect, and send its invoice now; the caller is the account's only writer."""
    agreed = AgreedChange(
        checkout.account_id, checkout.details, checkout.invoice_id, checkout.actor, checkout.request_id
    )
    with came_from(checkout.origin):
        if checkout.action is CheckoutAction.CHANGE_PLAN:
            await apply_plan_change(uow, ids, agreed, now)
        else:
            version = await uow.add_ons.get_version(checkout.details["version"])
            await apply_add_on(uow, ids, agreed, version, now)
    await uow.checkouts.finish(checkout.id, CheckoutState.DONE, at=now)
    paid = replace(invoice, status=InvoiceStatus.PAID)
    told = Announcement(AlertKind.INVOICE_READY, invoice.account_id, invoice.id, invoice_facts(paid, 0))
    await announce(uow, ids=ids, now=now, announcements=[told])


async def drop_checkout(uow: UnitOfWork, ids: Ids, checkout: Checkout, invoice: StoredInvoice, now: datetime) -> None:
    """Void the invoice of a change that could not be paid; credit that it used comes back, nothing else changes."""
    await withdraw_invoice(uow, invoice, now)
    await uow.checkouts.finish(checkout.id, CheckoutState.DECLINED, at=now)
    await settle_credit(uow, ids, invoice.account_id, now)
    await uow.events.record(
        CheckoutDeclined(number=invoice.number, action=checkout.action, status=(invoice.status, InvoiceStatus.VOID)),
        ids=ids,
        actor="system",
        at=now,
        account_id=invoice.account_id,
        subject_id=invoice.id,
        request_id=checkout.request_id,
    )


async def _record(
    uow: UnitOfWork, ids: Ids, event: Event, agreed: AgreedChange, subject_id: str | None, now: datetime
) -> str:
    return await uow.events.record(
        event,
        ids=ids,
        actor=agreed.actor,
        at=now,
        account_id=agreed.account_id,
        subject_id=subject_id,
        request_id=agreed.request_id,
    )
