"""Invoices of every kind are issued here, one or many at once, and withdrawn. The caller holds the accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from app.domain.books import void_postings
from app.domain.collection import opened_collection
from app.domain.events.invoices import InvoiceIssued
from app.domain.invoice_drafts import InvoiceStatus, Issue
from app.domain.invoices import ENGINE_VERSION, compute_invoice, facts_hash
from app.domain.ledger import PostingKind, issue_postings
from app.domain.periods import billing_date
from app.domain.policies import COLLECTION_POLICIES
from app.repositories.events import Entry
from app.services.invoices.settle_credit import settle_credit
from app.services.invoices.tell import invoice_ready
from app.services.notifications.announce import announce

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from app.domain.collection import Collection
    from app.domain.invoices import BillingFacts
    from app.ports import Ids
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


class BilledAccount(Protocol):
    """The account that an invoice is issued to, as read by the caller, who is its only writer."""

    @property
    def account_id(self) -> str:
        """Its id."""

    @property
    def name(self) -> str:
        """Its name, for the invoice's address."""

    @property
    def paid_starts_on(self) -> date:
        """The first day that is billed."""

    @property
    def usage_seq(self) -> int:
        """The number of its last call."""

    @property
    def ledger_seq(self) -> int:
        """The number of its last posting."""


@dataclass(frozen=True, slots=True)
class InvoiceOrder:
    """What is to be invoiced to whom, and by whose act.

    `plan_version_id` is the month's plan after it; `is_checkout` where what it charges for waits for its payment.
    """

    account: BilledAccount
    facts: BillingFacts
    plan_version_id: str
    actor: str
    corrects_invoice_id: str | None = None
    request_id: str | None = None
    is_checkout: bool = False


async def issue_invoice(uow: UnitOfWork, ids: Ids, order: InvoiceOrder, now: datetime) -> Issue:
    """Issue one invoice; see `issue_invoices`."""
    return (await issue_invoices(uow, ids, [order], now))[0]


async def issue_invoices(uow: UnitOfWork, ids: Ids, orders: Sequence[InvoiceOrder], now: datetime) -> list[Issue]:
    """Issue invoices, at most one for each account, all due on receipt.

    They are posted, take up the one-time charges that they bill, and begin to be collected. Credit that one gives or
    leaves over pays what is open.
    """
    number = await uow.invoice_numbers.take(len(orders))
    issues = [_issue(order, ids.new("inv"), number + place) for place, order in enumerate(orders)]
    ordered = list(zip(orders, issues, strict=True))
    await uow.invoices.issue_many(issues, engine_version=ENGINE_VERSION, issued_at=now, due_on=billing_date(now))
    await _post(uow, ordered, now)
    await uow.charges.mark_invoiced((charge.id, issue.id) for order, issue in ordered for charge in order.facts.charges)
    await uow.collections.open_many(
        _collection(order, issue, now) for order, issue in ordered if issue.draft.amount_due_cents
    )
    await uow.events.add_many(_issued(order, issue, ids.new("evt"), now) for order, issue in ordered)
    for order, issue in ordered:
        await _settle_credit(uow, ids, issue, order.facts.credit_available_cents, now)
    # The customer hears of a checkout's invoice when it is paid.
    ready = [invoice_ready(issue, now) for order, issue in ordered if not order.is_checkout]
    await announce(uow, ids=ids, now=now, announcements=ready)
    return issues


def _issue(order: InvoiceOrder, invoice_id: str, number: int) -> Issue:
    account, facts = order.account, order.facts
    return Issue(
        id=invoice_id,
        account_id=account.account_id,
        account_name=account.name,
        number=number,
        draft=compute_invoice(facts),
        plan_version_id=order.plan_version_id,
        policies_version=facts.policies.version,
        usage_watermark=account.usage_seq,
        ledger_watermark=account.ledger_seq,
        facts_hash=facts_hash(facts),
        corrects_invoice_id=order.corrects_invoice_id,
    )


async def _post(uow: UnitOfWork, ordered: Sequence[tuple[InvoiceOrder, Issue]], now: datetime) -> None:
    with_credit = [issue.account_id for order, issue in ordered if order.facts.credit_available_cents]
    grants = await uow.ledger.credit_grants(with_credit) if with_credit else {}
    appended = [
        (
            issue.account_id,
            order.account.ledger_seq,
            issue_postings(issue.draft, issue.id, grants.get(issue.account_id, ())),
        )
        for order, issue in ordered
    ]
    await uow.ledger.append_many(appended, posted_at=now)


def _collection(order: InvoiceOrder, issue: Issue, now: datetime) -> Collection:
    return opened_collection(
        invoice_id=issue.id,
        account_id=issue.account_id,
        due_on=billing_date(now),
        issued_at=now,
        paid_starts_on=order.account.paid_starts_on,
        policies=COLLECTION_POLICIES,
        is_checkout=order.is_checkout,
    )


async def _settle_credit(uow: UnitOfWork, ids: Ids, issue: Issue, credit_cents: int, now: datetime) -> None:
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


def _issued(order: InvoiceOrder, issue: Issue, event_id: str, now: datetime) -> Entry[InvoiceIssued]:
    draft = issue.draft
    issued = InvoiceIssued(
        number=issue.number, kind_=draft.kind, month=draft.period.month, amount_due_cents=draft.amount_due_cents
    )
    return Entry(
        issued,
        id=event_id,
        actor=order.actor,
        occurred_at=now,
        account_id=issue.account_id,
        subject_id=issue.id,
        request_id=order.request_id,
    )
