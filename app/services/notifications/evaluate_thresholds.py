"""Thresholds are evaluated in the transaction that records usage: none is missed or announced twice (rule 37)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.alerts import (
    AlertKind,
    Crossing,
    UsageThreshold,
    find_crossings,
    find_rearmed,
    next_watch,
    usage_thresholds,
)
from app.domain.announcements import AllowanceUsed, CostEffectivePassed
from app.domain.periods import Period
from app.domain.proration import prorated_cents
from app.services.notifications.announce import Announcement, announce

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.domain.plans import Catalogue, PlanVersion
    from app.ports import Ids
    from app.repositories.alerts import Meter
    from app.repositories.unit_of_work import UnitOfWork


async def evaluate_usage(uow: UnitOfWork, *, ids: Ids, now: datetime, open_months: Mapping[str, date]) -> None:
    """Tell what the usage of accounts has passed. `open_months`: the first day of each account's month not yet closed.

    One read for all of them; an account costs more only when its usage has come to the next limit of its month. A
    month without its cycle invoice has no plan to be measured by, and one that is closed tells nothing.
    """
    if not open_months:
        return
    meters = await uow.alerts.meters(open_months, min(open_months.values()))
    due = [meter for meter in meters if meter.period_on == open_months[meter.account_id] and meter.is_due]
    if not due:
        return
    catalogue = await uow.plans.catalogue()
    plans = {plan.id: plan for plan in catalogue.versions}
    announcements, crossings, watches = [], [], []
    for meter in due:
        plan = plans[meter.plan_version_id]
        limits = _limits(meter.period_on, meter.paid_starts_on, plan, catalogue)
        for limit, arming_no in await _crossed(uow, meter, limits):
            crossing = Crossing(limit.kind, limit.level, arming_no)
            crossings.append((meter.account_id, meter.period_on, crossing, meter.used_seconds))
            subject = f"{meter.account_id}:{meter.period_on:%Y-%m}:{limit.level}:{arming_no}"
            facts = _facts(meter, plan, limit, catalogue)
            announcements.append(Announcement(limit.kind, meter.account_id, subject, facts))
        watches.append((meter.account_id, meter.period_on, next_watch(limits, meter.used_seconds)))
    await uow.alerts.add_crossings(crossings, at=now)
    await uow.alerts.watch(watches)
    await announce(uow, ids=ids, now=now, announcements=announcements)


async def rearm_alerts(uow: UnitOfWork, *, account_id: str, month: date, plan_version_id: str, now: datetime) -> None:
    """Arm again what usage is below on the plan that the month has moved to; it is looked at with the next call.

    (Rule 37.) The caller is the account's only writer.
    """
    past = await uow.alerts.crossings(account_id, month)
    catalogue = await uow.plans.catalogue()
    plan = next(version for version in catalogue.versions if version.id == plan_version_id)
    account = await uow.accounts.get(account_id)
    limits = _limits(month, account.paid_starts_on, plan, catalogue)
    days = await uow.calls.days(account_id)
    since, ends_before = max(month, account.paid_starts_on), Period.containing(month).ends_before
    used_seconds = sum(day.live_seconds for on, day in days.items() if since <= on < ends_before)
    rearmed = list(find_rearmed(limits, used_seconds, past))
    await uow.alerts.rearm(account_id, month, rearmed, at=now)


def _limits(
    period_on: date, paid_starts_on: date, plan: PlanVersion, catalogue: Catalogue
) -> tuple[UsageThreshold, ...]:
    period = Period.containing(period_on)
    return usage_thresholds(plan=plan, period=period, paid_starts_on=paid_starts_on, catalogue=catalogue)


async def _crossed(
    uow: UnitOfWork, meter: Meter, limits: tuple[UsageThreshold, ...]
) -> list[tuple[UsageThreshold, int]]:
    """Return the limits that a month has passed and that are to be told, with their arming numbers."""
    if all(meter.used_seconds < limit.from_seconds for limit in limits):
        return []
    past = await uow.alerts.crossings(meter.account_id, meter.period_on)
    return list(find_crossings(limits, meter.used_seconds, past))


def _facts(
    meter: Meter, plan: PlanVersion, limit: UsageThreshold, catalogue: Catalogue
) -> AllowanceUsed | CostEffectivePassed:
    if limit.kind is not AlertKind.COST_EFFECTIVE_EXCEEDED:
        return AllowanceUsed(
            meter.period_on, plan.name, meter.used_seconds, limit.limit_seconds, limit.level, plan.overage_rate
        )
    higher = catalogue.find_next(plan, meter.period_on)
    if higher is None:
        raise LookupError(plan.id)
    period = Period.containing(meter.period_on)
    costs = (prorated_cents(version.base_cents, period, meter.paid_starts_on) for version in (higher, plan))
    dearer, base = costs
    return CostEffectivePassed(
        meter.period_on, plan.name, meter.used_seconds, limit.limit_seconds, higher.name, dearer - base
    )
