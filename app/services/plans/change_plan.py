"""The Change button of a plan: a preview with its quote, and the change that confirms it (rules 13-18)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.checkouts import PlanChangeDetails
from app.domain.events.plans import PlanChangeCancelled
from app.domain.invoice_drafts import InvoiceKind
from app.domain.plan_changes import PlanChangeOffer, When, offer_plan_change, plan_change_facts
from app.domain.plans import PlanNotAvailable, PlanVersion
from app.repositories import unit_of_work
from app.services.common.account_snapshot import check_active, load_snapshot
from app.services.invoices.tell import plan_kept
from app.services.notifications.announce import actor_name, announce
from app.services.plans.confirm_quote import Confirmation, Confirmed, PlannedChange, confirm_quote
from app.services.plans.quotes import Quote, QuoteStale, QuoteTerms, use_quote

if TYPE_CHECKING:
    from datetime import datetime

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.services.payments.payment_runner import PaymentRunner
    from app.services.plans.quotes import QuoteSigner
    from app.views.account_snapshot import AccountSnapshot

ACTION = "change_plan"


class NoScheduledChange(LookupError):
    """No change of plan is arranged for the next month."""

    def __init__(self) -> None:
        super().__init__("No such change of plan is scheduled.")


@dataclass(frozen=True, slots=True)
class PlanChangeQuote:
    """A quote with what it stands for."""

    quote: Quote
    offer: PlanChangeOffer


def preview_plan_change(
    snapshot: AccountSnapshot, plan_version_id: str, when: When, signer: QuoteSigner
) -> PlanChangeQuote:
    """Return the quote for a change to a plan on sale, by its version.

    :raises PlanNotAvailable: when no such version is on sale today.
    :raises AlreadyOnPlan: when the change would change nothing.
    :raises DowngradeNotCostEffective: when this month's usage forbids it at once (rule 15).
    :raises AccountSuspended: when the account may not change its plan.
    """
    check_active(snapshot)
    target = _on_sale(snapshot, plan_version_id)
    offer = offer_plan_change(snapshot.plan, target, when, snapshot.catalogue)
    terms = QuoteTerms(snapshot.account_id, ACTION, target.id, when, offer.content_hash)
    return PlanChangeQuote(signer.issue(terms), offer)


async def change_plan(
    services: Services,
    caller: Caller,
    *,
    signer: QuoteSigner,
    payment_runner: PaymentRunner | None = None,
    quote_token: str,
    idempotency_key: str,
) -> Confirmed[PlanChangeDetails]:
    """Confirm a quote: change the plan with its invoice, once that is paid, or arrange the change for the next month.

    Everything the quote covers is computed again inside the transaction; whatever is refused changes nothing.
    :raises QuoteStale: when what it covers has moved, it has expired or was used.
    :raises InvalidQuote, ChangeInProgress, PaymentMethodRequired, PaymentDeclined, IdempotencyConflict: see
        `confirm_quote`.
    """
    by = Confirmation(
        services=services,
        caller=caller,
        signer=signer,
        payment_runner=payment_runner,
        action=ACTION,
        quote_token=quote_token,
        idempotency_key=idempotency_key,
        kind=PlanChangeDetails,
    )

    async def decide(
        uow: UnitOfWork, snapshot: AccountSnapshot, quote: Quote, now: datetime
    ) -> PlannedChange[PlanChangeDetails]:
        fresh = preview_plan_change(snapshot, quote.terms.subject, When(quote.terms.when), signer)
        if not await use_quote(uow, quote, fresh.quote.terms, now):
            raise QuoteStale(fresh)
        return _planned(snapshot, fresh.offer)

    return await confirm_quote(by, decide)


async def cancel_scheduled_plan_change(services: Services, caller: Caller, *, plan_version_id: str) -> PlanVersion:
    """Take back the change to a plan arranged for the next month, and return the plan that the account keeps.

    No money moves.
    :raises NoScheduledChange: when no change to that plan is arranged.
    """

    async def work(uow: UnitOfWork) -> PlanVersion:
        await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()
        snapshot = await load_snapshot(uow, caller.account, now)
        if snapshot.pending_plan is None or snapshot.pending_plan.id != plan_version_id:
            raise NoScheduledChange
        await uow.account_plans.schedule(snapshot.account_id, None)
        event_id = await uow.events.record(
            PlanChangeCancelled(from_=snapshot.pending_plan.id, to=snapshot.chosen_plan.id),
            ids=services.ids,
            actor=caller.actor,
            at=now,
            account_id=snapshot.account_id,
            request_id=caller.request_id,
        )
        by, on = await actor_name(uow, caller.actor), snapshot.next_cycle_on
        told = plan_kept(snapshot.account_id, snapshot.pending_plan, snapshot.chosen_plan, on, event_id, by)
        await announce(uow, ids=services.ids, now=now, announcements=[told])
        return snapshot.chosen_plan

    return await unit_of_work.write(services.database, work)


def _planned(snapshot: AccountSnapshot, offer: PlanChangeOffer) -> PlannedChange[PlanChangeDetails]:
    target, draft = offer.target, offer.draft
    moves_month = offer.when is When.NOW and snapshot.opened_plan is not None
    details = PlanChangeDetails(
        plan=target.id,
        when=offer.when,
        effective_on=offer.effective_on,
        month=snapshot.period.starts_on if moves_month else None,
        previous_plan=snapshot.plan.next_plan.id,
        amount_due_cents=offer.amount_due_now_cents,
        credit_cents=0 if draft is None else draft.credit_created_cents,
    )
    facts = None if draft is None else plan_change_facts(snapshot.plan, target, InvoiceKind.PLAN_CHANGE)
    return PlannedChange(details, facts, target.id)


def _on_sale(snapshot: AccountSnapshot, plan_version_id: str) -> PlanVersion:
    own = (snapshot.chosen_plan, snapshot.plan.month_plan)
    for version in (*snapshot.catalogue.sold_on(snapshot.today), *own):
        if version.id == plan_version_id:
            return version
    sold = (version.id for version in snapshot.catalogue.sold_on(snapshot.today))
    raise PlanNotAvailable(plan_version_id, snapshot.today, sold)
