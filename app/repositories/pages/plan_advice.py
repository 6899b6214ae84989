"""The facts of advice about plans, in one trip: the snapshot of the account, its months, and its latest days."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Date, and_, bindparam, select
from sqlmodel import col

from app.domain.usage import UsageTotals
from app.models.accounts import AccountRow
from app.models.calls import UsageDayRow
from app.models.cycles import BillingCycleRow
from app.models.simulations import MonthSimulationRow
from app.repositories.billing_facts import NO_USAGE, total
from app.repositories.pages.account_snapshot import ACCOUNT_SNAPSHOT
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.plan_advice import PlanAdviceFacts

if TYPE_CHECKING:
    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

_MONTH: Sql = bindparam("month", type_=Date)
_MONTHS_SINCE: Sql = bindparam("months_since", type_=Date)
_DAYS_SINCE: Sql = bindparam("days_since", type_=Date)

_SUMS: tuple[Sql, ...] = (
    col(UsageDayRow.live_seconds),
    col(UsageDayRow.patch_seconds),
    col(UsageDayRow.ivr_seconds),
    col(UsageDayRow.call_count),
)

_MONTHS = (
    select(col(BillingCycleRow.period_on), col(MonthSimulationRow.costs))
    .outerjoin(
        MonthSimulationRow,
        and_(
            col(MonthSimulationRow.account_id) == col(BillingCycleRow.account_id),
            col(MonthSimulationRow.period_on) == col(BillingCycleRow.period_on),
        ),
    )
    .where(
        own(col(BillingCycleRow.account_id)),
        col(BillingCycleRow.period_on) >= _MONTHS_SINCE,
        col(BillingCycleRow.period_on) < _MONTH,
    )
    .order_by(col(BillingCycleRow.period_on))
)

_MONTH_USAGE = (
    select(col(UsageDayRow.period_on), *(total(column) for column in _SUMS))
    .join(AccountRow, col(AccountRow.id) == col(UsageDayRow.account_id))
    .where(
        own(col(UsageDayRow.account_id)),
        col(UsageDayRow.on_date) >= _MONTHS_SINCE,
        col(UsageDayRow.on_date) < _MONTH,
        col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
    )
    .group_by(col(UsageDayRow.period_on))
)

_DAYS = (
    select(col(UsageDayRow.on_date), *_SUMS)
    .join(AccountRow, col(AccountRow.id) == col(UsageDayRow.account_id))
    .where(
        own(col(UsageDayRow.account_id)),
        col(UsageDayRow.on_date) >= _DAYS_SINCE,
        col(UsageDayRow.on_date) >= col(AccountRow.paid_starts_on),
    )
    .order_by(col(UsageDayRow.on_date))
)


def _assemble(months: Rows, month_usage: Rows, days: Rows, **snapshot: Rows) -> PlanAdviceFacts | None:
    found = ACCOUNT_SNAPSHOT.assemble(**snapshot)
    if found is None:
        return None
    opened = list(months)
    usage = {month: UsageTotals(*sums) for month, *sums in month_usage}
    return PlanAdviceFacts(
        snapshot=found,
        months={month: usage.get(month, NO_USAGE) for month, _ in opened},
        stored_costs={month: costs for month, costs in opened if costs is not None},
        days={on: UsageTotals(*sums) for on, *sums in days},
    )


PLAN_ADVICE: Page[PlanAdviceFacts | None] = Page(
    "plan_advice",
    {**ACCOUNT_SNAPSHOT.parts, "months": _MONTHS, "month_usage": _MONTH_USAGE, "days": _DAYS},
    _assemble,
)
"""Takes what `ACCOUNT_SNAPSHOT` takes, and the first days of the earliest month to rate (`months_since`) and of the
earliest month whose days count (`days_since`); None when there is no such account.
"""
