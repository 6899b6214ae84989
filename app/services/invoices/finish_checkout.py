"""A change that waited for its payment takes effect, or is dropped and its invoice void (rule 17)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.checkouts import CheckoutState
from app.domain.events.invoices import CheckoutDeclined
from app.domain.invoice_drafts import InvoiceStatus
from app.ports import came_from
from app.services.invoices.apply_change import ConfirmedChange, apply_change
from app.services.invoices.issue_invoice import withdraw_invoice
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.tell import invoice_facts
from app.services.notifications.announce import Announcement, announce

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.checkouts import Checkout
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


async def complete_checkout(
    uow: UnitOfWork, ids: Ids, checkout: Checkout, invoice: StoredInvoice, now: datetime
) -> None:
    """Let a paid change take effect, and send its invoice now; the caller is the account's only writer."""
    change = ConfirmedChange(
        checkout.account_id, checkout.details, checkout.invoice_id, checkout.actor, checkout.request_id
    )
    with came_from(checkout.origin):
        await apply_change(uow, ids, change, now)
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
