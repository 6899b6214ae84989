"""The Change button of a plan: a preview with its quote, and the change that confirms it (rules 13-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.announcements import PlanChange
from app.domain.invoices import InvoiceKind
from app.domain.periods import Period, billing_date
from app.domain.plan_changes import PlanChangeOffer, When, offer_plan_change, plan_change_facts
from app.domain.plans import PlanNotAvailable, PlanVersion
from app.repositories import unit_of_work
from app.repositories.events import Event
from app.repositories.pages.standing import STANDING
from app.repositories.reader import load_within
from app.services.announce import actor_name, announce
from app.services.issue_invoice import issue_invoice
from app.services.judge_alerts import rearm_alerts
from app.services.once import once
from app.services.quotes import Quote, QuoteTerms, use_quote
from app.services.tell import plan_kept, plan_moved

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from app.ports import Clock, Ids
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.quotes import QuoteDesk
    from app.views.standing import AccountStanding

ACTION = "change_plan"


class AccountSuspended(ValueError):
    """A suspended or closed account changes nothing but its payments."""

    def __init__(self, status: AccountStatus) -> None:
        super().__init__(f"The account is {status.lower()}: pay the open balance first, then try again.")
        self.status = status


class NoScheduledChange(LookupError):
    """No change of plan is arranged for the next month."""

    def __init__(self) -> None:
        super().__init__("No such change of plan is scheduled.")


class QuoteStale(ValueError):
    """What the quote covers has moved, or its time is over; `fresh` is the quote as things stand."""

    def __init__(self, fresh: PlanChangeQuote) -> None:
        super().__init__("Something has changed since this quote was made. Look at the new one, and confirm it.")
        self.fresh = fresh


@dataclass(frozen=True, slots=True)
class PlanChangeQuote:
    """A quote with what it stands for."""

    quote: Quote
    offer: PlanChangeOffer


@dataclass(frozen=True, slots=True)
class PlanChanged:
    """What confirming did. `invoice_id` is None where nothing was invoiced now."""

    plan_version_id: str
    when: When
    effective_on: str
    invoice_id: str | None

    @property
    def is_scheduled(self) -> bool:
        """Tell whether the change waits for the next month."""
        return self.when is When.NEXT_CYCLE


def preview_plan_change(
    standing: AccountStanding, plan_version_id: str, when: When, desk: QuoteDesk
) -> PlanChangeQuote:
    """Return the quote for a change to a plan on sale, by its version.

    :raises PlanNotAvailable: when no such version is on sale today.
    :raises AlreadyOnPlan: when the change would change nothing.
    :raises DowngradeNotCostEffective: when this month's usage forbids it at once (rule 15).
    :raises AccountSuspended: when the account may not change its plan.
    """
    if standing.status is not AccountStatus.ACTIVE:
        raise AccountSuspended(standing.status)
    target = _on_sale(standing, plan_version_id)
    offer = offer_plan_change(standing.plan, target, when, standing.catalogue)
    terms = QuoteTerms(standing.account_id, ACTION, target.id, when, offer.content_hash)
    return PlanChangeQuote(desk.issue(terms), offer)


async def change_plan(
    *,
    database: Database,
    clock: Clock,
    ids: Ids,
    desk: QuoteDesk,
    account: str,
    actor: str,
    quote_token: str,
    idempotency_key: str,
    request_id: str | None = None,
) -> PlanChanged:
    """Confirm a quote: change the plan at once with its invoice, or arrange the change for the next month.

    Everything the quote covers is computed again inside the transaction; whatever is refused changes nothing.
    :raises InvalidQuote: when the quote is not one of this account's.
    :raises QuoteStale: when what it covers has moved, it has expired or was used.
    :raises IdempotencyConflict: when the key came with another quote before.
    """

    async def work(uow: UnitOfWork) -> PlanChanged:
        owner = await uow.accounts.get_by_external_id(account, lock=True)
        quote = desk.read(quote_token, owner.id, ACTION)
        now = clock.now()

        async def confirm() -> dict[str, Any]:
            standing = await load_standing(uow, account, now)
            offer = await _confirmed(uow, standing, quote, desk, now)
            return await _apply(uow, ids, standing, offer, now, actor, request_id)

        result = await once(
            uow,
            account_id=owner.id,
            operation=ACTION,
            key=idempotency_key,
            request={"quote": quote.id},
            now=now,
            work=confirm,
        )
        return PlanChanged(result["plan"], When(result["when"]), result["effective_on"], result["invoice"])

    return await unit_of_work.write(database, work)


async def cancel_scheduled_plan_change(
    *,
    database: Database,
    clock: Clock,
    ids: Ids,
    account: str,
    actor: str,
    plan_version_id: str,
    request_id: str | None = None,
) -> PlanVersion:
    """Take back the change to a plan arranged for the next month, and return the plan that the account keeps.

    No money moves.
    :raises NoScheduledChange: when no change to that plan is arranged.
    """

    async def work(uow: UnitOfWork) -> PlanVersion:
        await uow.accounts.get_by_external_id(account, lock=True)
        now = clock.now()
        standing = await load_standing(uow, account, now)
        if standing.pending_plan is None or standing.pending_plan.id != plan_version_id:
            raise NoScheduledChange
        await uow.accounts.set_pending_plan(standing.account_id, None)
        data = {"from": standing.pending_plan.id, "to": standing.chosen_plan.id}
        event = Event(ids.new("evt"), standing.account_id, "plan.change_cancelled", actor, now, None, data, request_id)
        await uow.events.add_many([event])
        by, on = await actor_name(uow, actor), standing.next_cycle_on
        told = plan_kept(standing.account_id, standing.pending_plan, standing.chosen_plan, on, event.id, by)
        await announce(uow, ids=ids, now=now, announcements=[told])
        return standing.chosen_plan

    return await unit_of_work.write(database, work)


async def load_standing(uow: UnitOfWork, account: str, now: datetime) -> AccountStanding:
    """Return where the account stands, read inside the transaction; the caller has made sure that it exists."""
    standing = await load_within(uow.session, STANDING.request(account=account, **standing_dates(now)))
    if standing is None:
        raise LookupError(account)
    return standing


def standing_dates(now: datetime) -> dict[str, Any]:
    """Return the dates that the standing page takes."""
    today = billing_date(now)
    return {"today": today, "month": Period.containing(today).starts_on}


async def _confirmed(
    uow: UnitOfWork, standing: AccountStanding, quote: Quote, desk: QuoteDesk, now: datetime
) -> PlanChangeOffer:
    fresh = preview_plan_change(standing, quote.terms.subject, When(quote.terms.when), desk)
    if not await use_quote(uow, quote, fresh.quote.terms, now):
        raise QuoteStale(fresh)
    return fresh.offer


async def _apply(
    uow: UnitOfWork,
    ids: Ids,
    standing: AccountStanding,
    offer: PlanChangeOffer,
    now: datetime,
    actor: str,
    request_id: str | None,
) -> dict[str, Any]:
    target, invoice_id = offer.target, None
    if offer.when is When.NEXT_CYCLE:
        pending = None if target.id == standing.chosen_plan.id else target.id
        await uow.accounts.set_pending_plan(standing.account_id, pending)
    else:
        if offer.draft is not None:
            facts = plan_change_facts(standing.plan, target, InvoiceKind.PLAN_CHANGE)
            issue = await issue_invoice(
                uow,
                ids=ids,
                standing=standing,
                facts=facts,
                plan_version_id=target.id,
                now=now,
                actor=actor,
                request_id=request_id,
            )
            invoice_id = issue.id
        if standing.opened_plan is not None:
            await uow.cycles.set_plan(standing.account_id, standing.period.starts_on, target.id)
            await rearm_alerts(uow, standing=standing, plan=target, now=now)
        await uow.accounts.choose_plan(standing.account_id, target.id)
    result = {
        "plan": target.id,
        "when": offer.when,
        "effective_on": offer.effective_on.isoformat(),
        "invoice": invoice_id,
    }
    is_scheduled = offer.when is When.NEXT_CYCLE
    kind = "plan.change_scheduled" if is_scheduled else "plan.changed"
    data = result | {"from": standing.plan.next_plan.id}
    event = Event(ids.new("evt"), standing.account_id, kind, actor, now, invoice_id, data, request_id)
    await uow.events.add_many([event])
    change = PlanChange.SCHEDULED if is_scheduled else PlanChange.CHANGED
    told = plan_moved(standing, offer, change, event.id, await actor_name(uow, actor))
    await announce(uow, ids=ids, now=now, announcements=[told])
    return result


def _on_sale(standing: AccountStanding, plan_version_id: str) -> PlanVersion:
    own = (standing.chosen_plan, standing.plan.month_plan)
    for version in (*standing.catalogue.sold_on(standing.today), *own):
        if version.id == plan_version_id:
            return version
    sold = (version.code for version in standing.catalogue.sold_on(standing.today))
    raise PlanNotAvailable(plan_version_id, standing.today, sold)
