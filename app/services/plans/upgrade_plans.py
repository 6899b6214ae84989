"""Automatic upgrades: a month whose usage has outgrown its plan moves up, invoiced at once (rules 19-21)."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from app.domain.events.plans import PlanUpgraded
from app.domain.invoice_drafts import InvoiceKind
from app.domain.periods import Period, billing_date, day_before
from app.domain.plan_changes import plan_change_facts
from app.domain.upgrades import Upgrade, find_upgrade
from app.repositories import unit_of_work
from app.repositories.pages.account_snapshot import ACCOUNT_SNAPSHOT
from app.repositories.reader import load_within
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoice
from app.services.invoices.tell import upgrade_done
from app.services.notifications.announce import announce
from app.services.notifications.evaluate_thresholds import rearm_alerts

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.plans import Catalogue
    from app.ports import Ids
    from app.repositories.cycles import UncheckedAccount
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.views.account_snapshot import AccountSnapshot

CHUNK_SIZE = 500


async def upgrade_plans(services: Services, *, chunk_size: int = CHUNK_SIZE) -> int:
    """Look at every account with usage since the last look, upgrade those whose month calls for it, return how many.

    Running it again upgrades nothing: a month stands on the plan that fits it until usage outgrows that one too.
    """
    upgraded, after = 0, ""
    while True:
        now = services.clock.now()
        last, outgrown = await unit_of_work.write(services.database, partial(_look, after=after, limit=chunk_size))
        if last is None:
            return upgraded
        for account in outgrown:
            upgraded += await unit_of_work.write(
                services.database,
                partial(_upgrade_now, ids=services.ids, account=account, now=now),
            )
        after = last


async def upgrade_month(
    uow: UnitOfWork, *, ids: Ids, account: str, last_day: date, now: datetime
) -> AccountSnapshot | None:
    """Upgrade the opened month that `last_day` is in, if its usage calls for it; return where the account stood then.

    The caller is the account's only writer; None when there was nothing to do.
    """
    month = Period.containing(last_day).starts_on
    snapshot = await load_within(uow.session, ACCOUNT_SNAPSHOT.request(account=account, today=last_day, month=month))
    upgrade = None if snapshot is None else find_month_upgrade(snapshot)
    if snapshot is None or upgrade is None:
        return None
    await _apply(uow, ids, snapshot, upgrade, now)
    return snapshot


def find_month_upgrade(snapshot: AccountSnapshot) -> Upgrade | None:
    """Return the upgrade that the snapshot's month calls for; none before its cycle invoice is issued."""
    if snapshot.opened_plan is None:
        return None
    return find_upgrade(
        plan=snapshot.opened_plan,
        usage=snapshot.usage,
        period=snapshot.period,
        paid_starts_on=snapshot.paid_starts_on,
        upgrades_so_far=snapshot.upgrade_count,
        catalogue=snapshot.catalogue,
    )


async def _look(uow: UnitOfWork, after: str, limit: int) -> tuple[str | None, list[str]]:
    """Return the id of the last account looked at, and the external ids of those to upgrade; the others are done."""
    catalogue = await uow.plans.catalogue()
    fitting, outgrown, last = [], [], None
    for account in await uow.cycles.unchecked(after, limit):
        last = account.id
        if _is_outgrown(account, catalogue):
            outgrown.append(account.external_id)
        else:
            fitting.append((account.id, account.usage_seq))
    await uow.cycles.mark_checked(fitting)
    return last, outgrown


def _is_outgrown(account: UncheckedAccount, catalogue: Catalogue) -> bool:
    if account.plan is None or account.period_on is None:
        return False
    upgrade = find_upgrade(
        plan=account.plan,
        usage=account.usage,
        period=Period.containing(account.period_on),
        paid_starts_on=account.paid_starts_on,
        upgrades_so_far=account.upgrade_count,
        catalogue=catalogue,
    )
    return upgrade is not None


async def _upgrade_now(uow: UnitOfWork, ids: Ids, account: str, now: datetime) -> int:
    owner = await uow.accounts.get_by_external_id(account, lock=True)
    if await uow.checkouts.find_waiting(owner.id) is not None:
        return 0  # looked at again when that is paid, or dropped
    last_day = min(billing_date(now), day_before(owner.next_cycle_on))
    snapshot = await upgrade_month(uow, ids=ids, account=account, last_day=last_day, now=now)
    return 0 if snapshot is None else 1


async def _apply(uow: UnitOfWork, ids: Ids, snapshot: AccountSnapshot, upgrade: Upgrade, now: datetime) -> None:
    target, account_id = upgrade.target, snapshot.account_id
    facts = plan_change_facts(snapshot.plan, target, InvoiceKind.PLAN_UPGRADE)
    issue = await issue_invoice(uow, ids, InvoiceOrder(snapshot, facts, target.id, "system"), now)
    await uow.cycles.set_plan(account_id, snapshot.period.starts_on, target.id)
    month = snapshot.period.starts_on
    await rearm_alerts(uow, account_id=account_id, month=month, plan_version_id=target.id, now=now)
    if upgrade.is_permanent:
        await uow.account_plans.keep_upgrade(account_id, target.id)
    else:
        await uow.account_plans.count_upgrade(account_id)
    await uow.cycles.mark_checked([(account_id, snapshot.usage_seq)])
    event = PlanUpgraded(
        from_=snapshot.plan.month_plan.id,
        to=target.id,
        month=snapshot.period.month,
        is_permanent=upgrade.is_permanent,
        saving_cents=upgrade.saving_cents,
        usage_seconds=snapshot.usage.live_seconds,
    )
    await uow.events.record(event, ids=ids, actor="system", at=now, account_id=account_id, subject_id=issue.id)
    await announce(uow, ids=ids, now=now, announcements=[upgrade_done(snapshot, upgrade, issue)])
