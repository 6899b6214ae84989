"""What an admin is told about, and what their account is heading for this month (rules 37, 38)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.alerts import CATALOGUE, AlertDefinition, AlertKind, UsageThreshold, usage_thresholds
from app.domain.events.messages import AlertsSwitched
from app.repositories import unit_of_work
from app.services.plans.plan_advice import project_month

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from app.domain.projection import Projection
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.views.alerts import ToldLimit
    from app.views.plan_advice import PlanAdviceFacts


USER = "user:"


class AlertAlwaysOn(ValueError):
    """The alert protects the account and cannot be switched off."""

    def __init__(self, kind: AlertKind) -> None:
        super().__init__(f"“{CATALOGUE[kind].title}” goes to every administrator and cannot be switched off.")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Subscription:
    """One kind, and whether the admin is told about it."""

    definition: AlertDefinition
    is_on: bool


@dataclass(frozen=True, slots=True)
class LimitAhead:
    """A limit of the current month: since when it was told, or on which day it is expected to be passed, if any."""

    threshold: UsageThreshold
    sent_at: datetime | None
    expected_on: date | None


@dataclass(frozen=True, slots=True)
class AlertForecast:
    """The limits of the current month with what is used of it, and the projection that they rest on."""

    projection: Projection
    used_seconds: int
    limits: tuple[LimitAhead, ...]


def subscriptions(chosen: Mapping[AlertKind, bool]) -> list[Subscription]:
    """Return every kind with the admin's choice; what was never chosen is on, as is what cannot be switched off."""
    return [
        Subscription(definition, chosen.get(kind, True) or not definition.is_switchable)
        for kind, definition in CATALOGUE.items()
    ]


async def switch_alerts(services: Services, caller: Caller, *, changes: Mapping[AlertKind, bool]) -> None:
    """Switch alerts of the admin who acts (`user:` and the id) on or off; all of the changes, or none.

    What changes nothing leaves no trace.
    :raises AlertAlwaysOn: when one of them cannot be switched off.
    """
    for kind, is_on in changes.items():
        if not (is_on or CATALOGUE[kind].is_switchable):
            raise AlertAlwaysOn(kind)

    async def work(uow: UnitOfWork) -> None:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        user_id = caller.actor.removeprefix(USER)
        chosen = await uow.alerts.subscriptions(owner.id, user_id)
        changed = {kind: is_on for kind, is_on in changes.items() if chosen.get(kind, True) is not is_on}
        if not changed:
            return
        for kind, is_on in changed.items():
            await uow.alerts.switch(owner.id, user_id, kind, is_on=is_on)
        await uow.events.record(
            AlertsSwitched(on=_titles(changed, is_on=True), off=_titles(changed, is_on=False)),
            ids=services.ids,
            actor=caller.actor,
            at=services.clock.now(),
            account_id=owner.id,
            subject_id=user_id,
            request_id=caller.request_id,
        )

    await unit_of_work.write(services.database, work)


def alert_forecast(advice: PlanAdviceFacts, told: list[ToldLimit]) -> AlertForecast | None:
    """Return what the current month is heading for; None before its cycle invoice is issued."""
    snapshot = advice.snapshot
    if snapshot.opened_plan is None:
        return None
    limits = usage_thresholds(
        plan=snapshot.opened_plan,
        period=snapshot.period,
        paid_starts_on=snapshot.paid_starts_on,
        catalogue=snapshot.catalogue,
    )
    projection = project_month(advice)
    since = {(one.kind, one.level): one.crossed_at for one in told if not one.is_rearmed}
    ahead = tuple(_ahead(limit, since, snapshot.usage.live_seconds, projection) for limit in limits)
    return AlertForecast(projection, snapshot.usage.live_seconds, ahead)


def _titles(changes: Mapping[AlertKind, bool], *, is_on: bool) -> tuple[str, ...]:
    return tuple(CATALOGUE[kind].title for kind, switched_on in changes.items() if switched_on is is_on)


def _ahead(
    limit: UsageThreshold, since: Mapping[tuple[AlertKind, int], datetime], used_seconds: int, projection: Projection
) -> LimitAhead:
    sent_at = since.get((limit.kind, limit.level))
    if sent_at is not None or used_seconds >= limit.from_seconds:
        return LimitAhead(limit, sent_at, None)
    reached = (day.on for day in projection.days if day.usage.live_seconds >= limit.from_seconds)
    return LimitAhead(limit, None, next(reached, None))
