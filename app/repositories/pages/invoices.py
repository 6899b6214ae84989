"""Issued invoices with their lines, payments and credits: a stretch of the list, or one."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sqlalchemy import BigInteger, Date, bindparam, cast, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.ledger import REVERSALS, PostingKind
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.models.accounts import AccountRow
from app.models.collection import CollectionRow, PaymentAttemptRow
from app.models.invoices import InvoiceLineRow, InvoiceRow
from app.models.ledger import LedgerPostingRow, PaymentRow
from app.models.payment_methods import PaymentMethodRow
from app.repositories.billing_facts import total
from app.repositories.conditions import beyond
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.invoices import (
    ChargeAttempt,
    Collecting,
    Credit,
    Invoice,
    InvoiceFacts,
    InvoicePage,
    Payment,
    Reversal,
    place_line,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows
    from app.views.invoices import PlacedLine

Named = TypeVar("Named", bound=NamedTuple)

USAGE_INVOICES = (InvoiceKind.CYCLE, InvoiceKind.FINAL)
"""The kinds that bill usage: what they saw of the calls is billed."""

_NUMBER = col(InvoiceRow.number)


def _issued() -> tuple[Sql, Sql]:
    return own(col(InvoiceRow.account_id)), col(InvoiceRow.status) != InvoiceStatus.DRAFT


PAYING = (PostingKind.PAYMENT_RECEIVED, PostingKind.WRITE_OFF_RECOVERED)
"""The kinds of posting by which a payment went to an invoice."""


def _tax_cents() -> Sql:
    line = InvoiceLineRow
    return (
        select(total(col(line.amount_cents)))
        .where(col(line.invoice_id) == col(InvoiceRow.id), col(line.kind) == LineKind.TAX)
        .correlate(InvoiceRow)
        .scalar_subquery()
    )


def _corrects_number() -> Sql:
    corrected = aliased(InvoiceRow)
    return (
        select(col(corrected.number))
        .where(
            col(corrected.account_id) == col(InvoiceRow.account_id),
            col(corrected.id) == col(InvoiceRow.corrects_invoice_id),
        )
        .correlate(InvoiceRow)
        .scalar_subquery()
    )


def _earlier_watermark() -> Sql:
    """The watermark of the invoice of usage before, which billed every call up to it; zero for the first.

    Invoices of other kinds bill no usage. A void one billed nothing: only the newest can be voided, so that no other
    than the one in its place has been issued since.
    """
    earlier = aliased(InvoiceRow)
    found = (
        select(col(earlier.usage_watermark))
        .where(
            col(earlier.account_id) == col(InvoiceRow.account_id),
            col(earlier.number) < _NUMBER,
            col(earlier.status) != InvoiceStatus.DRAFT,
            col(earlier.kind).in_(USAGE_INVOICES),
            col(earlier.status) != InvoiceStatus.VOID,
        )
        .order_by(col(earlier.number).desc())
        .limit(1)
        .correlate(InvoiceRow)
        .scalar_subquery()
    )
    return cast(func.coalesce(found, 0), BigInteger)


def _select_invoices() -> Sql:
    columns = (
        InvoiceRow.id,
        InvoiceRow.account_id,
        AccountRow.external_id,
        InvoiceRow.account_name,
        InvoiceRow.kind,
        InvoiceRow.status,
        InvoiceRow.number,
        InvoiceRow.period_on,
        InvoiceRow.issued_at,
        InvoiceRow.due_on,
        InvoiceRow.paid_at,
        InvoiceRow.total_cents,
        InvoiceRow.credit_applied_cents,
        InvoiceRow.amount_due_cents,
        InvoiceRow.content_hash,
        InvoiceRow.corrects_invoice_id,
    )
    return (
        select(
            *(col(column) for column in columns),
            _corrects_number().label("corrects_number"),
            _tax_cents().label("tax_cents"),
            (col(InvoiceRow.balance_cents) + col(InvoiceRow.written_off_cents)).label("balance_cents"),
            col(AccountRow.paid_starts_on),
            col(InvoiceRow.usage_watermark),
            _earlier_watermark().label("earlier_watermark"),
        )
        .join(AccountRow, col(AccountRow.id) == col(InvoiceRow.account_id))
        .where(*_issued())
    )


def _details(ids: Sql) -> dict[str, Sql]:
    """Select what belongs to the invoices with these ids; every part begins with the invoice's id."""
    return {
        "lines": _lines(ids),
        "payments": _payments(ids),
        "reversals": _reversals(ids),
        "credits": _credits(ids),
        "collections": _collections(ids),
        "attempts": _attempts(ids),
    }


