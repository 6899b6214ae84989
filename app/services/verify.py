"""The books checked against themselves: every issued invoice is computed again from raw calls, and every sum re-added.

Nothing here trusts what pages read: usage is summed from the calls up to each invoice's watermark, credit and balances
from the postings, and the rules are those of the invoice's own policies (rules 12, 27, 28, 35). Each month that closed
is evaluated again for the upgrade it may have missed (rules 19, 20, 26).
"""

from __future__ import annotations

from datetime import date
from itertools import zip_longest
from typing import TYPE_CHECKING

from app.domain.credit_notes import CreditNoteRefused, credit_note_facts_hash, recompute_credit_note
from app.domain.invoices import ENGINE_VERSION, InvoiceKind, InvoiceStatus, compute_invoice, facts_hash
from app.domain.periods import Period
from app.domain.policies import UnknownPolicies
from app.domain.proration import prorated_cents
from app.domain.usage import UsageTotals
from app.repositories import unit_of_work
from app.repositories.invoices import FIRST_INVOICE_NUMBER, NUMBERS_SKIPPED
from app.services.credit_note import load_creditable
from app.services.replay import FactsMissing, Replay
from app.services.verify_ledger import Difference, check_charges, check_ledger
from app.services.verify_upgrades import check_upgrades

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.invoices import InvoiceDraft, InvoiceLine
    from app.domain.plans import PlanVersion
    from app.repositories.database import Database
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


async def verify(
    *,
    database: Database,
    account: str | None = None,
    since: datetime | None = None,
    on_progress: Callable[[Account], None] | None = None,
) -> AsyncIterator[Difference]:
    """Yield every difference in the books, account by account; nothing yielded means that all agree.

    `account` (an external id) narrows the check to one; `since` computes only invoices issued from then on again.
    :raises AccountNotFound: when there is no such account.
    """

    async def find_accounts(uow: UnitOfWork) -> list[Account]:
        return [await uow.accounts.get_by_external_id(account)] if account else await uow.accounts.list_all()

    for each in await unit_of_work.read(database, find_accounts):
        for difference in await unit_of_work.read(database, lambda uow: _check_account(uow, each, since)):  # noqa: B023
            yield difference
        if on_progress is not None:
            on_progress(each)
    if account is None:
        for difference in await unit_of_work.read(database, _check_numbers):
            yield difference


async def _check_account(uow: UnitOfWork, account: Account, since: datetime | None) -> list[Difference]:
    invoices = await uow.invoices.list_for_account(account.id)
    postings = await uow.ledger.postings(account.id)
    payments = await uow.ledger.payments(account.id)
    last_posting = await uow.ledger.last_posting(account.id)
    plans = await uow.cycles.plans(account.id)
    replay = await Replay.begin(uow, account, invoices, postings)
    differences = [
        *_check_months(account, invoices, plans),
        *check_ledger(account.external_id, invoices, postings, payments, last_posting),
        *check_charges(account.external_id, await uow.collections.succeeded(account.id), payments),
        *await _check_sums(uow, account),
        *await check_upgrades(uow, account, invoices, since),
    ]
    by_id: dict[str | None, StoredInvoice] = {invoice.id: invoice for invoice in invoices}
    for invoice in invoices:
        if since is None or invoice.issued_at >= since:
            corrected = by_id.get(invoice.corrects_invoice_id)
            differences += await _check_invoice(uow, account, invoice, replay, corrected)
        replay.passed(invoice)
    return differences + list(_check_plans(account, plans, replay))


async def _check_invoice(
    uow: UnitOfWork, account: Account, invoice: StoredInvoice, replay: Replay, corrected: StoredInvoice | None
) -> list[Difference]:
    """Compute the invoice again, by this release's engine and under its own policies, and compare (rule 28)."""
    place = f"invoice {invoice.number}"
    if invoice.engine_version != ENGINE_VERSION:
        engines = f"engine {invoice.engine_version}", f"engine {ENGINE_VERSION}"
        return [Difference(account.external_id, place, *engines)]
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return await _check_credit_note(uow, account, invoice, corrected)
    try:
        facts = await replay.facts(uow, invoice)
    except UnknownPolicies as error:
        return [Difference(account.external_id, f"{place}, policies", error.version, "a version of this release")]
    except FactsMissing as error:
        return [Difference(account.external_id, f"{place}, facts", str(error), "what it was computed from")]
    draft = compute_invoice(facts)
    plan = ("plan", invoice.plan_version_id, facts.plan.id)
    return _compare(account, invoice, draft, facts_hash(facts), plan)


async def _check_credit_note(
    uow: UnitOfWork, account: Account, note: StoredInvoice, corrected: StoredInvoice | None
) -> list[Difference]:
    """Compute a credit note again from the invoice that it corrects, and compare."""
    if corrected is None:
        return [Difference(account.external_id, f"invoice {note.number}, corrects", "nothing", "an invoice")]
    creditable = await load_creditable(uow, corrected, before_number=note.number)
    try:
        draft = recompute_credit_note(creditable, note.lines, note.period)
    except CreditNoteRefused as error:
        return [Difference(account.external_id, f"invoice {note.number}, lines", str(error), "what can be credited")]
    return _compare(account, note, draft, credit_note_facts_hash(creditable, draft))


