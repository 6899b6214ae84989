"""A message is looked at again when it is about to be sent: what was settled since is not told as if it were open."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

from app.domain.accounts import AccountStatus
from app.domain.alerts import CATALOGUE, CONTACT_KINDS, FORECAST_KINDS, AlertKind
from app.domain.confirmations import ABOUT_ADDRESSES
from app.domain.contacts import Channel
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.payment_methods import ON_FILE
from app.domain.periods import Period, billing_date
from app.repositories.notifications import OBSOLETE, REMOVED, SETTLED, SWITCHED_OFF, UNWANTED
from app.services.notifications.announce import subject_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.repositories.invoices import StoredInvoice
    from app.repositories.notifications import Message
    from app.repositories.unit_of_work import UnitOfWork

USAGE_KINDS = (AlertKind.ALLOWANCE_NEARLY_USED, AlertKind.ALLOWANCE_EXCEEDED, AlertKind.COST_EFFECTIVE_EXCEEDED)


async def why_not_sent(uow: UnitOfWork, message: Message, now: datetime) -> str | None:
    """Return why a message is not sent after all, for the log of messages; None where it is still true and wanted.

    Nothing is dropped on a guess: what cannot be found any more is told.
    """
    if message.channel is Channel.EMAIL and await uow.mail_addresses.has_complained(message.address):
        return UNWANTED
    if message.account_id is None or message.kind in ABOUT_ADDRESSES:
        return None
    return await _why_not_wanted(uow, message) or await _why_not_true(uow, message, now)


async def with_facts_of_now(uow: UnitOfWork, message: Message) -> Message:
    """Return a message with what is open of its invoice by now, where that has changed since it was queued."""
    invoice = await _invoice(uow, message) if message.kind in _SAYS_WHAT_IS_OPEN else None
    if invoice is None:
        return message
    changed = await _open_now(uow, message, invoice)
    return message if changed is None else replace(message, facts={**message.facts, **changed})


async def _open_now(uow: UnitOfWork, message: Message, invoice: StoredInvoice) -> dict[str, Any] | None:
    open_cents = 0
    if invoice.status is InvoiceStatus.OPEN:
        open_cents = max(0, await uow.ledger.balance_of_invoice(invoice.account_id, invoice.id))
    if message.kind == AlertKind.PAYMENT_REFUNDED:
        return {"open_cents": open_cents}
    is_paid = invoice.status is InvoiceStatus.PAID and invoice.amount_due_cents > 0
    is_as_it_was = message.facts.get("open_cents") is None and open_cents == invoice.amount_due_cents
    return None if is_as_it_was else {"open_cents": open_cents, "is_paid": is_paid}


async def _invoice(uow: UnitOfWork, message: Message) -> StoredInvoice | None:
    number = message.facts.get("number", message.facts.get("invoice_number"))
    return None if number is None else await uow.invoices.find_by_number(number)


_SAYS_WHAT_IS_OPEN: frozenset[str] = frozenset({AlertKind.INVOICE_READY, AlertKind.PAYMENT_REFUNDED})


async def _why_not_wanted(uow: UnitOfWork, message: Message) -> str | None:
    """Tell whether the recipient is one no more, or has chosen not to hear of the kind, since it was queued.

    Who asked for a message gets it, whatever they have chosen.
    """
    kind, account_id = AlertKind(message.kind), message.account_id or ""
    if message.facts.get("is_asked_for"):
        return None
    if message.user_id is not None:
        chosen = await uow.alerts.subscriptions(account_id, message.user_id)
        if kind not in chosen:
            return REMOVED
        return SWITCHED_OFF if CATALOGUE[kind].is_switchable and not chosen[kind] else None
    if message.contact_id is None or kind not in CONTACT_KINDS:
        return None
    contact = await uow.contacts.find(account_id, message.contact_id)
    if contact is None:
        return REMOVED
    is_reached = contact.confirmed_address(message.channel) is not None
    return None if is_reached and kind in contact.details.kinds else SWITCHED_OFF


async def _why_not_true(uow: UnitOfWork, message: Message, now: datetime) -> str | None:
    kind = AlertKind(message.kind)
    if kind in USAGE_KINDS or kind in FORECAST_KINDS:
        return OBSOLETE if await _is_obsolete(uow, message, kind, now) else None
    is_settled = _SETTLED.get(kind)
    return SETTLED if is_settled is not None and await is_settled(uow, message) else None


async def _is_obsolete(uow: UnitOfWork, message: Message, kind: AlertKind, now: datetime) -> bool:
    """Tell whether a limit is no longer passed, for the plan moved up, or a forecast is of a month that is over."""
    month_on = date.fromisoformat(message.facts.get("month_on", str(date.max)))
    if kind in FORECAST_KINDS and billing_date(now) >= Period.containing(month_on).ends_before:
        return True
    told = [kind, *subject_of(message)[-2:]]
    past = await uow.alerts.crossings(message.account_id or "", month_on)
    return any([each.kind, str(each.level), str(each.arming_no)] == told and each.is_rearmed for each in past)


async def _is_invoice_void(uow: UnitOfWork, message: Message) -> bool:
    invoice = await _invoice(uow, message)
    return invoice is not None and invoice.status is InvoiceStatus.VOID


async def _is_invoice_closed(uow: UnitOfWork, message: Message) -> bool:
    invoice = await _invoice(uow, message)
    return invoice is not None and invoice.status is not InvoiceStatus.OPEN


async def _is_nothing_suspended(uow: UnitOfWork, message: Message) -> bool:
    return (await uow.accounts.get(message.account_id or "")).status is not AccountStatus.SUSPENDED


async def _is_in_service_no_more(uow: UnitOfWork, message: Message) -> bool:
    return (await uow.accounts.get(message.account_id or "")).status is not AccountStatus.ACTIVE


async def _is_no_suspension_planned(uow: UnitOfWork, message: Message) -> bool:
    return all(each.suspend_at is None for each in await uow.collections.list_for_account(message.account_id or ""))


async def _is_card_replaced(uow: UnitOfWork, message: Message) -> bool:
    method_id, ends_before, *_ = subject_of(message)
    stored = await uow.payment_methods.find(method_id, message.account_id)
    if stored is None:
        return False
    return stored.method.status not in ON_FILE or str(stored.method.expires_before()) != ends_before


_SETTLED: dict[AlertKind, Callable[[UnitOfWork, Message], Awaitable[bool]]] = {
    AlertKind.INVOICE_READY: _is_invoice_void,
    AlertKind.PAYMENT_FAILED: _is_invoice_closed,
    AlertKind.SUSPENDED: _is_nothing_suspended,
    AlertKind.REACTIVATED: _is_in_service_no_more,
    AlertKind.SUSPENSION_SCHEDULED: _is_no_suspension_planned,
    AlertKind.CARD_EXPIRING: _is_card_replaced,
}
"""The kinds that speak of something open, and whether it was settled; the others tell what has happened for good."""
