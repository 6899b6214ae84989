"""The plans beside each other: what each of them would cost for this month's usage to date (rules 7, 9, 10)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.periods import Period, billing_date
from app.domain.plan_changes import PlanChangeRefused, When, offer_plan_change
from app.domain.policies import policies_on
from app.domain.pricing import month_cost_cents, rate_usage
from app.services.common.account_snapshot import AccountSuspended
from app.services.usage.usage_months import NO_CALLS, show_plan
from app.views.plans import PlanChoice, PlanOffer

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from app.domain.plans import PlanVersion
    from app.views.account_snapshot import AccountSnapshot
    from app.views.usage import UsageFacts


def plan_offers(*, facts: UsageFacts, now: datetime) -> list[PlanOffer]:
    """Return the plans on sale today and the account's own where it is sold no more, smallest allowance first.

    Each is rated on its own allowance and prices. A month before the paid start costs nothing on any plan.
    """
    today = billing_date(now)
    return [_offer(facts, version, today) for version in _versions(facts, today)]


def plan_choices(offers: Iterable[PlanOffer], snapshot: AccountSnapshot, recommended: str | None) -> list[PlanChoice]:
    """Return the offers with whether each can be changed to at once; `recommended` is the id of the plan to take."""
    return [
        PlanChoice(offer, why_not_now(snapshot, offer.plan.version), offer.plan.version.id == recommended)
        for offer in offers
    ]


def why_not_now(snapshot: AccountSnapshot, version: PlanVersion) -> AccountSuspended | PlanChangeRefused | None:
    """Return what would refuse a change to the plan at once, or None when nothing would (rules 13, 15)."""
    if snapshot.status is not AccountStatus.ACTIVE:
        return AccountSuspended(snapshot.status)
    try:
        offer_plan_change(snapshot.plan, version, When.NOW, snapshot.catalogue)
    except PlanChangeRefused as refusal:
        return refusal
    return None


def _versions(facts: UsageFacts, today: date) -> list[PlanVersion]:
    own = (facts.plan_of(Period.containing(today)), facts.chosen_plan)
    known = {version.id: version for version in (*facts.catalogue.sold_on(today), *own)}
    return sorted(known.values(), key=lambda version: (version.included_minutes, version.base_cents, version.id))


def _offer(facts: UsageFacts, version: PlanVersion, today: date) -> PlanOffer:
    period = Period.containing(today)
    usage = facts.sums.get(period.starts_on, NO_CALLS).charged
    policies = policies_on(period.starts_on)
    return PlanOffer(
        plan=show_plan(version, facts.catalogue, today),
        is_current=version == facts.plan_of(period),
        month_cost_cents=month_cost_cents(usage, version, period, facts.paid_starts_on),
        usage_cost_cents=rate_usage(usage, version, period, facts.paid_starts_on, policies).total_cents,
    )