def _compare(
    account: Account, invoice: StoredInvoice, draft: InvoiceDraft, expected_facts: str, *more: tuple[str, str, str]
) -> list[Difference]:
    found = (*_figures(invoice, draft, expected_facts), *more, *_lines(invoice.lines, draft.lines))
    return [
        Difference(account.external_id, f"invoice {invoice.number}, {name}", is_so, should_be)
        for name, is_so, should_be in found
        if is_so != should_be
    ]


def _figures(invoice: StoredInvoice, draft: InvoiceDraft, expected_facts: str) -> Iterator[tuple[str, str, str]]:
    yield "facts", invoice.facts_hash, expected_facts
    yield "content", invoice.content_hash, draft.content_hash
    yield "total", str(invoice.total_cents), str(draft.total_cents)
    yield "credit applied", str(invoice.credit_applied_cents), str(draft.credit_applied_cents)
    yield "amount due", str(invoice.amount_due_cents), str(draft.amount_due_cents)


def _lines(found: Sequence[InvoiceLine], expected: Sequence[InvoiceLine]) -> Iterator[tuple[str, str, str]]:
    for position, (line, computed) in enumerate(zip_longest(found, expected), start=1):
        yield f"line {position}", _words(line), _words(computed)


def _words(line: InvoiceLine | None) -> str:
    """Return everything that a line says, each figure by its name."""
    if line is None:
        return "no line"
    said = {
        "quantity": f"{line.quantity} {line.unit}",
        "unit price": line.unit_price,
        "rule": line.rule,
        **dict(sorted(line.inputs.items())),
    }
    figures = ", ".join(f"{name} {value}" for name, value in said.items())
    return f"{line.kind} {line.period.month} {line.amount_cents} ({figures})"


def _check_months(account: Account, invoices: Sequence[StoredInvoice], opened: Iterable[date]) -> Iterator[Difference]:
    """Check that the months from the paid start on are billed once each, none left out (rule 12)."""
    found = [
        invoice.period
        for invoice in invoices
        if invoice.kind is InvoiceKind.CYCLE and invoice.status is not InvoiceStatus.VOID
    ]
    first = Period.containing(account.paid_starts_on)
    expected = [first.shifted(place) for place in range(len(found))]
    if found != expected:
        yield Difference(account.external_id, "months invoiced", _months(found), _months(expected))
    months = sorted(Period.containing(on) for on in opened)
    if months != sorted(found):
        yield Difference(account.external_id, "months opened", _months(months), _months(sorted(found)))
    following = first.shifted(len(found)).starts_on
    if account.next_cycle_on != following:
        yield Difference(account.external_id, "next month", str(account.next_cycle_on), str(following))


def _check_plans(account: Account, plans: dict[date, PlanVersion], replay: Replay) -> Iterator[Difference]:
    """Check that each month stands on the plan last invoiced for it, and its base sums to its price (rule 18)."""
    for month, plan in plans.items():
        place = f"plan of {month:%Y-%m}"
        invoiced = replay.month_plans.get(month)
        if invoiced is not None and invoiced.id != plan.id:
            yield Difference(account.external_id, place, plan.id, invoiced.id)
        base = replay.billed_base.get(month)
        price = prorated_cents(plan.base_cents, Period.containing(month), account.paid_starts_on)
        if base is not None and base.amount_cents != price:
            yield Difference(account.external_id, f"base of {month:%Y-%m}", str(base.amount_cents), str(price))


def _months(periods: Iterable[Period]) -> str:
    return ", ".join(period.month for period in periods) or "none"


async def _check_sums(uow: UnitOfWork, account: Account) -> list[Difference]:
    """Check the daily sums that pages read against the calls themselves."""
    recorded, last = await uow.calls.count(account.id)
    sums = {on: day for on, day in (await uow.calls.days(account.id)).items() if day != UsageTotals()}
    raw = await uow.calls.sum_days(account.id, date.min, date.max, max(recorded, last))
    counts = [] if recorded == last else [Difference(account.external_id, "calls recorded", str(recorded), str(last))]
    return counts + [
        Difference(account.external_id, f"usage of {on}", str(sums.get(on)), str(raw.get(on)))
        for on in sorted(sums.keys() | raw.keys())
        if sums.get(on) != raw.get(on)
    ]


async def _check_numbers(uow: UnitOfWork) -> list[Difference]:
    """Check that invoice numbers run from the first to the next without a gap but those announced (rule 27).

    A restored database leaves out the numbers that may have been used since its backup, and its trail says which.
    """
    events = await uow.events.list_of_business(NUMBERS_SKIPPED)
    skipped: dict[int, int] = {event.data["from"]: event.data["before"] for event in events}
    expected = _after(FIRST_INVOICE_NUMBER - 1, skipped)
    differences = []
    async for number in uow.invoices.numbers():
        if number != expected:
            differences.append(Difference("all", "invoice numbers", str(number), str(expected)))
        expected = _after(number, skipped)
    following = await uow.invoices.next_number()
    if following != expected:
        differences.append(Difference("all", "next invoice number", str(following), str(expected)))
    return differences


def _after(number: int, skipped: Mapping[int, int]) -> int:
    """Return the number that follows, past every range that is left out."""
    following = number + 1
    while skipped.get(following, following) > following:
        following = skipped[following]
    return following
