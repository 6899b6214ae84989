"""Where an account stands: read the same way to show a decision and in the transaction that carries it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, and_, bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.invoice_lines import BASE_LINE_KINDS, LineKind
from app.domain.ledger import OpenInvoice
from app.domain.periods import Period
from app.domain.usage import UsageTotals
from app.models.accounts import AccountRow
from app.models.add_ons import AddOnVersionRow
from app.models.calls import UsageDayRow
from app.models.charges import TaxListRow
from app.models.cycles import BillingCycleRow
from app.models.invoices import InvoiceLineRow
from app.models.ledger import WriteOffShareRow
from app.models.plans import PlanVersionRow
from app.repositories.billed_lines import read_books, select_billed, select_write_offs
from app.repositories.billing_facts import (
    ADD_ON_COLUMNS,
    PLAN_COLUMNS,
    read_add_on,
    read_catalogue,
    read_plan,
    read_subscription,
    read_taxes_in_force,
    select_subscriptions,
    total,
)
from app.repositories.ledger import select_open_invoices
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.account_snapshot import AccountSnapshot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.plans import PlanVersion
    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

_TODAY: Sql = bindparam("today", type_=Date)
_MONTH: Sql = bindparam("month", type_=Date)
_PENDING = aliased(PlanVersionRow)
_OPENED = aliased(PlanVersionRow)
_ACCOUNT_FIELDS = (
    "account_id",
    "external_id",
    "name",
    "status",
    "paid_starts_on",
    "next_cycle_on",
    "upgrade_count",
    "usage_seq",
    "ledger_seq",
    "credit_cents",
    "today",
)
_PLAN_WIDTH = len(PLAN_COLUMNS)
_PLANS_START = tuple(len(_ACCOUNT_FIELDS) + place * _PLAN_WIDTH for place in range(3))


def _plan_columns(row: type[PlanVersionRow], prefix: str) -> list[Sql]:
    return [getattr(row, column.key).label(f"{prefix}_{column.key}") for column in PLAN_COLUMNS]


_ACCOUNT = (
    select(
        *(
            col(column)
            for column in (
                AccountRow.id,
                AccountRow.external_id,
                AccountRow.name,
                AccountRow.status,
                AccountRow.paid_starts_on,
                AccountRow.next_cycle_on,
                AccountRow.upgrade_count,
                AccountRow.usage_seq,
                AccountRow.ledger_seq,
                AccountRow.credit_cents,
            )
        ),
        _TODAY.label("today"),
        *_plan_columns(PlanVersionRow, "chosen"),
        *_plan_columns(_PENDING, "pending"),
        *_plan_columns(_OPENED, "opened"),
    )
    .join(PlanVersionRow, col(PlanVersionRow.id) == col(AccountRow.plan_version_id))
    .outerjoin(_PENDING, col(_PENDING.id) == col(AccountRow.pending_plan_version_id))
    .outerjoin(
        BillingCycleRow,
        and_(col(BillingCycleRow.account_id) == col(AccountRow.id), col(BillingCycleRow.period_on) == _MONTH),
    )
    .outerjoin(_OPENED, col(_OPENED.id) == col(BillingCycleRow.plan_version_id))
    .where(own(col(AccountRow.id)))
)

_USAGE = (
    select(
        *(
            total(col(column))
            for column in (
                UsageDayRow.live_seconds,
                UsageDayRow.patch_seconds,
                UsageDayRow.ivr_seconds,
                UsageDayRow.call_count,
            )
        )
    )
    .join(AccountRow, col(AccountRow.id) == col(UsageDayRow.account_id))
    .where(
        own(col(UsageDayRow.account_id)),
        col(UsageDayRow.on_date) >= _MONTH,
        col(UsageDayRow.period_on) == _MONTH,
        col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
    )
)

_BASE_LINES = select_billed(
    own,
    col(InvoiceLineRow.period_on) == _MONTH,
    col(InvoiceLineRow.kind).in_((*BASE_LINE_KINDS, LineKind.CORRECTION)),
)

_WRITE_OFFS = select_write_offs(own, col(WriteOffShareRow.period_on) == _MONTH)

_TAXES = (
    select(col(TaxListRow.account_id), col(TaxListRow.rates))
    .where(own(col(TaxListRow.account_id)), col(TaxListRow.valid_from) <= _TODAY)
    .order_by(col(TaxListRow.valid_from).desc())
    .limit(1)
)

_CATALOGUE = select(*PLAN_COLUMNS).order_by(col(PlanVersionRow.id))

_ADD_ONS = select(*ADD_ON_COLUMNS).order_by(col(AddOnVersionRow.id))


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of every part of the page."""

    account: Rows
    usage: Rows
    base_lines: Rows
    write_offs: Rows
    open_invoices: Rows
    taxes: Rows
    catalogue: Rows
    add_ons: Rows
    subscriptions: Rows


def _assemble(found: _Rows) -> AccountSnapshot | None:
    if not found.account:
        return None
    row = found.account[0]
    period = Period.containing(row[_ACCOUNT_FIELDS.index("today")])
    chosen, pending, opened = (row[start : start + _PLAN_WIDTH] for start in _PLANS_START)
    return AccountSnapshot(
        **dict(zip(_ACCOUNT_FIELDS, row, strict=False)),
        period=period,
        chosen_plan=read_plan(chosen),
        pending_plan=_read_plan(pending),
        opened_plan=_read_plan(opened),
        usage=UsageTotals(*found.usage[0]),
        billed_base=read_books(found.base_lines, found.write_offs).position(period.starts_on, LineKind.BASE),
        open_invoices=tuple(OpenInvoice(*invoice) for invoice in found.open_invoices),
        taxes=read_taxes_in_force(found.taxes),
        catalogue=read_catalogue(found.catalogue),
        add_on_versions=tuple(read_add_on(version) for version in found.add_ons),
        subscriptions=tuple(read_subscription(subscription) for subscription in found.subscriptions),
    )


def _read_plan(columns: Sequence[Any]) -> PlanVersion | None:
    return None if columns[0] is None else read_plan(columns)


ACCOUNT_SNAPSHOT: Page[AccountSnapshot | None] = Page(
    "snapshot",
    {
        "account": _ACCOUNT,
        "usage": _USAGE,
        "base_lines": _BASE_LINES,
        "write_offs": _WRITE_OFFS,
        "open_invoices": select_open_invoices(own),
        "taxes": _TAXES,
        "catalogue": _CATALOGUE,
        "add_ons": _ADD_ONS,
        "subscriptions": select_subscriptions(own),
    },
    lambda **rows: _assemble(_Rows(**rows)),
)
"""Takes `account`, `today` and the first day of its `month`; None when there is no such account."""
