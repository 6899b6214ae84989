"""Send an invoice's mail again: to whoever asks and the confirmed contacts who get invoices, in measure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.alerts import AlertKind
from app.domain.contacts import Channel
from app.domain.events.invoices import InvoiceResent
from app.repositories import unit_of_work
from app.repositories.alerts import Admin
from app.services.invoices.own_invoice import own_invoice
from app.services.invoices.tell import invoice_facts
from app.services.notifications.announce import Announcement, message_to_admin, message_to_contact

if TYPE_CHECKING:
    from datetime import datetime

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services

MOST_PER_INVOICE = 3
MOST_PER_ACCOUNT = 20
WINDOW = timedelta(hours=1)


class ResentTooOften(ValueError):
    """The invoice, or the account's invoices together, were sent often enough for now."""

    def __init__(self, retry_at: datetime) -> None:
        super().__init__("This was sent several times within an hour. Try again later.")
        self.retry_at = retry_at


@dataclass(frozen=True, slots=True)
class Requester:
    """The person who asks, as the mail to them is addressed."""

    user_id: str
    name: str
    email: str


async def resend_invoice(services: Services, caller: Caller, *, requester: Requester, invoice_id: str) -> list[str]:
    """Queue the invoice's mail again and return the addresses it goes to; nobody is called.

    The limit is kept in the outbox itself, so that no restart resets it.
    :raises InvoiceUnknown: when the account has no such invoice.
    :raises ResentTooOften: after three times an hour for one invoice, or twenty for the account.
    """

    async def work(uow: UnitOfWork) -> list[str]:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        invoice = await own_invoice(uow, invoice_id, owner.id)
        now = services.clock.now()
        await _limit(uow, owner.id, invoice_id, now)
        subject = f"resend:{invoice_id}:{services.ids.new('snd')}"
        open_cents = max(0, await uow.ledger.balance_of_invoice(owner.id, invoice.id))
        facts = invoice_facts(invoice, open_cents, is_asked_for=True)
        told = Announcement(AlertKind.INVOICE_READY, owner.id, subject, facts)
        asking = Admin(owner.id, requester.user_id, requester.name, requester.email)
        messages = [message_to_admin(told, asking, services.ids.new("ntf"), now)]
        reached = {requester.email.casefold()}
        for contact in await uow.alerts.contacts([owner.id]):
            address = contact.confirmed_address(Channel.EMAIL)
            is_told = AlertKind.INVOICE_READY in contact.details.kinds
            if is_told and address is not None and address.casefold() not in reached:
                reached.add(address.casefold())
                messages.append(message_to_contact(told, contact, Channel.EMAIL, services.ids.new("ntf"), now))
        await uow.notifications.add_many(messages)
        sent_to = [message.address for message in messages]
        await uow.events.record(
            InvoiceResent(number=invoice.number, sent_to=tuple(sent_to)),
            ids=services.ids,
            actor=caller.actor,
            at=now,
            account_id=owner.id,
            subject_id=invoice_id,
            request_id=caller.request_id,
        )
        return sent_to

    return await unit_of_work.write(services.database, work)


async def _limit(uow: UnitOfWork, account_id: str, invoice_id: str, now: datetime) -> None:
    prefix = f"{AlertKind.INVOICE_READY}:resend:"
    for start, most in ((f"{prefix}{invoice_id}:", MOST_PER_INVOICE), (prefix, MOST_PER_ACCOUNT)):
        sent = await uow.notifications.times_since(account_id, start, now - WINDOW)
        if len(sent) >= most:
            raise ResentTooOften(sent[-most] + WINDOW)
