"""A change that a customer has confirmed takes effect: at once, when it is paid, or from the next month on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.add_ons import AddOnSubscription
from app.domain.announcements import PlanChange
from app.domain.checkouts import PlanChangeDetails
from app.domain.events.plans import AddOnActivated, PlanChanged, PlanChangeScheduled
from app.domain.plan_changes import When
from app.services.invoices.tell import add_on_bought, plan_moved
from app.services.notifications.announce import actor_name, announce
from app.services.notifications.evaluate_thresholds import rearm_alerts

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.checkouts import AddOnDetails, CheckoutDetails
    from app.domain.events.event import Event
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ConfirmedChange:
    """A change that a customer has confirmed: of which account, its invoice if any, and by whom it is made."""

    account_id: str
    details: CheckoutDetails
    invoice_id: str | None
    actor: str
    request_id: str | None


async def apply_change(uow: UnitOfWork, ids: Ids, change: ConfirmedChange, now: datetime) -> None:
    """Let the change take effect and tell of it; the caller is the account's only writer."""
    details = change.details
    if not isinstance(details, PlanChangeDetails):
        await _subscribe(uow, ids, change, details, now)
    elif details.when is When.NOW:
        await _change_plan(uow, ids, change, details, now)
    else:
        await _schedule_plan(uow, ids, change, details, now)


async def _change_plan(
    uow: UnitOfWork, ids: Ids, change: ConfirmedChange, details: PlanChangeDetails, now: datetime
) -> None:
    """Put the account, and its open month, on the plan; the change counts for that whole month."""
    account_id, month = change.account_id, details.month
    if month is not None:
        await uow.cycles.set_plan(account_id, month, details.plan)
        await rearm_alerts(uow, account_id=account_id, month=month, plan_version_id=details.plan, now=now)
    await uow.account_plans.choose(account_id, details.plan)
    event_id = await _record(uow, ids, _moved(PlanChanged, change, details), change, change.invoice_id, now)
    told = await plan_moved(uow, account_id, details, PlanChange.CHANGED, event_id, change.actor)
    await announce(uow, ids=ids, now=now, announcements=[told])


async def _schedule_plan(
    uow: UnitOfWork, ids: Ids, change: ConfirmedChange, details: PlanChangeDetails, now: datetime
) -> None:
    """Arrange the plan for the next month; going back to the chosen plan takes an arranged change back."""
    account = await uow.accounts.get(change.account_id)
    pending = None if details.plan == account.plan_version_id else details.plan
    await uow.account_plans.schedule(account.id, pending)
    event_id = await _record(uow, ids, _moved(PlanChangeScheduled, change, details), change, change.invoice_id, now)
    told = await plan_moved(uow, account.id, details, PlanChange.SCHEDULED, event_id, change.actor)
    await announce(uow, ids=ids, now=now, announcements=[told])


async def _subscribe(uow: UnitOfWork, ids: Ids, change: ConfirmedChange, details: AddOnDetails, now: datetime) -> None:
    """Subscribe the account to the add-on from the day that its invoice charges for."""
    account_id, actor = change.account_id, change.actor
    version = await uow.add_ons.get_version(details.version)
    subscription = AddOnSubscription(details.subscription, version, details.starts_on)
    await uow.add_ons.subscribe(subscription, account_id, accepted_by=actor, accepted_at=details.accepted_at)
    event = AddOnActivated(
        add_on=version.code, version=version.id, terms=version.terms_version, invoice=change.invoice_id
    )
    event_id = await _record(uow, ids, event, change, subscription.id, now)
    by = await actor_name(uow, actor)
    told = add_on_bought(account_id, version, subscription.starts_on, details.amount_due_cents, event_id, by)
    await announce(uow, ids=ids, now=now, announcements=[told])


def _moved(
    kind: type[PlanChanged | PlanChangeScheduled], change: ConfirmedChange, details: PlanChangeDetails
) -> PlanChanged | PlanChangeScheduled:
    return kind(
        plan=details.plan,
        when=details.when,
        effective_on=details.effective_on,
        from_=details.previous_plan,
        invoice=change.invoice_id,
    )


async def _record(
    uow: UnitOfWork, ids: Ids, event: Event, change: ConfirmedChange, subject_id: str | None, now: datetime
) -> str:
    return await uow.events.record(
        event,
        ids=ids,
        actor=change.actor,
        at=now,
        account_id=change.account_id,
        subject_id=subject_id,
        request_id=change.request_id,
    )