def _lines(ids: Sql) -> Sql:
    row = InvoiceLineRow
    return (
        select(
            col(row.invoice_id),
            col(row.position),
            col(row.kind),
            col(row.period_on),
            col(row.quantity),
            col(row.unit),
            col(row.unit_price),
            col(row.amount_cents),
            col(row.rule),
            col(row.inputs),
        )
        .where(col(row.invoice_id).in_(ids))
        .order_by(col(row.invoice_id), col(row.position))
    )


_CHARGED = (
    col(PaymentMethodRow.brand),
    col(PaymentMethodRow.last4),
    col(PaymentMethodRow.payer_email),
)
"""The method behind a payment that was charged."""


def _with_method(statement: Sql) -> Sql:
    """Join the method that a payment was charged to; a check has none."""
    attempt = PaymentAttemptRow
    is_of_payment = (col(attempt.transaction_id) == col(PaymentRow.reference)) & (
        col(attempt.account_id) == col(PaymentRow.account_id)
    )
    return statement.outerjoin(attempt, is_of_payment).outerjoin(
        PaymentMethodRow, col(PaymentMethodRow.id) == col(attempt.method_id)
    )


def _payments(ids: Sql) -> Sql:
    posting = LedgerPostingRow
    columns = (
        col(posting.invoice_id),
        col(PaymentRow.kind),
        col(posting.amount_cents),
        col(PaymentRow.received_on),
        col(PaymentRow.reference),
        *_CHARGED,
    )
    return (
        _with_method(select(*columns).join(PaymentRow, col(PaymentRow.id) == col(posting.payment_id)))
        .where(own(col(posting.account_id)), col(posting.invoice_id).in_(ids), col(posting.kind).in_(PAYING))
        .order_by(col(posting.invoice_id), col(posting.seq))
    )


def _reversals(ids: Sql) -> Sql:
    posting = LedgerPostingRow
    columns = (
        col(posting.invoice_id),
        col(posting.kind),
        col(posting.amount_cents),
        col(posting.posted_at),
        col(PaymentRow.kind),
        col(PaymentRow.reference),
        *_CHARGED,
    )
    return (
        _with_method(select(*columns).join(PaymentRow, col(PaymentRow.id) == col(posting.payment_id)))
        .where(own(col(posting.account_id)), col(posting.invoice_id).in_(ids), col(posting.kind).in_(REVERSALS))
        .order_by(col(posting.invoice_id), col(posting.seq))
    )


def _credits(ids: Sql) -> Sql:
    posting, grant = LedgerPostingRow, aliased(LedgerPostingRow)
    return (
        select(col(posting.invoice_id), col(posting.amount_cents), col(grant.kind), col(grant.posted_at))
        .join(
            grant,
            (col(grant.account_id) == col(posting.account_id)) & (col(grant.seq) == col(posting.grant_seq)),
        )
        .where(
            own(col(posting.account_id)),
            col(posting.invoice_id).in_(ids),
            col(posting.kind) == PostingKind.CREDIT_APPLIED,
        )
        .order_by(col(posting.invoice_id), col(posting.seq))
    )


def _collections(ids: Sql) -> Sql:
    row = CollectionRow
    return select(
        col(row.invoice_id), col(row.status), col(row.next_attempt_at), col(row.late_fee_at), col(row.suspend_at)
    ).where(col(row.invoice_id).in_(ids))


def _attempts(ids: Sql) -> Sql:
    row, method = PaymentAttemptRow, PaymentMethodRow
    return (
        select(
            col(row.invoice_id),
            col(row.id),
            col(row.created_at),
            col(row.amount_cents),
            col(row.state),
            col(row.method_id),
            col(method.brand),
            col(method.last4),
            col(method.payer_email),
            col(row.decline),
        )
        .join(method, col(method.id) == col(row.method_id))
        .where(col(row.invoice_id).in_(ids))
        .order_by(col(row.invoice_id), col(row.attempt_no))
    )


