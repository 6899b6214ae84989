"""An account's usage, month by month: the calls since its paid start beside the plan of each month (rules 6, 7, 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.periods import Period, billing_date
from app.domain.policies import policies_on
from app.domain.pricing import rate_usage
from app.domain.usage_months import UsageSums, month_cost_effective_minutes
from app.views.plans import Plan
from app.views.usage import UsageMonth

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.plans import Catalogue, PlanVersion
    from app.views.usage import UsageFacts

NO_CALLS = UsageSums()


def current_month(now: datetime) -> Period:
    """Return the billing month of an instant (rule 1)."""
    return Period.containing(billing_date(now))


def usage_month(*, facts: UsageFacts, period: Period, now: datetime) -> UsageMonth | None:
    """Return the usage of a month to date, priced on that month's own plan.

    None for a month that has not begun, or that was over before the paid start: nothing is included or charged then.
    """
    today = billing_date(now)
    if period.starts_on > today or period.ends_before <= facts.paid_starts_on:
        return None
    last_on = min(today, period.ends_before - timedelta(days=1))
    plan = facts.plan_of(period)
    sums = facts.sums.get(period.starts_on, NO_CALLS)
    return UsageMonth(
        account_id=facts.account_id,
        period=period,
        plan=show_plan(plan, facts.catalogue, last_on),
        sums=sums,
        rated=rate_usage(sums.charged, plan, period, facts.paid_starts_on, policies_on(period.starts_on)),
        cost_effective_minutes=_cost_effective_minutes(facts, plan, period, last_on),
        first_on=max(period.starts_on, facts.paid_starts_on),
        last_on=last_on,
        days=tuple(day for day in facts.days if period.contains(day.on)),
        read_at=now,
    )


def usage_history(*, facts: UsageFacts, months: int, now: datetime) -> list[UsageMonth]:
    """Return the current month and those before it, newest first, back to the paid start; at most `months`."""
    current = current_month(now)
    found = (usage_month(facts=facts, period=current.shifted(-back), now=now) for back in range(months))
    return [month for month in found if month is not None]


def show_plan(version: PlanVersion, catalogue: Catalogue, on: date) -> Plan:
    """Return a plan with the full-month minutes up to which no larger plan on sale on the date is cheaper."""
    return Plan(version, catalogue.cost_effective_minutes(version, on))


def _cost_effective_minutes(facts: UsageFacts, plan: PlanVersion, period: Period, on: date) -> int | None:
    higher = facts.catalogue.find_next(plan, on)
    return None if higher is None else month_cost_effective_minutes(plan, higher, period, facts.paid_starts_on)
