"""Usage by month of one account: its plans, its sums, the catalogue of that time, and its days where asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Date, bindparam, func, select
from sqlmodel import col

from app.domain.usage import UsageTotals
from app.domain.usage_months import UsageDay, UsageSums
from app.models.accounts import AccountRow
from app.models.calls import UsageDayRow
from app.models.cycles import BillingCycleRow
from app.models.plans import PlanVersionRow
from app.repositories.billing_facts import PLAN_COLUMNS, read_catalogue, read_plan, total
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.usage import UsageFacts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy import ColumnElement

    from app.domain.plans import PlanVersion
    from app.repositories.reader import Part
    from app.repositories.sql_json import Rows

SINCE: ColumnElement[date] = bindparam("since", type_=Date)
"""The first day of the first month of the range."""

BEFORE: ColumnElement[date] = bindparam("before", type_=Date)
"""The day after the last day of the last month of the range."""

_SUMS: tuple[Any, ...] = (
    col(UsageDayRow.live_seconds),
    col(UsageDayRow.patch_seconds),
    col(UsageDayRow.ivr_seconds),
    col(UsageDayRow.call_count),
    col(UsageDayRow.free_call_count),
)

_IS_COUNTED = (
    own(col(UsageDayRow.account_id)),
    col(UsageDayRow.on_date) >= SINCE,
    col(UsageDayRow.on_date) < BEFORE,
    col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
)

_ACCOUNT = (
    select(
        col(AccountRow.id).label("account_id"),
        col(AccountRow.paid_starts_on),
        *(column.label(f"plan_{column.key}") for column in PLAN_COLUMNS),
    )
    .join(PlanVersionRow, col(PlanVersionRow.id) == col(AccountRow.plan_version_id))
    .where(own(col(AccountRow.id)))
)

_CYCLES = (
    select(col(BillingCycleRow.period_on), *PLAN_COLUMNS)
    .join(PlanVersionRow, col(PlanVersionRow.id) == col(BillingCycleRow.plan_version_id))
    .where(
        own(col(BillingCycleRow.account_id)),
        col(BillingCycleRow.period_on) >= SINCE,
        col(BillingCycleRow.period_on) < BEFORE,
    )
)

_MONTHS = (
    select(
        col(UsageDayRow.period_on),
        *(total(column).label(column.key) for column in _SUMS),
        func.max(col(UsageDayRow.last_started_at)).label("last_started_at"),
    )
    .join(AccountRow, col(AccountRow.id) == col(UsageDayRow.account_id))
    .where(*_IS_COUNTED)
    .group_by(col(UsageDayRow.period_on))
)

DAYS: Part = (
    select(col(UsageDayRow.period_on), col(UsageDayRow.on_date), *_SUMS, col(UsageDayRow.last_started_at))
    .join(AccountRow, col(AccountRow.id) == col(UsageDayRow.account_id))
    .where(*_IS_COUNTED)
    .order_by(col(UsageDayRow.on_date))
)
"""The days with calls in the range, since the paid start (rule 10)."""

CATALOGUE: Part = (
    select(*PLAN_COLUMNS)
    .where(
        col(PlanVersionRow.valid_from) < BEFORE,
        col(PlanVersionRow.valid_before).is_(None) | (col(PlanVersionRow.valid_before) > SINCE),
    )
    .order_by(col(PlanVersionRow.id))
)
"""The versions that were on sale at any time in the range."""


def read_days(rows: Rows) -> tuple[tuple[UsageDay, ...], dict[date, UsageSums]]:
    """Return the days of the rows of `DAYS`, and what each month's add up to."""
    days: list[UsageDay] = []
    months: dict[date, UsageSums] = {}
    for month, on, *sums in rows:
        day = UsageDay(on, _read_sums(sums))
        days.append(day)
        months[month] = months[month] + day.sums if month in months else day.sums
    return tuple(days), months


def _read_sums(columns: Sequence[Any]) -> UsageSums:
    live_seconds, patch_seconds, ivr_seconds, call_count, free_call_count, last_started_at = columns
    return UsageSums(
        UsageTotals(live_seconds, patch_seconds, ivr_seconds, call_count), free_call_count, last_started_at
    )


def _by_month(account: Rows, cycles: Rows, months: Rows, catalogue: Rows) -> UsageFacts | None:
    sums = {month: _read_sums(columns) for month, *columns in months}
    return _facts(account, cycles, sums, (), catalogue)


def _by_day(account: Rows, cycles: Rows, days: Rows, catalogue: Rows) -> UsageFacts | None:
    known, sums = read_days(days)
    return _facts(account, cycles, sums, known, catalogue)


def _facts(
    account: Rows,
    cycles: Rows,
    sums: dict[date, UsageSums],
    days: tuple[UsageDay, ...],
    catalogue: Rows,
) -> UsageFacts | None:
    if not account:
        return None
    account_id, paid_starts_on, *plan = account[0]
    plans: dict[date, PlanVersion] = {month: read_plan(columns) for month, *columns in cycles}
    return UsageFacts(account_id, paid_starts_on, read_plan(plan), plans, sums, days, read_catalogue(catalogue))


USAGE_BY_MONTH: Page[UsageFacts | None] = Page(
    "usage_by_month",
    {"account": _ACCOUNT, "cycles": _CYCLES, "months": _MONTHS, "catalogue": CATALOGUE},
    _by_month,
)
"""Takes `account`, `since` and `before`; None when there is no such account."""

USAGE_BY_DAY: Page[UsageFacts | None] = Page(
    "usage_by_day", {"account": _ACCOUNT, "cycles": _CYCLES, "days": DAYS, "catalogue": CATALOGUE}, _by_day
)
"""As `USAGE_BY_MONTH`, with the days."""
