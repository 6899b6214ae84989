"""The cycle run: every due account gets the invoice that opens its next month, one month after the other (rule 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.periods import day_before
from app.domain.policies import policies_on
from app.domain.upgrades import find_upgrade
from app.repositories import unit_of_work
from app.repositories.cycles import OpenedMonth
from app.services.cycle.simulate_months import closed_month_simulations
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoices
from app.services.plans.upgrade_plans import upgrade_month

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from app.domain.invoices import BillingFacts
    from app.domain.plans import Catalogue
    from app.ports import Ids
    from app.repositories.cycles import DueAccount
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

CHUNK_SIZE = 100
"""How many accounts one transaction closes; where all are upgraded, nobody else can write to SQLite for two seconds."""


async def close_periods(
    services: Services, *, chunk_size: int = CHUNK_SIZE, on_progress: Callable[[int], None] | None = None
) -> int:
    """Issue every cycle invoice that is due now and return how many; running it again issues nothing (rule 12).

    An account that missed months gets them in order. `on_progress` is told the size of each finished chunk.
    """
    issued = 0
    while True:
        now = services.clock.now()
        count = await unit_of_work.write(
            services.database,
            lambda uow: _close_chunk(uow, now, services.ids, chunk_size),  # noqa: B023
        )
        if count == 0:
            return issued
        issued += count
        if on_progress is not None:
            on_progress(count)


async def _close_chunk(uow: UnitOfWork, now: datetime, ids: Ids, chunk_size: int) -> int:
    """Claim due accounts, upgrade the months that end where it is due, and close them, in one transaction."""
    due = await uow.cycles.claim_due(now, chunk_size)
    if not due:
        return 0
    catalogue = await uow.plans.catalogue()
    facts = await _load_facts(uow, due)
    if await _upgrade_ending_months(uow, due, facts, catalogue, ids, now):
        # Never a second claim: by now it may find accounts that nobody evaluated for an upgrade.
        due = await uow.cycles.reload([account.account_id for account in due])
        facts = await _load_facts(uow, due)
    orders = [_order(account, facts[account.account_id]) for account in due]
    await issue_invoices(uow, ids, orders, now)
    await uow.cycles.open_months((_opened(account, facts[account.account_id]) for account in due), opened_at=now)
    await uow.simulations.add_many(closed_month_simulations(facts, catalogue))
    return len(due)


async def _load_facts(uow: UnitOfWork, due: Sequence[DueAccount]) -> dict[str, BillingFacts]:
    return await uow.cycles.facts([account.account_id for account in due])


async def _upgrade_ending_months(
    uow: UnitOfWork,
    due: Sequence[DueAccount],
    facts: dict[str, BillingFacts],
    catalogue: Catalogue,
    ids: Ids,
    now: datetime,
) -> bool:
    """Upgrade the months that are about to close where their usage calls for it (rules 19, 20); tell if any was."""
    outgrown = [account for account in due if _ends_outgrown(account, facts[account.account_id], catalogue)]
    for account in outgrown:
        last_day = day_before(facts[account.account_id].period.starts_on)
        await upgrade_month(uow, ids=ids, account=account.external_id, last_day=last_day, now=now)
    return bool(outgrown)


def _ends_outgrown(account: DueAccount, facts: BillingFacts, catalogue: Catalogue) -> bool:
    ending = facts.ending
    if ending is None:
        return False
    upgrade = find_upgrade(
        plan=ending.plan,
        usage=ending.usage,
        period=ending.period,
        paid_starts_on=account.paid_starts_on,
        upgrades_so_far=account.upgrade_count,
        catalogue=catalogue,
    )
    return upgrade is not None


def _order(account: DueAccount, facts: BillingFacts) -> InvoiceOrder:
    return InvoiceOrder(account, facts, facts.plan.id, "system")


def _opened(account: DueAccount, facts: BillingFacts) -> OpenedMonth:
    following = facts.period.shifted(1)
    return OpenedMonth(
        account_id=account.account_id,
        period_on=facts.period.starts_on,
        plan_version_id=facts.plan.id,
        next_cycle_on=following.starts_on,
        next_close_at=cycle_runs_at(following.starts_on, account.paid_starts_on, policies_on(following.starts_on)),
    )
