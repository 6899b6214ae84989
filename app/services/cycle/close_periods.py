"""The cycle run: every due account gets the invoice that opens its next month, one month after the other (rule 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.collection import opened_collection
from app.domain.events.invoices import InvoiceIssued
from app.domain.invoice_drafts import Issue
from app.domain.invoices import ENGINE_VERSION, compute_invoice, facts_hash
from app.domain.ledger import issue_postings
from app.domain.periods import billing_date, day_before
from app.domain.policies import COLLECTION_POLICIES, policies_on
from app.domain.upgrades import find_upgrade
from app.repositories import unit_of_work
from app.repositories.cycles import OpenedMonth
from app.repositories.events import Entry
from app.repositories.ledger import PostedPosting
from app.services.cycle.simulate_months import closed_month_simulations
from app.services.invoices.issue_invoice import settle_credit_of
from app.services.invoices.tell import invoice_ready
from app.services.notifications.announce import announce
from app.services.plans.upgrade_plans import upgrade_month

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from app.domain.collection import Collection
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
        due = await uow.cycles.reload([account.id for account in due])
        facts = await _load_facts(uow, due)
    issues = await _issue_invoices(uow, due, facts, ids, now)
    await uow.simulations.add_many(closed_month_simulations(facts, catalogue))
    await uow.events.add_many(_issued_event(issue, ids.new("evt"), now) for issue in issues)
    await announce(uow, ids=ids, now=now, announcements=[invoice_ready(issue, now) for issue in issues])
    return len(due)


async def _load_facts(uow: UnitOfWork, due: Sequence[DueAccount]) -> dict[str, BillingFacts]:
    return await uow.cycles.facts([account.id for account in due])


async def _upgrade_ending_months(
    uow: UnitOfWork,
    due: Sequence[DueAccount],
    facts: dict[str, BillingFacts],
    catalogue: Catalogue,
    ids: Ids,
    now: datetime,
) -> bool:
    """Upgrade the months that are about to close where their usage calls for it (rules 19, 20); tell if any was."""
    outgrown = [account for account in due if _ends_outgrown(account, facts[account.id], catalogue)]
    for account in outgrown:
        last_day = day_before(facts[account.id].period.starts_on)
        await upgrade_month(uow, ids=ids, account=account.external_id, last_day=last_day, now=now)
    return bool(outgrown)


async def _issue_invoices(
    uow: UnitOfWork, due: Sequence[DueAccount], facts: dict[str, BillingFacts], ids: Ids, now: datetime
) -> list[Issue]:
    """Issue and post the cycle invoice of each account, open its month, and begin to collect what is due."""
    first_number = await uow.invoice_numbers.take(len(due))
    issues = [
        _issue(account, facts[account.id], ids.new("inv"), number)
        for number, account in enumerate(due, start=first_number)
    ]
    await uow.invoices.issue_many(issues, engine_version=ENGINE_VERSION, issued_at=now, due_on=billing_date(now))
    last_postings = await _post(uow, due, issues, facts, now)
    await uow.charges.mark_invoiced(
        (charge.id, issue.id) for issue in issues for charge in facts[issue.account_id].charges
    )
    await uow.cycles.open_months(
        (_opened(account, facts[account.id], last_postings[account.id]) for account in due), opened_at=now
    )
    await uow.collections.open_many(_collections(due, issues, now))
    for issue in issues:
        await settle_credit_of(uow, ids, issue, facts[issue.account_id].credit_available_cents, now)
    return issues


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


def _issue(account: DueAccount, facts: BillingFacts, invoice_id: str, number: int) -> Issue:
    return Issue(
        id=invoice_id,
        account_id=account.id,
        account_name=account.name,
        number=number,
        draft=compute_invoice(facts),
        plan_version_id=facts.plan.id,
        policies_version=facts.policies.version,
        usage_watermark=account.usage_seq,
        ledger_watermark=account.ledger_seq,
        facts_hash=facts_hash(facts),
    )


async def _post(
    uow: UnitOfWork,
    due: Sequence[DueAccount],
    issues: Sequence[Issue],
    facts: dict[str, BillingFacts],
    now: datetime,
) -> dict[str, int]:
    """Write the postings of the invoices and return the number of each account's last."""
    with_credit = [account.id for account in due if facts[account.id].credit_available_cents]
    grants = await uow.ledger.credit_grants(with_credit) if with_credit else {}
    posted: list[PostedPosting] = []
    last: dict[str, int] = {}
    for account, issue in zip(due, issues, strict=True):
        seq = account.ledger_seq
        for posting in issue_postings(issue.draft, issue.id, grants.get(account.id, ())):
            seq += 1
            posted.append(PostedPosting(account.id, seq, posting))
        last[account.id] = seq
    await uow.ledger.add_many(posted, posted_at=now)
    return last


def _collections(due: Sequence[DueAccount], issues: Sequence[Issue], now: datetime) -> Iterator[Collection]:
    """Yield the collecting of every invoice with something to pay."""
    for account, issue in zip(due, issues, strict=True):
        if issue.draft.amount_due_cents:
            yield opened_collection(
                invoice_id=issue.id,
                account_id=account.id,
                due_on=billing_date(now),
                issued_at=now,
                paid_starts_on=account.paid_starts_on,
                policies=COLLECTION_POLICIES,
            )


def _opened(account: DueAccount, facts: BillingFacts, last_posting: int) -> OpenedMonth:
    following = facts.period.shifted(1)
    return OpenedMonth(
        account_id=account.id,
        period_on=facts.period.starts_on,
        plan_version_id=facts.plan.id,
        next_cycle_on=following.starts_on,
        next_close_at=cycle_runs_at(following.starts_on, account.paid_starts_on, policies_on(following.starts_on)),
        ledger_seq=last_posting,
    )


def _issued_event(issue: Issue, event_id: str, now: datetime) -> Entry[InvoiceIssued]:
    draft = issue.draft
    return Entry(
        InvoiceIssued(number=issue.number, month=draft.period.month, amount_due_cents=draft.amount_due_cents),
        id=event_id,
        actor="system",
        occurred_at=now,
        account_id=issue.account_id,
        subject_id=issue.id,
    )
