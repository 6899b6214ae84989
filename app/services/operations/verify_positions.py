"""The positions of an account checked: every credit is kept, nothing is billed twice, and nothing given back twice.

Books of engine 1 may have given too much back: what is wrong in them is a warning with the amount, not a difference.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from app.domain.explanations import dollars
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.invoice_lines import USAGE_KINDS, LineKind
from app.domain.invoices import ENGINE_VERSION
from app.domain.ledger import Book, moved_cents
from app.domain.periods import Period
from app.domain.position_fold import position_key
from app.domain.positions import PositionKey
from app.domain.proration import prorated_cents
from app.services.operations.verify_ledger import Comparison, Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import date

    from app.domain.accounts import Account
    from app.domain.billed_lines import BilledLine
    from app.domain.ledger import OpenInvoice
    from app.domain.plans import PlanVersion
    from app.domain.position_fold import Books
    from app.domain.positions import Position
    from app.repositories.invoices import StoredInvoice
    from app.repositories.ledger import PostedPosting


def check_positions(
    account: Account, invoices: Sequence[StoredInvoice], plans: Mapping[date, PlanVersion], books: Books
) -> Iterator[Difference]:
    """Yield how what is still billed disagrees with the rules, with the price list, and with what was invoiced.

    `books` holds all that was issued, written off and recovered; `plans` the plan of each month (rules 13, 14, 18, 25).
    """
    old = [invoice for invoice in invoices if invoice.engine_version != ENGINE_VERSION]
    old_numbers, old_keys = {invoice.number for invoice in old}, set(_keys(old))
    compared = chain(
        (
            (key in old_keys, compared)
            for key, position in books.positions()
            for compared in _check_position(key, position, _price(account, plans, key))
        ),
        (
            (line.ref.number in old_numbers, compared)
            for line in books.lines.values()
            for compared in _check_taxes(line)
        ),
        ((bool(old), compared) for compared in _check_total(invoices, books)),
    )
    for is_old, (place, found, expected) in compared:
        if found != expected:
            yield Difference(account.external_id, place, found, expected, is_warning=is_old)


def check_waiting_credit(
    account: str,
    invoices: Iterable[StoredInvoice],
    postings: Iterable[PostedPosting],
    open_invoices: Iterable[OpenInvoice],
) -> Iterator[Difference]:
    """Yield open invoices that are collected though credit waits beside them; those of engine 1 until the next run."""
    credit_cents = -sum(moved_cents(posted.posting, Book.CUSTOMER_CREDIT) for posted in postings)
    old = {invoice.number for invoice in invoices if invoice.engine_version != ENGINE_VERSION}
    for invoice in open_invoices:
        if credit_cents > 0 and not (invoice.is_by_hand or invoice.is_under_way):
            found = f"{dollars(invoice.balance_cents)} open beside {dollars(credit_cents)} of credit"
            place = f"invoice {invoice.number}, credit"
            yield Difference(account, place, found, "credit pays it first", is_warning=invoice.number in old)


def _keys(invoices: Iterable[StoredInvoice]) -> Iterator[PositionKey | None]:
    """Yield the positions that lines of invoices of engine 1 bill; an adjustment of it was one line for all kinds."""
    for line in (line for invoice in invoices for line in invoice.lines):
        yield position_key(line)
        if line.kind is LineKind.ADJUSTMENT:
            yield from (PositionKey(line.period.starts_on, kind) for kind in USAGE_KINDS)


def _price(account: Account, plans: Mapping[date, PlanVersion], key: PositionKey) -> int | None:
    """Return what the base of a month costs on its plan (rule 18); None for usage: each invoice is checked for it."""
    plan = plans.get(key.month) if key.kind is LineKind.BASE else None
    if plan is None:
        return None
    return prorated_cents(plan.base_cents, Period.containing(key.month), account.paid_starts_on)


def _check_position(key: PositionKey, position: Position, price_cents: int | None) -> Iterator[Comparison]:
    place = f"{key.kind.lower()} of {key.month:%Y-%m}"
    yield f"{place}, given back beyond what was billed", dollars(position.excess_cents), dollars(0)
    if price_cents is not None:
        yield f"{place}, price", dollars(position.gross_cents), dollars(price_cents)
    target_cents = position.target(position.gross_cents)
    yield f"{place}, still billed", dollars(position.net_cents), dollars(target_cents)
    is_within = 0 <= position.net_cents <= max(position.gross_cents, target_cents)
    yield f"{place}, between nothing and its price", str(is_within), str(True)


def _check_taxes(line: BilledLine) -> Iterator[Comparison]:
    """What is left of a line's tax is in proportion to what is left of the line, to the cent."""
    for share, left in zip(line.line.taxes, line.taxes_left, strict=True):
        is_fair = abs(left * line.line.amount_cents - share.cents * line.left_cents) <= line.line.amount_cents
        place = f"line {line.ref.position} of invoice {line.ref.number}, {share.name}"
        yield place, _words(line, left), _words(line, left) if is_fair else "in proportion"


def _words(line: BilledLine, tax_cents: int) -> str:
    return f"{dollars(tax_cents)} of tax on {dollars(line.left_cents)}"


def _check_total(invoices: Iterable[StoredInvoice], books: Books) -> Iterator[Comparison]:
    """All that was invoiced is still billed or written off, tax and all."""
    issued = sum(invoice.total_cents for invoice in invoices if invoice.status is not InvoiceStatus.VOID)
    billed = sum(line.weight_cents for line in books.lines.values())
    written_off = sum(share.total_cents for by_ref in books.written_off.values() for share in by_ref.values())
    yield "invoiced in all, still billed or written off", dollars(billed + written_off), dollars(issued)
