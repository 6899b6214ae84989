"""Once a day every account's month is projected, and what it is heading for is told before it comes (rule 21)."""

from __future__ import annotations

from datetime import time
from functools import partial
from typing import TYPE_CHECKING

from app.domain.alerts import FULL_PERCENT, AlertKind, Crossing, next_arming
from app.domain.announcements import ForecastOver, UpgradeAhead
from app.domain.periods import billing_date, billing_instant
from app.domain.pricing import allowance_seconds
from app.repositories import unit_of_work
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.reader import load_within
from app.services.notifications.announce import Announcement, announce
from app.services.plans.plan_advice import plan_advice_dates, project_month, upgrades_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from app.domain.announcements import Facts
    from app.domain.projection import Projection
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.views.plan_advice import PlanAdviceFacts

LOOKS_AT = time(8)
"""From when on in the billing zone a day's projections are made: its months are closed, its people awake."""

CHUNK_SIZE = 50


async def forecast_alerts(services: Services, *, chunk_size: int = CHUNK_SIZE) -> int:
    """Project every account that was not looked at today, and return how many those were; again does nothing."""
    looked = 0
    while True:
        now = services.clock.now()
        today = billing_date(now)
        if now < billing_instant(today, LOOKS_AT):
            return looked
        due = await unit_of_work.read(services.database, partial(_unforecast, today=today, limit=chunk_size))
        if not due:
            return looked
        for account_id, external_id in due:
            await unit_of_work.write(
                services.database,
                partial(_look, ids=services.ids, account_id=account_id, external_id=external_id, now=now),
            )
        looked += len(due)


async def _unforecast(uow: UnitOfWork, today: date, limit: int) -> list[tuple[str, str]]:
    return await uow.alerts.unforecast(today, limit)


async def _look(uow: UnitOfWork, ids: Ids, account_id: str, external_id: str, now: datetime) -> None:
    await uow.accounts.get_by_external_id(external_id, lock=True)
    await uow.alerts.mark_forecast(account_id, billing_date(now))
    advice = await load_within(uow.session, PLAN_ADVICE.request(account=external_id, **plan_advice_dates(now)))
    if advice is None or advice.snapshot.opened_plan is None:
        return
    month_on = advice.snapshot.period.starts_on
    past = await uow.alerts.crossings(account_id, month_on)
    announcements, crossings = [], []
    for kind, level, facts in _ahead(advice):
        arming_no = next_arming(kind, level, past)
        if arming_no is None:
            continue
        used_seconds = advice.snapshot.usage.live_seconds
        crossings.append((account_id, month_on, Crossing(kind, level, arming_no), used_seconds))
        subject = f"{account_id}:{month_on:%Y-%m}:{level}:{arming_no}"
        announcements.append(Announcement(kind, account_id, subject, facts))
    await uow.alerts.add_crossings(crossings, at=now)
    await announce(uow, ids=ids, now=now, announcements=announcements)


def _ahead(advice: PlanAdviceFacts) -> Iterator[tuple[AlertKind, int, Facts]]:
    """Yield what the month is heading for: the kind, the level that it is told once for, and the facts."""
    projection = project_month(advice)
    if not projection.is_made:
        return
    over = _over_allowance(advice, projection)
    if over is not None:
        yield AlertKind.FORECAST_OVER_ALLOWANCE, FULL_PERCENT, over
    for upgrade in upgrades_ahead(advice)[:1]:  # those behind it are told once it has come
        facts = UpgradeAhead(
            projection.period.starts_on,
            upgrade.plan.name,
            upgrade.target.name,
            upgrade.on,
            upgrade.amount_due_cents,
            upgrade.saving_cents,
            upgrade.is_permanent,
        )
        yield AlertKind.UPGRADE_SCHEDULED, upgrade.target.included_minutes, facts


def _over_allowance(advice: PlanAdviceFacts, projection: Projection) -> ForecastOver | None:
    """Return the forecast of a month that will pass its allowance and has not yet; a plan without one has none."""
    snapshot = advice.snapshot
    plan = snapshot.plan.month_plan
    allowance = allowance_seconds(plan, projection.period, snapshot.paid_starts_on)
    if not allowance or projection.used.live_seconds > allowance:
        return None
    over_on = next((day.on for day in projection.days if day.usage.live_seconds > allowance), None)
    if over_on is None:
        return None
    return ForecastOver(
        projection.period.starts_on,
        plan.name,
        projection.used.live_seconds,
        projection.usage.live_seconds,
        allowance,
        over_on,
        plan.overage_rate,
    )
