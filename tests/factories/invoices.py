"""What an invoice is computed from, and drafts of invoices; by default the plan 100 in October 2026."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.domain.billing_items import BilledBase, ExtraCharge, RecurringItem, TaxRate
from app.domain.invoices import (
    BillingFacts,
    InvoiceDraft,
    InvoiceKind,
    InvoiceLine,
    LineKind,
    UsedPeriod,
    compute_invoice,
)
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.plans import PlanVersion
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.usage import UsageTotals
from tests.factories.plans import a_220_plan, a_plan


def a_used_month(
    month: str = "2026-09",
    *,
    usage: UsageTotals = UsageTotals(),  # noqa: B008  (frozen)
    plan: PlanVersion | None = None,
    billed_cents: int = 0,
    policies: Policies = POLICY_VERSIONS[-1],
    is_current: bool = False,
) -> UsedPeriod:
    return UsedPeriod(Period.parse(month), plan or a_plan(), policies, usage, billed_cents, is_current)


def facts(
    month: str = "2026-10",
    *,
    paid_starts_on: date = date(2026, 2, 1),
    plan: PlanVersion | None = None,
    used: tuple[UsedPeriod, ...] = (),
    credit_available_cents: int = 0,
    policies: Policies = POLICY_VERSIONS[-1],
    **more: Any,
) -> BillingFacts:
    """`more` is what most invoices have none of: kind, billed_base, recurring, charges, tax …"""
    return BillingFacts(
        period=Period.parse(month),
        paid_starts_on=paid_starts_on,
        plan=plan or a_plan(),
        policies=policies,
        used=used,
        credit_available_cents=credit_available_cents,
        **more,
    )


def billed_base(amount_cents: int = 139_00, plan: PlanVersion | None = None) -> BilledBase:
    plan = plan or a_plan()
    return BilledBase(plan.code, plan.name, amount_cents)


def an_item(*, first_day: date | None = None, monthly_cents: int = 25_00, name: str = "On-Call") -> RecurringItem:
    code = name.lower().replace("-", "_")
    return RecurringItem(LineKind.ADD_ON, code, name, monthly_cents, is_prorated=True, first_day=first_day)


def an_extra_line(*, first_day: date | None = None) -> RecurringItem:
    return RecurringItem(LineKind.ADDITIONAL_LINE, "line", "Additional line", 10_00, first_day=first_day)


def a_charge(*, amount_cents: int = 40_00, title: str = "Script rewritten", number: int = 1) -> ExtraCharge:
    return ExtraCharge(LineKind.CHARGE, f"chg_{number}", title, amount_cents)


def a_late_fee() -> ExtraCharge:
    return ExtraCharge(LineKind.LATE_FEE, "chg_fee", "Late fee for invoice 100001", 25_00)


SALES_TAX = TaxRate("Kansas sales tax", 650)


def a_correction(
    *, amount_cents: int = -50_00, charged_cents: int = 139_00, credited_before_cents: int = 0
) -> InvoiceLine:
    """A line of a credit note over the first line of invoice 100001."""
    return InvoiceLine(
        kind=LineKind.CORRECTION,
        period=Period.parse("2026-10"),
        quantity=1,
        unit="correction",
        unit_price=UnitPrice(amount_cents * 100),
        amount_cents=amount_cents,
        rule=27,
        inputs={
            "title": "Credit on invoice 100001: 100 Minutes plan, October 2026",
            "invoice": "100001",
            "line": 1,
            "charged_cents": charged_cents,
            "credited_before_cents": credited_before_cents,
        },
    )


def lines_of_every_kind() -> tuple[InvoiceLine, ...]:
    """One line of each kind in the order of rule 11: more than any one invoice has."""
    every = UsageTotals(110 * 60, 450, 200, 61)
    cycle = facts(
        used=(a_used_month(usage=every), a_used_month("2026-08", usage=every)),
        recurring=(an_item(), an_extra_line()),
        charges=(a_charge(), a_late_fee()),
        tax=SALES_TAX,
    )
    base, *rest, tax = compute_invoice(cycle).lines
    change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed_base())
    return (base, compute_invoice(change).lines[1], *rest, a_correction(), tax)


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
