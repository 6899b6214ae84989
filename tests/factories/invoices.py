"""What an invoice is computed from, and drafts of invoices; by default the plan 100 in October 2026."""

from __future__ import annotations

from datetime import date

from app.domain.invoices import BillingFacts, InvoiceDraft, InvoiceKind, InvoiceLine, LineKind, UsedPeriod
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.plans import PlanVersion
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.usage import UsageTotals
from tests.factories.plans import a_plan


def a_used_month(
    month: str = "2026-09",
    *,
    usage: UsageTotals = UsageTotals(),  # noqa: B008  (frozen)
    plan: PlanVersion | None = None,
    billed_cents: int = 0,
    policies: Policies = POLICY_VERSIONS[-1],
) -> UsedPeriod:
    return UsedPeriod(Period.parse(month), plan or a_plan(), policies, usage, billed_cents)


def facts(
    month: str = "2026-10",
    *,
    paid_starts_on: date = date(2026, 2, 1),
    plan: PlanVersion | None = None,
    used: tuple[UsedPeriod, ...] = (),
    credit_available_cents: int = 0,
    policies: Policies = POLICY_VERSIONS[-1],
) -> BillingFacts:
    return BillingFacts(
        period=Period.parse(month),
        paid_starts_on=paid_starts_on,
        plan=plan or a_plan(),
        policies=policies,
        used=used,
        credit_available_cents=credit_available_cents,
    )


def a_line(*, amount_cents: int = 139_00, kind: LineKind = LineKind.BASE, month: str = "2026-10") -> InvoiceLine:
    return InvoiceLine(
        kind=kind,
        period=Period.parse(month),
        quantity=1,
        unit="month",
        unit_price=UnitPrice(amount_cents * 100),
        amount_cents=amount_cents,
        rule=11,
        inputs={"plan": "100", "plan_name": "100 Minutes", "paid_days": 31, "days": 31},
    )


def a_draft(
    *, lines: tuple[InvoiceLine, ...] | None = None, month: str = "2026-10", credit_applied_cents: int = 0
) -> InvoiceDraft:
    lines = (a_line(month=month),) if lines is None else lines
    return InvoiceDraft(InvoiceKind.CYCLE, Period.parse(month), lines, credit_applied_cents)