@cache
def invoices_page(*, has_status: bool, has_month: bool, is_detailed: bool, is_counted: bool) -> Page[InvoicePage]:
    """Return the page of an account's invoices, newest first; drafts are nobody's business (rule 27).

    Binds: `after_number` (above every number at first) and `fetch`; `status`, `month_on` where it filters by them.
    Without details the lines, payments and credits of the invoices stay empty.
    """
    filters = []
    if has_status:
        filters.append(col(InvoiceRow.status) == bindparam("status", type_=InvoiceRow.__table__.c.status.type))  # type: ignore[attr-defined]
    if has_month:
        filters.append(col(InvoiceRow.period_on) == bindparam("month_on", type_=Date()))
    window = (*filters, beyond((_NUMBER,), ("after_number",), descending=True))

    def newest(statement: Sql) -> Sql:
        return statement.where(*window).order_by(_NUMBER.desc()).limit(bindparam("fetch"))

    parts = {"invoices": newest(_select_invoices())}
    if is_detailed:
        parts |= _details(newest(select(col(InvoiceRow.id)).where(*_issued())))
    if is_counted:
        parts["count"] = select(func.count()).select_from(InvoiceRow).where(*_issued(), *filters)
    return Page("invoices", parts, _invoice_page)


def _chosen_page(name: str, *binds: str) -> Page[Sequence[Invoice]]:
    """A page of the invoices whose ids are the values of these binds."""
    return page_of(name, or_(*(col(InvoiceRow.id) == bindparam(bind) for bind in binds)))


def page_of(name: str, chosen: Sql) -> Page[Sequence[Invoice]]:
    """Return the page of the account's issued invoices that a condition chooses, whole and in no order."""
    ids = select(col(InvoiceRow.id)).where(*_issued(), chosen)
    return Page(name, {"invoices": _select_invoices().where(chosen), **_details(ids)}, _assemble)


def _assemble(
    invoices: Rows,
    lines: Rows = (),
    payments: Rows = (),
    credits: Rows = (),  # noqa: A002 -- the part's name
    collections: Rows = (),
    attempts: Rows = (),
    reversals: Rows = (),
) -> Sequence[Invoice]:
    facts = {row[0]: InvoiceFacts._make(row) for row in invoices}
    placed: dict[str, list[PlacedLine]] = {invoice_id: [] for invoice_id in facts}
    for invoice_id, position, *line in lines:
        placed[invoice_id].append(place_line(facts[invoice_id], position, _read_line(line)))
    paid = _grouped(Payment, payments, facts)
    used = _grouped(Credit, credits, facts)
    collecting = {invoice_id: Collecting._make(values) for invoice_id, *values in collections}
    tried = _grouped(ChargeAttempt, attempts, facts)
    back = _grouped(Reversal, reversals, facts)
    return [
        Invoice(one, placed[one.id], paid[one.id], used[one.id], collecting.get(one.id), tried[one.id], back[one.id])
        for one in facts.values()
    ]


def _invoice_page(invoices: Rows, count: Rows = (), **details: Rows) -> InvoicePage:
    return InvoicePage(_assemble(invoices, **details), count[0][0] if count else None)


def _grouped(kind: type[Named], rows: Rows, ids: Iterable[str]) -> dict[str, list[Named]]:
    groups: dict[str, list[Named]] = {invoice_id: [] for invoice_id in ids}
    for invoice_id, *values in rows:
        groups[invoice_id].append(kind._make(values))
    return groups


def _read_line(columns: Iterable[Any]) -> InvoiceLine:
    kind, period_on, quantity, unit, unit_price, amount_cents, rule, inputs = columns
    period = Period.containing(period_on)
    return InvoiceLine(kind, period, quantity, unit, UnitPrice(unit_price), amount_cents, rule, inputs)


INVOICE = _chosen_page("invoice", "invoice_id")
"""One issued invoice of the account, as a list of at most one: `invoice_id`."""

INVOICE_PAIR = _chosen_page("two invoices", "from_id", "to_id")
"""Two issued invoices of the account, in no order, as a list: `from_id`, `to_id`."""
