"""The books checked against themselves: every issued invoice is computed again from raw calls, and every sum re-added.

Nothing here trusts what pages read: usage is summed from the calls up to each invoice's watermark, credit and balances
from the postings, and the rules are those of the invoice's own policies (rules 12, 27, 28, 35). Each month that closed
is evaluated again for the upgrade it may have missed (rules 19, 20, 26).
"""

from __future__ import annotations

from datetime import date
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING

from app.domain.credit_notes import CreditNoteRefused
from app.domain.events.operations import InvoiceNumbersSkipped
from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.periods import Period
from app.domain.policies import UnknownPolicies
from app.domain.usage import UsageTotals
from app.repositories import unit_of_work
from app.repositories.invoices import FIRST_INVOICE_NUMBER
from app.services.operations.replay import ENGINES, FactsMissing, Replay
from app.services.operations.running_balances import check_balances, sum_balances
from app.services.operations.verify_ledger import Difference, check_charges, check_ledger
from app.services.operations.verify_positions import check_positions, check_waiting_credit
from app.services.operations.verify_upgrades import check_upgrades
from app.services.operations.verify_write_offs import check_write_offs

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.invoice_drafts import InvoiceDraft
    from app.domain.invoice_lines import InvoiceLine
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
    for each in await unit_of_work.read(database, lambda uow: uow.accounts.choose(account)):
        for difference in await unit_of_work.read(database, partial(_check_account, account=each, since=since)):
            yield difference
        if on_progress is not None:
            on_progress(each)
    if account is None:
        for difference in await unit_of_work.read(database, _check_numbers):
            yield difference


async def _check_account(uow: UnitOfWork, account: Account, since: datetime | None) -> list[Difference]:
    invoices = await uow.invoices.list_for_account(account.id)
    postings = await uow.ledger.postings(account.id)
    payments = await uow.payments.of_account(account.id)
    last_posting = await uow.ledger.last_posting(account.id)
    plans = await uow.cycles.plans(account.id)
    replay = await Replay.begin(uow, account, invoices, postings)
    differences = [
        *_check_months(account, invoices, plans),
        *check_ledger(account.external_id, invoices, postings, payments, last_posting),
        *check_balances(
            account.external_id,
            await uow.ledger.running_balances(account.id),
            sum_balances(postings),
            {invoice.id: invoice.number for invoice in invoices},
        ),
        *check_charges(account.external_id, await uow.attempts.succeeded(account.id), payments),
        *await _check_sums(uow, account),
        *await check_upgrades(uow, account, invoices, since),
    ]
    for invoice in invoices:
        if since is None or invoice.issued_at >= since:
            differences += await _check_invoice(uow, account, invoice, replay, invoices)
        replay.passed(invoice)
    replay.end()
    open_invoices = await uow.ledger.open_invoices(account.id)
    write_offs = await uow.write_offs.list_for_account(account.id)
    return [
        *differences,
        *_check_plans(account, plans, replay),
        *check_positions(account, invoices, plans, replay.books),
        *check_waiting_credit(account.external_id, invoices, postings, open_invoices),
        *check_write_offs(account.external_id, invoices, postings, payments, write_offs),
    ]


async def _check_invoice(
    uow: UnitOfWork, account: Account, invoice: StoredInvoice, replay: Replay, invoices: Sequence[StoredInvoice]
) -> list[Difference]:
    """Compute the invoice again, by its own engine and under its own policies, and compare (rule 28)."""
    place = f"invoice {invoice.number}"
    if invoice.engine_version not in ENGINES:
        known = ", ".join(map(str, ENGINES))
        return [Difference(account.external_id, place, f"engine {invoice.engine_version}", f"one of engines {known}")]
    if invoice.kind is InvoiceKind.CREDIT_NOTE:
        return _check_credit_note(account, invoice, replay, invoices)
    try:
        draft, expected_facts, facts = await replay.compute(uow, invoice)
    except UnknownPolicies as error:
        return [Difference(account.external_id, f"{place}, policies", error.version, "a version of this release")]
    except FactsMissing as error:
        return [Difference(account.external_id, f"{place}, facts", str(error), "what it was computed from")]
    plan = ("plan", invoice.plan_version_id, facts.plan.id)
    return _compare(account, invoice, draft, expected_facts, plan)


def _check_credit_note(
    account: Account, note: StoredInvoice, replay: Replay, invoices: Sequence[StoredInvoice]
) -> list[Difference]:
    """Compute a credit note again from the invoice that it corrects, and compare."""
    corrected = next((each for each in invoices if each.id == note.corrects_invoice_id), None)
    if corrected is None:
        return [Difference(account.external_id, f"invoice {note.number}, corrects", "nothing", "an invoice")]
    earlier = [
        line
        for each in invoices
        if each.number < note.number and each.corrects_invoice_id == corrected.id and each.kind is note.kind
        for line in each.lines
    ]
    try:
        draft, expected_facts = replay.compute_credit_note(note, corrected, earlier)
    except CreditNoteRefused as error:
        return [Difference(account.external_id, f"invoice {note.number}, lines", str(error), "what can be credited")]
    return _compare(account, note, draft, expected_facts)


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
    """Check that each month stands on the plan last invoiced for it."""
    for month, plan in plans.items():
        invoiced = replay.month_plans.get(month)
        if invoiced is not None and invoiced.id != plan.id:
            yield Difference(account.external_id, f"plan of {month:%Y-%m}", plan.id, invoiced.id)


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

    A restored database leaves out the numbers that may have been used since its backup, and its audit log says which.
    """
    skipped = {entry.event.from_: entry.event.before for entry in await uow.events.list_of(InvoiceNumbersSkipped)}
    expected = _after(FIRST_INVOICE_NUMBER - 1, skipped)
    differences = []
    async for number in uow.invoice_numbers.all():
        if number != expected:
            differences.append(Difference("all", "invoice numbers", str(number), str(expected)))
        expected = _after(number, skipped)
    following = await uow.invoice_numbers.next()
    if following != expected:
        differences.append(Difference("all", "next invoice number", str(following), str(expected)))
    return differences


def _after(number: int, skipped: Mapping[int, int]) -> int:
    """Return the number that follows, past every range that is left out."""
    following = number + 1
    while skipped.get(following, following) > following:
        following = skipped[following]
    return following
