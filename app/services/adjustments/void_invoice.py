"""Staff void the newest monthly invoice of an account, and its month is invoiced again on today's facts (rule 27)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.add_ons import recurring_items
from app.domain.events.invoices import InvoiceVoided
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoices import BillingFacts
from app.domain.ledger import PostingKind
from app.domain.policies import policies_on
from app.repositories import unit_of_work
from app.services.common.account_snapshot import load_snapshot
from app.services.common.staff_actions import check_staff, get_invoice
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoice, withdraw_invoice
from app.services.invoices.settle_credit import finish_collecting, reactivate_if_settled, settle_credit
from app.services.invoices.used_months import used_months

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.invoice_drafts import Issue
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.views.account_snapshot import AccountSnapshot

BUILDING_ON_THE_BASE = frozenset({InvoiceKind.PLAN_CHANGE, InvoiceKind.PLAN_UPGRADE})
"""The kinds that give back what the month's invoice charged for the base."""


class InvoiceNotVoidable(ValueError):
    """The invoice cannot be voided; `why` says what stands in the way."""

    def __init__(self, number: int, why: str) -> None:
        super().__init__(f"Invoice {number} cannot be voided: {why}. Write a credit note over it instead.")
        self.number = number
        self.why = why


@dataclass(frozen=True, slots=True)
class VoidedInvoice:
    """A void invoice and the one in its place. `is_new` is false when that was done before."""

    number: int
    replacement_id: str
    replacement_number: int
    amount_due_cents: int
    is_new: bool = True


async def void_invoice(services: Services, caller: Caller, *, invoice_number: int, reason: str) -> VoidedInvoice:
    """Void the newest cycle invoice and issue its month again under a new number, due on receipt.

    Its charge and tax are taken back, credit it used comes back, its one-time charges go on the new one. One that
    is void already is left alone.
    :raises InvoiceNotFound: when the account has no such invoice.
    :raises InvoiceNotVoidable: when it is not the newest of its kind, or something was paid on it or builds on it.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> VoidedInvoice:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        invoice = await get_invoice(uow, owner.id, invoice_number)
        if invoice.status is InvoiceStatus.VOID and invoice.kind is InvoiceKind.CYCLE:
            replacement = (await uow.invoices.list_correcting(invoice.id, owner.id))[-1]
            due_cents = replacement.amount_due_cents
            return VoidedInvoice(invoice.number, replacement.id, replacement.number, due_cents, is_new=False)
        why = _own_obstacle(owner, invoice) or await _later_obstacle(uow, invoice)
        if why is not None:
            raise InvoiceNotVoidable(invoice.number, why)
        now = services.clock.now()
        await withdraw_invoice(uow, invoice, now)
        await finish_collecting(uow, [invoice.id])
        issue = await _issue_again(uow, services.ids, owner, invoice, now, caller.actor)
        event = _voided(invoice, issue, reason)
        await uow.events.record(
            event, ids=services.ids, actor=caller.actor, at=now, account_id=owner.id, subject_id=invoice.id
        )
        await settle_credit(uow, services.ids, owner.id, now)
        await reactivate_if_settled(uow, services.ids, owner, now)
        return VoidedInvoice(invoice.number, issue.id, issue.number, issue.draft.amount_due_cents)

    return await unit_of_work.write(services.database, work)


def _own_obstacle(owner: Account, invoice: StoredInvoice) -> str | None:
    """Return why the invoice has to stand as it is itself, or None."""
    obstacles = (
        (invoice.kind is not InvoiceKind.CYCLE, "only the invoice of a month can be issued again"),
        (owner.status is AccountStatus.CLOSED, "the account is closed"),
        (invoice.period.ends_before != owner.next_cycle_on, "a later month has been invoiced"),
        (invoice.status is InvoiceStatus.UNCOLLECTIBLE, "it was written off"),
        (invoice.total_cents < 0, "it gave the account credit, which may have been used"),
    )
    return next((why for is_so, why in obstacles if is_so), None)


async def _later_obstacle(uow: UnitOfWork, invoice: StoredInvoice) -> str | None:
    """Return what came after the invoice and builds on it, or None."""
    account_id = invoice.account_id
    obstacles = (
        (await uow.checkouts.find_waiting(account_id) is not None, "a change waits for its payment"),
        (await uow.attempts.has_open(account_id), "a charge is under way"),
        (
            (await uow.ledger.sums_of_invoice(account_id, invoice.id))[PostingKind.PAYMENT_RECEIVED] > 0,
            "a payment was received for it",
        ),
        (bool(await uow.invoices.list_correcting(invoice.id, account_id)), "a credit note was written over it"),
        (await uow.write_offs.stand_on(invoice.id), "a write-off stands on its lines"),
    )
    why = next((why for is_so, why in obstacles if is_so), None)
    return why or await _plan_obstacle(uow, invoice)


async def _plan_obstacle(uow: UnitOfWork, invoice: StoredInvoice) -> str | None:
    for other in await uow.invoices.list_for_account(invoice.account_id):
        is_later = other.number > invoice.number and other.status is not InvoiceStatus.VOID
        if is_later and other.period == invoice.period and other.kind in BUILDING_ON_THE_BASE:
            return f"invoice {other.number} changed the plan of its month"
    return None


async def _issue_again(
    uow: UnitOfWork, ids: Ids, owner: Account, invoice: StoredInvoice, now: datetime, actor: str
) -> Issue:
    snapshot = await load_snapshot(uow, owner.external_id, now)
    facts = await _facts(uow, owner, invoice, snapshot)
    order = InvoiceOrder(snapshot, facts, facts.plan.id, actor, corrects_invoice_id=invoice.id)
    return await issue_invoice(uow, ids, order, now)


async def _facts(uow: UnitOfWork, owner: Account, invoice: StoredInvoice, snapshot: AccountSnapshot) -> BillingFacts:
    period = invoice.period
    return BillingFacts(
        period=period,
        paid_starts_on=owner.paid_starts_on,
        plan=(await uow.cycles.plans(owner.id))[period.starts_on],
        policies=policies_on(period.starts_on),
        used=await used_months(uow, owner, period, InvoiceKind.CYCLE, snapshot.usage_seq),
        credit_available_cents=snapshot.credit_cents,
        recurring=tuple(recurring_items(snapshot.subscriptions, period)),
        charges=(await uow.charges.waiting([owner.id])).get(owner.id, ()),
        taxes=await uow.taxes.find(owner.id, period.starts_on),
    )


def _voided(invoice: StoredInvoice, issue: Issue, reason: str) -> InvoiceVoided:
    return InvoiceVoided(
        number=invoice.number,
        month=invoice.period.month,
        status=(invoice.status, InvoiceStatus.VOID),
        total_cents=(invoice.total_cents, issue.draft.total_cents),
        replaced_by=issue.number,
        reason=reason,
    )
