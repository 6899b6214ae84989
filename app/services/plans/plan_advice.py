"""Advice about plans: the projected month, the plan to take, the upgrade ahead, and months that might be (rule 40)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.domain.periods import Period, billing_date
from app.domain.projection import MONTHS_BEFORE, project, project_facts
from app.domain.recommendation import MOST_MONTHS, AdviceMonth, advise
from app.domain.upgrade_forecast import forecast_upgrades
from app.domain.what_if import items_of, what_if
from app.services.plans.next_invoice import next_invoice
from app.views.next_invoice import NextInvoiceBasis

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date, datetime

    from app.domain.projection import Projection
    from app.domain.recommendation import PlanAdvice
    from app.domain.upgrade_forecast import UpgradeForecast
    from app.domain.usage import UsageTotals
    from app.domain.what_if import WhatIf
    from app.views.next_invoice import NextInvoice, NextInvoiceFacts
    from app.views.plan_advice import PlanAdviceFacts


def plan_advice_dates(now: datetime, months: int = MOST_MONTHS) -> dict[str, Any]:
    """Return the dates that the page of advice takes, for up to `months` months before the current one."""
    today = billing_date(now)
    month = Period.containing(today)
    return {
        "today": today,
        "month": month.starts_on,
        "months_since": month.shifted(-months).starts_on,
        "days_since": month.shifted(-MONTHS_BEFORE).starts_on,
    }


def project_month(facts: PlanAdviceFacts) -> Projection:
    """Return the current month at its end, at the pace of its days and of those of the three months before it."""
    snapshot = facts.snapshot
    return project(period=snapshot.period, today=snapshot.today, known_from=_known_from(facts), days=facts.days)


def plan_advice(facts: PlanAdviceFacts) -> PlanAdvice:
    """Return the bills of the account's months on each plan, and the plan to change to, if any (rule 40).

    The months are the full ones that were opened and, where it can be projected, the current one. The plan to beat is
    the one that the next month will have as things stand.
    """
    snapshot = facts.snapshot
    return advise(
        months=list(_advice_months(facts)),
        plan=snapshot.plan.next_plan,
        today=snapshot.today,
        paid_starts_on=snapshot.paid_starts_on,
        catalogue=snapshot.catalogue,
    )


def upgrades_ahead(facts: PlanAdviceFacts) -> tuple[UpgradeForecast, ...]:
    """Return the automatic upgrades that the current month is heading for, in order (rule 21)."""
    snapshot = facts.snapshot
    return forecast_upgrades(
        snapshot=snapshot.plan,
        projection=project_month(facts),
        upgrades_so_far=snapshot.upgrade_count,
        catalogue=snapshot.catalogue,
    )


def projected_next_invoice(*, facts: NextInvoiceFacts, advice: PlanAdviceFacts, now: datetime) -> NextInvoice:
    """Return the next invoice as it will be if the month goes on at its pace, upgrades ahead included (rules 20, 40).

    Before the current month's own invoice is issued, that one is next, and nothing on it is projected.
    """
    upgrades = upgrades_ahead(advice)
    month_plan = upgrades[-1].target if upgrades else None
    next_plan = next((upgrade.target for upgrade in reversed(upgrades) if upgrade.is_permanent), None)
    if next_plan is not None:
        next_plan = advice.snapshot.catalogue.moved(next_plan, facts.billing.period.starts_on)
    billing = project_facts(
        facts.billing,
        project_month(advice),
        month_plan=month_plan,
        next_plan=next_plan,
        credit_used_cents=sum(upgrade.draft.credit_applied_cents for upgrade in upgrades),
    )
    return next_invoice(facts=replace(facts, billing=billing), now=now, basis=NextInvoiceBasis.PROJECTED)


def what_if_month(
    facts: PlanAdviceFacts,
    *,
    usage: UsageTotals,
    add_on_codes: Iterable[str] | None = None,
    additional_lines: int | None = None,
) -> WhatIf:
    """Return the bill of a full month on each plan on sale and on the account's own, with tax and without credit.

    The month is the next one, at the prices that accounts have moved to by then. `add_on_codes` are the add-ons in it
    and `additional_lines` counts its lines; what is None stays as it stands. An add-on that the account has keeps its
    price.
    :raises AddOnNotAvailable: when an add-on is asked for that is not on sale.
    :raises LinesOutOfRange: when the number of lines is none that an account has.
    """
    snapshot = facts.snapshot
    month = snapshot.period.shifted(1)
    items = items_of(
        month,
        subscriptions=snapshot.subscriptions,
        versions=snapshot.add_on_versions,
        today=snapshot.today,
        add_on_codes=add_on_codes,
        additional_lines=additional_lines,
    )
    catalogue = snapshot.catalogue
    return what_if(
        period=month,
        usage=usage,
        items=items,
        plan=catalogue.moved(snapshot.plan.next_plan, month.starts_on),
        versions=[catalogue.moved(version, month.starts_on) for version in catalogue.sold_on(snapshot.today)],
        taxes=snapshot.taxes,
    )


def _known_from(facts: PlanAdviceFacts) -> date:
    """Return the first day whose calls are there: of the first opened month, but not before the paid start."""
    snapshot = facts.snapshot
    return max(snapshot.paid_starts_on, min(facts.months, default=snapshot.period.starts_on))


def _advice_months(facts: PlanAdviceFacts) -> Iterator[AdviceMonth]:
    snapshot = facts.snapshot
    for month, usage in facts.months.items():
        if month >= snapshot.paid_starts_on:
            yield AdviceMonth(Period.containing(month), usage, stored_costs=facts.stored_costs.get(month, {}))
    projection = project_month(facts)
    if projection.is_made and snapshot.period.starts_on >= snapshot.paid_starts_on:
        yield AdviceMonth(snapshot.period, projection.usage, is_projected=True)
