"""The next invoice before it is issued: the cycle run's own computation on the usage so far (rules 11, 12)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.invoices import compute_invoice
from app.domain.plan_changes import When
from app.views.next_invoice import NextInvoice, NextInvoiceBasis

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.invoices import BillingFacts
    from app.domain.periods import Period
    from app.domain.plan_changes import PlanChangeOffer
    from app.domain.plans import Catalogue
    from app.views.next_invoice import NextInvoiceFacts


def next_invoice(
    *, facts: NextInvoiceFacts, now: datetime, basis: NextInvoiceBasis = NextInvoiceBasis.ACCRUED
) -> NextInvoice:
    """Return the invoice that would be issued on the facts as they stand; issued on the same facts, its hash is equal.

    `basis` names what the usage of the facts is: what is known so far, or the projected one.
    `issues_at` is when it falls due: 06:00 Pacific on the 1st, or on the first paid day (rule 12).
    """
    billing = facts.billing
    return NextInvoice(
        account_id=facts.account_id,
        basis=basis,
        draft=compute_invoice(billing),
        usage_period=_ending_month(billing),
        issues_at=cycle_runs_at(billing.period.starts_on, billing.paid_starts_on, billing.policies),
        read_at=now,
    )


def next_invoice_after(
    *, facts: NextInvoiceFacts, offer: PlanChangeOffer, month: Period, catalogue: Catalogue, now: datetime
) -> NextInvoice:
    """Return the next invoice as it would be with a change of plan confirmed in the billing month `month`.

    A change at once rates the whole month on the new plan, and its own invoice takes or leaves credit, after what is
    open (rules 13, 14).
    The next month is billed at the price that accounts of the plan have moved to by then.
    """
    billing, draft = facts.billing, offer.draft
    used = tuple(
        replace(one, plan=offer.target) if offer.when is When.NOW and one.period == month else one
        for one in billing.used
    )
    moved_cents = draft.credit_created_cents - draft.credit_applied_cents - offer.settled_cents if draft else 0
    credit_cents = billing.credit_available_cents + moved_cents
    plan = catalogue.moved(offer.target, billing.period.starts_on)
    changed = replace(billing, plan=plan, used=used, credit_available_cents=credit_cents)
    return next_invoice(facts=replace(facts, billing=changed), now=now)


def _ending_month(billing: BillingFacts) -> Period | None:
    ends_before = billing.period.starts_on
    return next((month.period for month in billing.used if month.period.ends_before == ends_before), None)
