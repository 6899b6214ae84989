"""Changing the plan: at once for the whole month, or from the next month on (rules 13-15, 18)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.books import spread_credit
from app.domain.invoice_drafts import InvoiceDraft, InvoiceKind, digest
from app.domain.invoices import BillingFacts, compute_invoice
from app.domain.plans import SECONDS_PER_MINUTE
from app.domain.policies import policies_on
from app.domain.pricing import month_cost_cents
from app.domain.usage_months import month_cost_effective_minutes

if TYPE_CHECKING:
    from app.domain.ledger import OpenInvoice
    from app.domain.periods import Period
    from app.domain.plans import Catalogue, PlanVersion
    from app.domain.positions import Position
    from app.domain.taxes import TaxRate
    from app.domain.usage import UsageTotals


class When(StrEnum):
    """From when on a change counts."""

    NOW = "NOW"
    NEXT_CYCLE = "NEXT_CYCLE"


class PlanChangeRefused(ValueError):
    """The rules do not allow a change of plan; each reason is a class of its own."""


class DowngradeNotCostEffective(PlanChangeRefused):
    """This month's usage is past what the lower plan is cost-effective to (rule 15)."""

    def __init__(self, usage_seconds: int, threshold_minutes: int, current_cents: int, target_cents: int) -> None:
        super().__init__(
            f"This month's usage of {usage_seconds // SECONDS_PER_MINUTE:,} minutes is past the {threshold_minutes:,} "
            "minutes up to which that plan is cost-effective. Change from the next month on instead."
        )
        self.usage_seconds = usage_seconds
        self.threshold_minutes = threshold_minutes
        self.current_cents = current_cents
        self.target_cents = target_cents


class AlreadyOnPlan(PlanChangeRefused):
    """The change would change nothing."""

    def __init__(self, plan: PlanVersion) -> None:
        super().__init__(f"The account has the plan {plan.name} already.")
        self.plan = plan


@dataclass(frozen=True, slots=True)
class PlanSnapshot:
    """Where an account stands on a day.

    `month_plan` is what the current month is billed on, `chosen_plan` what the account returns to next month, and
    `pending_plan` a change already arranged for then. `billed_base` is empty while the month's cycle invoice is not
    issued. `next_cycle_on`: the first day of the month that the next cycle invoice opens, which is the current month
    until that is issued. `usage` is that of the current month to date.
    """

    today: date
    period: Period
    paid_starts_on: date
    month_plan: PlanVersion
    chosen_plan: PlanVersion
    pending_plan: PlanVersion | None
    next_cycle_on: date
    usage: UsageTotals
    billed_base: Position
    credit_available_cents: int = 0
    taxes: tuple[TaxRate, ...] = ()
    open_invoices: tuple[OpenInvoice, ...] = ()

    @property
    def next_plan(self) -> PlanVersion:
        """The plan that the next month will have as things stand."""
        return self.pending_plan or self.chosen_plan


@dataclass(frozen=True, slots=True)
class PlanChangeOffer:
    """What confirming a change does: its invoice, if it has one now, and the day it takes effect.

    `settled_cents` of the credit that the invoice gives pay open invoices at once; the rest waits for the next.
    """

    target: PlanVersion
    when: When
    effective_on: date
    draft: InvoiceDraft | None
    settled_cents: int = 0

    @property
    def amount_due_now_cents(self) -> int:
        """What is to be paid on confirming."""
        return self.draft.amount_due_cents if self.draft else 0

    @property
    def content_hash(self) -> str:
        """A hash of what confirming does, and of nothing else: calls that come in meanwhile leave it as it is."""
        content = self.draft.content_hash if self.draft else None
        return digest(self.target.id, self.when, self.effective_on.isoformat(), content)


def offer_plan_change(snapshot: PlanSnapshot, target: PlanVersion, when: When, catalogue: Catalogue) -> PlanChangeOffer:
    """Return what changing to `target` would do.

    :raises AlreadyOnPlan: when it would change nothing.
    :raises DowngradeNotCostEffective: when a change to a lower plan at once is refused (rule 15).
    """
    if when is When.NEXT_CYCLE:
        if target.id == snapshot.next_plan.id:
            raise AlreadyOnPlan(target)
        return PlanChangeOffer(target, when, snapshot.next_cycle_on, None)
    if target.id == snapshot.month_plan.id == snapshot.next_plan.id:
        raise AlreadyOnPlan(target)
    _guard_downgrade(snapshot, target, catalogue)
    draft = (
        compute_invoice(plan_change_facts(snapshot, target, InvoiceKind.PLAN_CHANGE))
        if snapshot.billed_base.lines
        else None
    )
    if draft is None or not draft.lines:
        return PlanChangeOffer(target, when, snapshot.period.starts_on, None)
    return PlanChangeOffer(target, when, snapshot.period.starts_on, draft, _settled_cents(snapshot, draft))


def _settled_cents(snapshot: PlanSnapshot, draft: InvoiceDraft) -> int:
    arisen_cents = draft.credit_created_cents
    if not arisen_cents:
        return 0
    credit_cents = snapshot.credit_available_cents + arisen_cents
    return sum(spread_credit(credit_cents, arisen_cents, draft.reversed_cents, snapshot.open_invoices).values())


def plan_change_facts(snapshot: PlanSnapshot, target: PlanVersion, kind: InvoiceKind) -> BillingFacts:
    """Return the facts of the invoice that swaps the base of the current month (rule 13)."""
    return BillingFacts(
        period=snapshot.period,
        paid_starts_on=snapshot.paid_starts_on,
        plan=target,
        policies=policies_on(snapshot.period.starts_on),
        credit_available_cents=snapshot.credit_available_cents,
        kind=kind,
        billed_base=snapshot.billed_base,
        taxes=snapshot.taxes,
    )


def _guard_downgrade(snapshot: PlanSnapshot, target: PlanVersion, catalogue: Catalogue) -> None:
    """Refuse a lower plan that the month has outgrown; in a first month by the prices of its paid days (rule 15)."""
    higher, period, paid_on = catalogue.find_next(target, snapshot.today), snapshot.period, snapshot.paid_starts_on
    if higher is None or target.base_cents >= snapshot.month_plan.base_cents:
        return
    threshold = month_cost_effective_minutes(target, higher, period, paid_on)
    if snapshot.usage.live_seconds <= threshold * SECONDS_PER_MINUTE:
        return
    current, lower = (month_cost_cents(snapshot.usage, plan, period, paid_on) for plan in (snapshot.month_plan, target))
    raise DowngradeNotCostEffective(snapshot.usage.live_seconds, threshold, current, lower)
