"""One invoice outside the cycle run, issued or withdrawn: a change of plan, an add-on, a correction.

The caller holds the account.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.books import void_postings
from app.domain.collection import opened_collection
from app.domain.events.invoices import InvoiceIssued
from app.domain.invoice_drafts import InvoiceStatus, Issue
from app.domain.invoices import ENGINE_VERSION, compute_invoice, facts_hash
from app.domain.ledger import PostingKind, issue_postings
from app.domain.periods import billing_date
from app.domain.policies import COLLECTION_POLICIES
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.tell import invoice_ready
from app.services.notifications.announce import announce

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.invoices import BillingFacts
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork
    from app.views.account_snapshot import AccountSnapshot


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """What is to be invoiced, and who brings it about.

    `plan_version_id` is the month's plan after it; `is_checkout` where what it charges for waits for its payment.
    """

    facts: BillingFacts
    plan_version_id: str
    actor: str
    corrects_invoice_id: str | None = None
    request_id: str | None = None
    is_checkout: bool = False


async def issue_invoice(
    uow: UnitOfWork, ids: Ids, snapshot: AccountSnapshot, order: InvoiceOrder, now: datetime
) -> Issue:
    """Issue the invoice that is ordered for the account, due on receipt, post it, and begin to collect it."""
    facts = order.facts
    issue = Issue(
        id=ids.new("inv"),
        account_id=snapshot.account_id,
        account_name=snapshot.name,
        number=await uow.invoice_numbers.take(1),
        draft=compute_invoice(facts),
        plan_version_id=order.plan_version_id,
        policies_version=facts.policies.version,
        usage_watermark=snapshot.usage_seq,
        ledger_watermark=snapshot.ledger_seq,
        facts_hash=facts_hash(facts),
        corrects_invoice_id=order.corrects_invoice_id,
    )
    await uow.invoices.issue_many([issue], engine_version=ENGINE_VERSION, issued_at=now, due_on=billing_date(now))
    grants = await uow.ledger.credit_grants([snapshot.account_id]) if facts.credit_available_cents else {}
    postings = issue_postings(issue.draft, issue.id, grants.get(snapshot.account_id, ()))
    await uow.ledger.append(snapshot.account_id, postings, posted_at=now)
    if issue.draft.amount_due_cents:
        collection = opened_collection(
            invoice_id=issue.id,
            account_id=issue.account_id,
            due_on=billing_date(now),
            issued_at=now,
            paid_starts_on=snapshot.paid_starts_on,
            policies=COLLECTION_POLICIES,
            is_checkout=order.is_checkout,
        )
        await uow.collections.open_many([collection])
    await uow.events.record(
        _issued(issue),
        ids=ids,
        actor=order.actor,
        at=now,
        account_id=issue.account_id,
        subject_id=issue.id,
        request_id=order.request_id,
    )
    await settle_credit_of(uow, ids, issue, facts.credit_available_cents, now)
    if not order.is_checkout:  # that one is told of when it is paid
        await announce(uow, ids=ids, now=now, announcements=[invoice_ready(issue, now)])
    return issue


async def settle_credit_of(uow: UnitOfWork, ids: Ids, issue: Issue, credit_cents: int, now: datetime) -> None:
    """Let credit that an invoice gives, or that it leaves over of `credit_cents`, pay what is open (rules 14, 35)."""
    draft = issue.draft
    if draft.credit_created_cents or credit_cents > draft.credit_applied_cents:
        arisen_cents, reversed_cents = draft.credit_created_cents, draft.reversed_cents
        await settle_credit(uow, ids, issue.account_id, now, arisen_cents=arisen_cents, reversed_cents=reversed_cents)


async def withdraw_invoice(uow: UnitOfWork, invoice: StoredInvoice, now: datetime) -> None:
    """Void an invoice: its charge and tax are taken back, its one-time charges wait again.

    All credit that paid for it comes back, at its issue and since.
    """
    await uow.invoices.set_status(invoice.id, InvoiceStatus.VOID)
    credit_cents = (await uow.ledger.sums_of_invoice(invoice.account_id, invoice.id))[PostingKind.CREDIT_APPLIED]
    postings = void_postings(invoice.id, invoice.total_cents, invoice.tax_cents, credit_cents)
    await uow.ledger.append(invoice.account_id, postings, posted_at=now)
    await uow.charges.release(invoice.account_id, invoice.id)


def _issued(issue: Issue) -> InvoiceIssued:
    draft = issue.draft
    return InvoiceIssued(
        number=issue.number, kind_=draft.kind, month=draft.period.month, amount_due_cents=draft.amount_due_cents
    )
