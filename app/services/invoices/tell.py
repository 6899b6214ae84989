"""What the use cases of the bill have to tell, each as the announcement of its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.announcements import (
    AddOnBought,
    AddOnEnded,
    InvoiceReady,
    PaymentReceived,
    PlanChange,
    PlanMoved,
    Upgraded,
)
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.periods import billing_date, day_before
from app.messages.invoice_words import KIND_NAMES, PAYMENT_NAMES
from app.services.notifications.announce import Announcement, actor_name

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from app.domain.add_ons import AddOnVersion
    from app.domain.checkouts import PlanChangeDetails
    from app.domain.invoice_drafts import Issue
    from app.domain.plans import PlanVersion
    from app.domain.upgrades import Upgrade
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import Payment
    from app.repositories.unit_of_work import UnitOfWork
    from app.views.account_snapshot import AccountSnapshot


def invoice_ready(issue: Issue, now: datetime) -> Announcement:
    """Tell that an invoice, or a credit note, was issued."""
    draft = issue.draft
    facts = InvoiceReady(
        issue.number,
        KIND_NAMES[draft.kind],
        draft.period.starts_on,
        draft.total_cents,
        draft.credit_applied_cents,
        draft.amount_due_cents,
        billing_date(now),
    )
    return Announcement(AlertKind.INVOICE_READY, issue.account_id, issue.id, facts)


def invoice_facts(invoice: StoredInvoice, open_cents: int, *, is_asked_for: bool = False) -> InvoiceReady:
    """Return what a message says of an invoice that was issued before, of which so much is open by now."""
    return InvoiceReady(
        invoice.number,
        KIND_NAMES[invoice.kind],
        invoice.period.starts_on,
        invoice.total_cents,
        invoice.credit_applied_cents,
        invoice.amount_due_cents,
        billing_date(invoice.issued_at),
        open_cents=open_cents,
        is_paid=invoice.status is InvoiceStatus.PAID and invoice.amount_due_cents > 0,
        is_asked_for=is_asked_for,
    )


def upgrade_done(snapshot: AccountSnapshot, upgrade: Upgrade, issue: Issue) -> Announcement:
    """Tell that a month has moved up (rule 21)."""
    facts = Upgraded(
        snapshot.period.starts_on,
        snapshot.plan.month_plan.name,
        upgrade.target.name,
        snapshot.usage.live_seconds,
        issue.number,
        issue.draft.amount_due_cents,
        upgrade.saving_cents,
        upgrade.is_permanent and snapshot.pending_plan is None,
    )
    return Announcement(AlertKind.UPGRADE_DONE, snapshot.account_id, issue.id, facts)


async def plan_moved(
    uow: UnitOfWork, account_id: str, details: PlanChangeDetails, change: PlanChange, event_id: str, actor: str
) -> Announcement:
    """Tell that the plan was changed, or a change was scheduled, as its details say."""
    plans = await uow.plans.get_many([details.previous_plan, details.plan])
    facts = PlanMoved(
        change,
        plans[details.previous_plan].name,
        plans[details.plan].name,
        details.effective_on,
        details.amount_due_cents,
        details.credit_cents,
        await actor_name(uow, actor),
    )
    return Announcement(AlertKind.PLAN_CHANGED, account_id, event_id, facts)


def plan_kept(
    account_id: str, pending: PlanVersion, kept: PlanVersion, on: date, event_id: str, by: str
) -> Announcement:
    """Tell that a scheduled change was taken back; `on` is the day on which it would have come."""
    facts = PlanMoved(PlanChange.CANCELLED, pending.name, kept.name, on, 0, 0, by)
    return Announcement(AlertKind.PLAN_CHANGED, account_id, event_id, facts)


def add_on_bought(
    account_id: str, version: AddOnVersion, since_on: date, amount_due_cents: int, event_id: str, by: str
) -> Announcement:
    """Tell that an add-on was bought."""
    facts = AddOnBought(version.name, since_on, amount_due_cents, version.monthly_cents, by)
    return Announcement(AlertKind.ADD_ON_BOUGHT, account_id, event_id, facts)


def add_on_ended(
    account_id: str, version: AddOnVersion, ends_before: date | None, event_id: str, by: str
) -> Announcement:
    """Tell that an add-on was cancelled, or that it stays after all where there is no end."""
    facts = AddOnEnded(version.name, None if ends_before is None else day_before(ends_before), by)
    return Announcement(AlertKind.ADD_ON_ENDED, account_id, event_id, facts)


def payment_received(payment: Payment, invoice_numbers: Iterable[int], credit_cents: int) -> Announcement:
    """Tell that money came in, which invoices it paid in full or in part, and what became credit."""
    name, reference = PAYMENT_NAMES[payment.kind], payment.reference
    facts = PaymentReceived(
        payment.amount_cents,
        reference if reference.casefold().startswith(name.casefold()) else f"{name} {reference}",
        payment.received_on,
        tuple(invoice_numbers),
        credit_cents,
    )
    return Announcement(AlertKind.PAYMENT_RECEIVED, payment.account_id, payment.id, facts)
