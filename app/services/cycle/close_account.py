"""Staff close an account: a final invoice for the usage of its last month, and its credit is settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus, cycle_runs_at
from app.domain.books import paid_out_postings, spread_credit
from app.domain.events.accounts import AccountClosed
from app.domain.events.invoices import CreditSettled
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoices import BillingFacts, compute_invoice
from app.domain.periods import Period, day_before
from app.domain.policies import policies_on
from app.repositories import unit_of_work
from app.services.adjustments.grant_credit import credit_cents
from app.services.common.account_snapshot import load_snapshot
from app.services.common.staff_actions import check_no_checkout, check_staff
from app.services.invoices.issue_invoice import InvoiceOrder, issue_invoice
from app.services.invoices.settle_credit import pay_by_credit
from app.services.invoices.used_months import used_months
from app.services.plans.upgrade_plans import upgrade_month

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.invoice_drafts import Issue
    from app.ports import Ids
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.caller import Caller
    from app.services.common.services import Services
    from app.views.account_snapshot import AccountSnapshot


class InvoicesDue(ValueError):
    """Invoices of earlier months come first."""

    def __init__(self, account: str) -> None:
        super().__init__(f"An invoice of account {account!r} is due and not issued yet. Issue what is due, then close.")
        self.account = account


@dataclass(frozen=True, slots=True)
class AccountClosing:
    """What closing did. `invoice_id` and `number` are None where there was nothing left to invoice.

    `applied_cents` of credit went to open invoices, and `paid_out_cents` are to be sent to the customer. `is_new` is
    false when the account had been closed before and there was nothing more to settle.
    """

    invoice_id: str | None
    number: int | None
    amount_due_cents: int
    applied_cents: int
    paid_out_cents: int
    is_new: bool = True


async def close_account(services: Services, caller: Caller, *, reason: str) -> AccountClosing:
    """Close the account now: bill the usage of the month to date with all that waits for an invoice, but no base.

    Credit that is left pays open invoices, oldest first; the rest is posted as paid out, for staff to send. Where the
    invoice of a new month is not issued yet, the month before is the last. Closing again settles credit come since.
    :raises InvoicesDue: when an invoice of an earlier month is due and not issued.
    :raises ChangeInProgress: while a change waits for its payment.
    """
    check_staff(caller.actor, reason)

    async def work(uow: UnitOfWork) -> AccountClosing:
        owner = await uow.accounts.get_by_external_id(caller.account, lock=True)
        now = services.clock.now()
        if owner.status is AccountStatus.CLOSED:
            return await _settle_again(uow, services.ids, owner, now, caller.actor, reason)
        await check_no_checkout(uow, owner.id)
        if cycle_runs_at(owner.next_cycle_on, owner.paid_starts_on, policies_on(owner.next_cycle_on)) <= now:
            raise InvoicesDue(caller.account)
        issue = await _issue_final(uow, services.ids, owner, now, caller.actor)
        applied_cents, paid_out_cents = await _settle(uow, services.ids, owner, now)
        await _close(uow, owner, now)
        closing = AccountClosing(
            None if issue is None else issue.id,
            None if issue is None else issue.number,
            0 if issue is None else issue.draft.amount_due_cents,
            applied_cents,
            paid_out_cents,
        )
        await uow.events.record(
            AccountClosed(
                status=(owner.status, AccountStatus.CLOSED),
                final_invoice=closing.number,
                applied_cents=applied_cents,
                paid_out_cents=paid_out_cents,
                reason=reason,
            ),
            ids=services.ids,
            actor=caller.actor,
            at=now,
            account_id=owner.id,
            subject_id=closing.invoice_id,
        )
        return closing

    return await unit_of_work.write(services.database, work)


async def _issue_final(uow: UnitOfWork, ids: Ids, owner: Account, now: datetime, actor: str) -> Issue | None:
    """Issue the final invoice, after the upgrade that its month may call for; None where it would have no line."""
    snapshot = await load_snapshot(uow, owner.external_id, now)
    opened = await uow.cycles.plans(owner.id)
    period = Period.containing(max(opened)) if opened else snapshot.period
    last_day = min(snapshot.today, day_before(period.ends_before))
    if await upgrade_month(uow, ids=ids, account=owner.external_id, last_day=last_day, now=now) is not None:
        snapshot = await load_snapshot(uow, owner.external_id, now)
    facts = await _facts(uow, owner, period, snapshot)
    if not compute_invoice(facts).lines:
        return None
    return await issue_invoice(uow, ids, InvoiceOrder(snapshot, facts, facts.plan.id, actor), now)


async def _facts(uow: UnitOfWork, owner: Account, period: Period, snapshot: AccountSnapshot) -> BillingFacts:
    opened = await uow.cycles.plans(owner.id)
    last_day = min(snapshot.today, day_before(period.ends_before))
    return BillingFacts(
        period=period,
        paid_starts_on=owner.paid_starts_on,
        plan=opened.get(period.starts_on, snapshot.chosen_plan),
        policies=policies_on(period.starts_on),
        used=await used_months(uow, owner, period, InvoiceKind.FINAL, snapshot.usage_seq),
        credit_available_cents=snapshot.credit_cents,
        kind=InvoiceKind.FINAL,
        bills_base=False,
        charges=(await uow.charges.waiting([owner.id])).get(owner.id, ()),
        taxes=await uow.taxes.find(owner.id, last_day),
    )


async def _settle(uow: UnitOfWork, ids: Ids, owner: Account, now: datetime) -> tuple[int, int]:
    """Use all credit up, and return how much went to open invoices and how much is paid out (rule 35).

    Invoices paid by hand are paid too. Credit for one whose charge is under way stays until that is known.
    """
    open_invoices = await uow.ledger.open_invoices(owner.id)
    payable = [replace(invoice, is_by_hand=False) for invoice in open_invoices if not invoice.is_under_way]
    cents = spread_credit(await credit_cents(uow, owner.id), 0, {}, payable)
    if cents:
        paid = [invoice for invoice in payable if invoice.id in cents]
        await pay_by_credit(uow, ids, owner.id, paid, cents, now, "system")
    held_cents = sum(invoice.balance_cents for invoice in open_invoices if invoice.is_under_way)
    paid_out_cents = max(0, await credit_cents(uow, owner.id) - held_cents)
    grants = (await uow.ledger.credit_grants([owner.id])).get(owner.id, ())
    await uow.ledger.append(owner.id, tuple(paid_out_postings(grants, paid_out_cents)), posted_at=now)
    return sum(cents.values()), paid_out_cents


async def _close(uow: UnitOfWork, owner: Account, now: datetime) -> None:
    snapshot = await load_snapshot(uow, owner.external_id, now)
    await uow.add_ons.end_all(owner.id, snapshot.today + timedelta(days=1))
    await uow.cycles.mark_checked([(owner.id, snapshot.usage_seq)])
    await uow.accounts.close(owner.id)


async def _settle_again(
    uow: UnitOfWork, ids: Ids, owner: Account, now: datetime, actor: str, reason: str
) -> AccountClosing:
    applied_cents, paid_out_cents = await _settle(uow, ids, owner, now)
    is_new = applied_cents + paid_out_cents > 0
    if is_new:
        event = CreditSettled(applied_cents=applied_cents, paid_out_cents=paid_out_cents, reason=reason)
        await uow.events.record(event, ids=ids, actor=actor, at=now, account_id=owner.id)
    return AccountClosing(None, None, 0, applied_cents, paid_out_cents, is_new)
