"""The next invoice before it is issued: the cycle run's own computation on the usage so far (rules 11, 12)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import cycle_runs_at
from app.domain.invoices import compute_invoice
from app.views.next_invoice import NextInvoice, NextInvoiceBasis

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.invoices import BillingFacts
    from app.domain.periods import Period
    from app.views.next_invoice import NextInvoiceFacts


def next_invoice(
    *, facts: NextInvoiceFacts, now: datetime, basis: NextInvoiceBasis = NextInvoiceBasis.ACCRUED
) -> NextInvoice:
    """Return the invoice that would be issued on the facts as they stand; issued on the same facts, its hash is equal.

    There is one basis so far, and the facts are read on it.
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


def _ending_month(billing: BillingFacts) -> Period | None:
    ends_before = billing.period.starts_on
    return next((month.period for month in billing.used if month.period.ends_before == ends_before), None)
