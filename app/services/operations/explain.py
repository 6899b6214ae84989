"""For the person who is asked why: an account or an invoice with its facts and everything that happened, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.explanations import dollars, duration, explain
from app.domain.invoices import compute_invoice
from app.repositories import unit_of_work
from app.services.common.staff_actions import InvoiceNotFound

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from app.domain.accounts import Account
    from app.domain.invoice_lines import InvoiceLine
    from app.domain.usage import UsageTotals
    from app.repositories.database import Database
    from app.repositories.events import StoredEvent
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import PostedPosting
    from app.repositories.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is so, with its figures in words."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened: when, what, by whom, and the request that caused it."""

    at: datetime
    what: str
    actor: str
    detail: str
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class Story:
    """What is so, and how it came about, oldest first."""

    title: str
    facts: tuple[Fact, ...]
    timeline: tuple[TimelineEntry, ...]


async def explain_account(*, database: Database, account: str) -> Story:
    """Tell the story of an account, by its external id.

    :raises AccountNotFound: when there is no such account.
    """

    async def work(uow: UnitOfWork) -> Story:
        owner = await uow.accounts.get_by_external_id(account)
        facts = (await uow.cycles.facts([owner.id]))[owner.id]
        draft = compute_invoice(facts)
        so_far = [Fact(f"next invoice, {f.name}", f.value) for f in _line_facts(draft.lines)]
        due = Fact("next invoice, due as of now", dollars(draft.amount_due_cents))
        events = await uow.events.list_for_account(owner.id)
        title = f"Account {owner.external_id}, {owner.name}"
        return Story(title, (*_account_facts(owner), *so_far, due), _timeline(events))

    return await unit_of_work.read(database, work)


async def explain_invoice(*, database: Database, number: int) -> Story:
    """Tell the story of an invoice: its lines with their arithmetic, the usage it saw, and what happened to it.

    :raises InvoiceNotFound: when there is no such invoice.
    """

    async def work(uow: UnitOfWork) -> Story:
        invoice = await uow.invoices.find_by_number(number)
        if invoice is None:
            raise InvoiceNotFound(number)
        owner = await uow.accounts.get(invoice.account_id)
        ended = invoice.period.shifted(-1)
        days = await uow.calls.sum_days(owner.id, ended.starts_on, ended.ends_before, invoice.usage_watermark)
        events = await uow.events.list_for_account(owner.id)
        postings = await uow.ledger.postings(owner.id)
        facts = (*_invoice_facts(invoice), *_line_facts(invoice.lines), *_day_facts(days))
        touching = _touching(invoice, events, postings)
        return Story(f"Invoice {number} of account {owner.external_id}, {owner.name}", facts, _timeline(touching))

    return await unit_of_work.read(database, work)


def _account_facts(account: Account) -> Iterator[Fact]:
    yield Fact("id", account.id)
    yield Fact("status", account.status)
    yield Fact("trial ends on", str(account.trial_ends_on or "no trial"))
    yield Fact("paid from", str(account.paid_starts_on))
    yield Fact("plan chosen", account.plan_version_id)
    yield Fact("next invoice opens", f"{account.next_cycle_on:%B %Y}")


def _invoice_facts(invoice: StoredInvoice) -> Iterator[Fact]:
    yield Fact("id", invoice.id)
    yield Fact("status", invoice.status)
    yield Fact("opens", f"{invoice.period.starts_on:%B %Y}")
    yield Fact("issued at", invoice.issued_at.isoformat())
    yield Fact("plan", invoice.plan_version_id)
    yield Fact("policies, engine", f"{invoice.policies_version}, {invoice.engine_version}")
    yield Fact("saw calls up to", f"number {invoice.usage_watermark:,} of the account")
    yield Fact("total", dollars(invoice.total_cents))
    yield Fact("credit applied", dollars(invoice.credit_applied_cents))
    yield Fact("amount due", dollars(invoice.amount_due_cents))


def _line_facts(lines: Iterable[InvoiceLine]) -> Iterator[Fact]:
    for line in lines:
        words = explain(line)
        yield Fact(words.title, f"{dollars(line.amount_cents)} (rule {line.rule}: {words.arithmetic})")


def _day_facts(days: Mapping[date, UsageTotals]) -> Iterator[Fact]:
    for on, totals in sorted(days.items()):
        calls = "1 call" if totals.call_count == 1 else f"{totals.call_count:,} calls"
        seconds = ", ".join(
            f"{name} {duration(value)}"
            for name, value in (
                ("live", totals.live_seconds),
                ("patch", totals.patch_seconds),
                ("IVR", totals.ivr_seconds),
            )
            if value
        )
        yield Fact(f"usage of {on}", f"{calls}; {seconds}" if seconds else calls)


def _touching(
    invoice: StoredInvoice, events: Iterable[StoredEvent], postings: Iterable[PostedPosting]
) -> Iterator[StoredEvent]:
    payments = {posted.posting.payment_id for posted in postings if posted.posting.invoice_id == invoice.id}
    return (event for event in events if event.subject_id == invoice.id or event.subject_id in payments - {None})


def _timeline(events: Iterable[StoredEvent]) -> tuple[TimelineEntry, ...]:
    return tuple(
        TimelineEntry(
            event.occurred_at,
            event.kind,
            event.actor,
            ", ".join(f"{name}: {value}" for name, value in event.data.items()),
            event.request_id,
        )
        for event in events
    )
