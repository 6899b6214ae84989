"""What an invoice is computed from, and drafts of invoices; by default the plan 100 in October 2026."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from app.domain.billing_items import OneTimeCharge, RecurringItem
from app.domain.invoice_drafts import InvoiceDraft, InvoiceKind
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.invoices import BillingFacts, UsedPeriod, compute_invoice
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.plans import PlanVersion
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.positions import NO_USAGE_BILLED, Position, UsagePositions
from app.domain.taxes import TaxRate, with_taxes
from app.domain.usage import UsageTotals
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.positions import a_base, a_position, credited

Taxes = tuple[TaxRate, ...]


def a_used_month(
    month: str = "2026-09",
    *,
    usage: UsageTotals = UsageTotals(),  # noqa: B008  (frozen)
    plan: PlanVersion | None = None,
    billed: UsagePositions = NO_USAGE_BILLED,
    policies: Policies = POLICY_VERSIONS[-1],
    is_current: bool = False,
) -> UsedPeriod:
    return UsedPeriod(Period.parse(month), plan or a_plan(), policies, usage, billed, is_current)


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
    """`more` is what most invoices have none of: kind, billed_base, recurring, charges, taxes …"""
    return BillingFacts(
        period=Period.parse(month),
        paid_starts_on=paid_starts_on,
        plan=plan or a_plan(),
        policies=policies,
        used=used,
        credit_available_cents=credit_available_cents,
        **more,
    )


def billed_base(
    amount_cents: int = 139_00,
    plan: PlanVersion | None = None,
    *,
    month: str = "2026-10",
    credited_cents: int = 0,
    taxes: Taxes = (),
) -> Position:
    """What invoice 100001 billed for the month, less what credit note 100002 gave back of it."""
    plan = plan or a_plan()
    base = replace(a_base(amount_cents, month=month), inputs={"plan": plan.code, "plan_name": plan.name})
    [taxed] = with_taxes([base], taxes)
    return a_position(taxed, credited(credited_cents)) if credited_cents else a_position(taxed)


def an_item(*, first_day: date | None = None, monthly_cents: int = 25_00, name: str = "On-Call") -> RecurringItem:
    code = name.lower().replace("-", "_")
    return RecurringItem(LineKind.ADD_ON, code, name, monthly_cents, is_prorated=True, first_day=first_day)


def an_extra_line(*, first_day: date | None = None) -> RecurringItem:
    return RecurringItem(LineKind.ADDITIONAL_LINE, "line", "Additional line", 10_00, first_day=first_day)


def a_charge(*, amount_cents: int = 40_00, title: str = "Script rewritten", number: int = 1) -> OneTimeCharge:
    return OneTimeCharge(LineKind.CHARGE, f"chg_{number}", title, amount_cents)


def a_late_fee() -> OneTimeCharge:
    return OneTimeCharge(LineKind.LATE_FEE, "chg_fee", "Late fee for invoice 100001", 25_00)


SALES_TAX = TaxRate("Kansas sales tax", 65_000)
TWO_TAXES = (SALES_TAX, TaxRate("Wichita sales tax", 12_500))


def change_with_credit_kept(month: str = "2026-08") -> tuple[InvoiceLine, ...]:
    """From 100 to 220 minutes under two taxes, when $20.00 of the month's $139.00 had been credited."""
    billed = billed_base(month=month, credited_cents=20_00, taxes=TWO_TAXES)
    return compute_invoice(
        facts(month, kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed, taxes=TWO_TAXES)
    ).lines


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
    every, late = UsageTotals(110 * 60, 450, 200, 61), UsageTotals(110 * 60)
    cycle = facts(
        used=(a_used_month(usage=every), a_used_month("2026-08", usage=late)),
        recurring=(an_item(), an_extra_line()),
        charges=(a_charge(), a_late_fee()),
        taxes=(SALES_TAX,),
    )
    base, *rest, tax = compute_invoice(cycle).lines
    change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed_base(credited_cents=20_00))
    _, reversal, kept = compute_invoice(change).lines
    return (base, reversal, kept, *rest, a_correction(), tax)


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
