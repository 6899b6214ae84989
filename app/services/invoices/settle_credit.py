"""Credit pays what is open: whatever leaves an account less to pay ends collecting, and brings its service back.

The caller is the account's only writer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.alerts import AlertKind
from app.domain.announcements import Reactivated
from app.domain.books import credit_postings, spread_credit
from app.domain.collection import OPEN_STATES, CollectionStatus
from app.domain.events.accounts import AccountReactivated
from app.domain.events.invoices import CreditApplied
from app.domain.ledger import OpenInvoice
from app.domain.periods import billing_date
from app.repositories import unit_of_work
from app.repositories.events import Entry
from app.services.notifications.announce import Announcement, announce

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.collection import CollectionChange
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

CHUNK_SIZE = 100
"""How many accounts one transaction settles the waiting credit of."""

DONE: CollectionChange = {
    "status": CollectionStatus.DONE,
    "is_requested": False,
    "next_attempt_at": None,
    "late_fee_at": None,
    "warn_at": None,
    "suspend_at": None,
    "retry_at": None,
    "lease_until": None,
}
"""The fields of a collection that needs nothing more; whoever held it lets it go."""


async def settle_credit(
    uow: UnitOfWork,
    ids: Ids,
    account_id: str,
    now: datetime,
    *,
    arisen_cents: int = 0,
    reversed_cents: Mapping[int, int] | None = None,
    actor: str = "system",
) -> dict[str, int]:
    """Let the account's credit pay what is open, and return the cents that went to each invoice by its id (rule 35).

    `arisen_cents` is the credit that a document has just given, `reversed_cents` what it gave back of which invoice, by
    number and tax and all: those are paid first. Only what is left waits for the next invoice.
    """
    grants = (await uow.ledger.credit_grants([account_id])).get(account_id, [])
    if not grants:
        return {}
    credit_cents = sum(grant.remaining_cents for grant in grants)
    open_invoices = await uow.ledger.open_invoices(account_id)
    paid = spread_credit(credit_cents, arisen_cents, reversed_cents or {}, open_invoices)
    if paid:
        await pay_by_credit(uow, ids, account_id, [i for i in open_invoices if i.id in paid], paid, now, actor)
    else:  # what waits may cover what is open all the same
        await reactivate_if_settled(uow, ids, await uow.accounts.get(account_id), now)
    return paid


async def settle_waiting_credit(services: Services) -> int:
    """Let credit that lies beside open invoices pay them, in every account; return in how many there was such credit.

    Engine 1 left credit to the next invoice. Since then none waits beside what it can pay, and this finds nothing.
    """

    async def settle_some(uow: UnitOfWork) -> int:
        settled = 0
        for account_id in await uow.ledger.accounts_with_waiting_credit(CHUNK_SIZE):
            await uow.accounts.get(account_id, lock=True)
            settled += bool(await settle_credit(uow, services.ids, account_id, services.clock.now()))
        return settled

    settled = 0
    while count := await unit_of_work.write(services.database, settle_some):
        settled += count
    return settled


async def settle_requested(
    uow: UnitOfWork, ids: Ids, account_id: str, invoice_ids: Sequence[str], now: datetime, actor: str
) -> bool:
    """Let credit pay invoices that the customer asks to pay, by hand or not, before anything is charged for them.

    Tell whether there was any.
    """
    credit_cents = sum(g.remaining_cents for g in (await uow.ledger.credit_grants([account_id])).get(account_id, []))
    open_invoices = await uow.ledger.open_invoices(account_id) if credit_cents else []
    asked = [replace(invoice, is_by_hand=False) for invoice in open_invoices if invoice.id in invoice_ids]
    paid = spread_credit(credit_cents, 0, {}, asked)
    if paid:
        await pay_by_credit(uow, ids, account_id, [i for i in asked if i.id in paid], paid, now, actor)
    return bool(paid)


async def pay_by_credit(
    uow: UnitOfWork,
    ids: Ids,
    account_id: str,
    invoices: Iterable[OpenInvoice],
    cents: Mapping[str, int],
    now: datetime,
    actor: str,
) -> None:
    """Pay invoices by the account's credit, as much of each as `cents` says by its id; the oldest credit goes first."""
    paid = list(invoices)
    grants = (await uow.ledger.credit_grants([account_id])).get(account_id, [])
    parts = [OpenInvoice(invoice.id, cents[invoice.id]) for invoice in paid]
    await uow.ledger.append(account_id, tuple(credit_postings(grants, parts)), posted_at=now)
    settled = [invoice.id for invoice in paid if invoice.balance_cents == cents[invoice.id]]
    await uow.invoices.mark_paid(settled, paid_at=now)
    await finish_collecting(uow, settled)
    await uow.events.add_many(_applied(invoice, cents[invoice.id], account_id, ids, now, actor) for invoice in paid)
    await reactivate_if_settled(uow, ids, await uow.accounts.get(account_id), now)


def _applied(
    invoice: OpenInvoice, cents: int, account_id: str, ids: Ids, now: datetime, actor: str
) -> Entry[CreditApplied]:
    balance = (invoice.balance_cents, invoice.balance_cents - cents)
    return Entry(
        CreditApplied(number=invoice.number, amount_cents=cents, balance_cents=balance),
        id=ids.new("evt"),
        actor=actor,
        occurred_at=now,
        account_id=account_id,
        subject_id=invoice.id,
    )


async def uncovered_cents(uow: UnitOfWork, account_id: str) -> int:
    """Return what the account owes beyond the credit it has."""
    owed_cents = sum(invoice.balance_cents for invoice in await uow.ledger.open_invoices(account_id))
    grants = (await uow.ledger.credit_grants([account_id])).get(account_id, []) if owed_cents else []
    return max(0, owed_cents - sum(grant.remaining_cents for grant in grants))


async def finish_collecting(uow: UnitOfWork, invoice_ids: Iterable[str]) -> None:
    """Stop collecting invoices on which something else than a charge has left nothing to pay.

    One whose charge is under way is left to whoever finds out its outcome.
    """
    for invoice_id in invoice_ids:
        collection = await uow.collections.find(invoice_id)
        if collection is None or collection.status is CollectionStatus.DONE:
            continue
        if not any(attempt.state in OPEN_STATES for attempt in await uow.attempts.of_invoice(invoice_id)):
            await uow.collections.save(None, collection, DONE)


async def reactivate_if_settled(uow: UnitOfWork, ids: Ids, account: Account, now: datetime) -> bool:
    """Serve a suspended account again once it owes nothing beyond its credit (rule 33); tell whether it does."""
    if account.status is not AccountStatus.SUSPENDED:
        return False
    if await uncovered_cents(uow, account.id) > 0:
        return False
    await uow.accounts.set_status(account.id, AccountStatus.ACTIVE)
    event = AccountReactivated(status=(AccountStatus.SUSPENDED, AccountStatus.ACTIVE))
    event_id = await uow.events.record(event, ids=ids, actor="system", at=now, account_id=account.id)
    await announce(uow, ids=ids, now=now, announcements=[_reactivated(account.id, now, event_id)])
    return True


def _reactivated(account_id: str, now: datetime, event_id: str) -> Announcement:
    """Tell that service is back."""
    return Announcement(AlertKind.REACTIVATED, account_id, event_id, Reactivated(billing_date(now)))
