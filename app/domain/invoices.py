"""The one function that computes every bill: the invoice that should exist, less what was already billed.

Preview, advice, the real run and the later check all call `compute_invoice` with the same facts.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, replace
from typing import TYPE_CHECKING

from app.domain.invoice_drafts import DraftLine, InvoiceDraft, InvoiceKind, digest, draft_of
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.money import UnitPrice
from app.domain.position_fold import Books
from app.domain.positions import NO_USAGE_BILLED, NOTHING_BILLED, Position, UsagePositions
from app.domain.pricing import rate_usage
from app.domain.proration import daily_rate_cents, prorated_cents

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from app.domain.billed_lines import BilledLine
    from app.domain.billing_items import OneTimeCharge, RecurringItem
    from app.domain.periods import Period
    from app.domain.plans import PlanVersion
    from app.domain.policies import Policies
    from app.domain.pricing import RatedUsage
    from app.domain.taxes import TaxRate
    from app.domain.usage import UsageTotals

ENGINE_VERSION = 2
"""Raised when the same facts would give another invoice; an issued invoice names the one it was computed with."""


@dataclass(frozen=True, slots=True)
class UsedPeriod:
    """A month whose usage is to be billed: its own plan, prices and policies, its calls to date, and what was billed.

    `is_current` marks the month that a closing account ends in: its usage is billed by line, as that of an ended month.
    """

    period: Period
    plan: PlanVersion
    policies: Policies
    usage: UsageTotals
    billed: UsagePositions = NO_USAGE_BILLED
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """All that an invoice depends on.

    `period`: the month that a cycle invoice opens, or that any other invoice falls in. `plan`, `policies`: those of
    that month. `bills_base`: whether the base of the month is charged; `billed_base`: what was billed for it before.
    `used`: months to bill usage of, newest first; the newest of a cycle invoice is the month now ending, the others are
    closed and bill late usage. `credit_available_cents`: credit of the account at issue. `taxes`: those of the
    invoice's date, for all that it charges.
    """

    period: Period
    paid_starts_on: date
    plan: PlanVersion
    policies: Policies
    used: tuple[UsedPeriod, ...] = ()
    credit_available_cents: int = 0
    kind: InvoiceKind = InvoiceKind.CYCLE
    bills_base: bool = True
    billed_base: Position = NOTHING_BILLED
    recurring: tuple[RecurringItem, ...] = ()
    charges: tuple[OneTimeCharge, ...] = ()
    taxes: tuple[TaxRate, ...] = ()

    @property
    def ending(self) -> UsedPeriod | None:
        """The month that ends as `period` begins, if the account was billed for it."""
        return next((month for month in self.used if month.period.ends_before == self.period.starts_on), None)


def compute_invoice(facts: BillingFacts) -> InvoiceDraft:
    """Compute the invoice that the facts call for (rules 7, 9, 11, 13, 14, 22, 25).

    Lines stand in the order of rule 11: the base of the month, add-ons and lines, then overage, patch and IVR of the
    month that ended, adjustments for earlier months, one-time charges, tax. Where something of the month was billed
    before, the difference to what is still billed is charged or given back, and every credit is kept.
    """
    items = (*_base_items(facts), *_recurring_items(facts), *_usage_items(facts), *_charge_items(facts))
    return draft_of(facts.kind, facts.period, items, facts.taxes, facts.credit_available_cents)


def facts_hash(facts: BillingFacts) -> str:
    """Return a hash of all inputs of an invoice (rule 28)."""
    used = [
        (
            month.period.month,
            month.plan.id,
            month.policies.version,
            month.usage.live_seconds,
            month.usage.patch_seconds,
            month.usage.ivr_seconds,
            [position.content for position in month.billed],
        )
        for month in facts.used
    ]
    opening = (
        facts.period.month,
        facts.paid_starts_on.isoformat(),
        facts.plan.id,
        facts.policies.version,
        facts.credit_available_cents,
    )
    return digest(ENGINE_VERSION, opening, used, *_further_facts(facts))


def _further_facts(facts: BillingFacts) -> Iterator[tuple[str, object]]:
    """Yield what most invoices have none of."""
    if facts.kind is not InvoiceKind.CYCLE:
        yield "kind", facts.kind
    if not facts.bills_base:
        yield "bills base", False
    if facts.billed_base.lines:
        yield "billed base", facts.billed_base.content
    if facts.recurring:
        yield "recurring", [(*astuple(item)[:-1], str(item.first_day)) for item in facts.recurring]
    if facts.charges:
        yield "charges", [astuple(charge) for charge in facts.charges]
    if facts.taxes:
        yield "taxes", [astuple(tax) for tax in facts.taxes]


def _base_items(facts: BillingFacts) -> Iterator[DraftLine]:
    """Yield the base of the month; where it was billed before, what is still billed of it is taken back (rule 13)."""
    if not facts.bills_base:
        return
    line, billed = _base_line(facts), facts.billed_base
    if not billed.lines:
        yield DraftLine(line)
        return
    target_cents = billed.target(line.amount_cents)
    is_same_plan = billed.lines[-1].line.inputs["plan"] == facts.plan.code
    if is_same_plan and target_cents == billed.net_cents:
        return
    yield DraftLine(replace(line, rule=13))
    yield from (_reversal(facts.period, each) for each in billed.lines if each.left_cents)
    kept_cents = line.amount_cents - target_cents
    if kept_cents:
        inputs = {name: line.inputs[name] for name in ("plan", "plan_name")}
        inputs["kept_from"] = " and ".join(billed.kept_from(line.amount_cents))
        price = UnitPrice(-kept_cents * 100)
        kept = InvoiceLine(LineKind.CREDIT_KEPT, facts.period, 1, "credit", price, -kept_cents, 13, inputs)
        yield DraftLine(kept)


def _reversal(period: Period, billed: BilledLine) -> DraftLine:
    inputs: dict[str, int | str] = {
        "plan": billed.line.inputs["plan"],
        "plan_name": billed.line.inputs["plan_name"],
        "invoice": str(billed.ref.number),
        "line": billed.ref.position,
    }
    if billed.left_cents != billed.line.amount_cents:
        inputs["charged_cents"] = billed.line.amount_cents
    cents = billed.left_cents
    back = billed.give_back(cents)
    line = InvoiceLine(LineKind.BASE_REVERSAL, period, 1, "reversal", UnitPrice(cents * 100), -cents, 13, inputs)
    return DraftLine(line, (back,))


def _base_line(facts: BillingFacts) -> InvoiceLine:
    plan, period = facts.plan, facts.period
    paid_days = period.days_from(facts.paid_starts_on)
    inputs: dict[str, int | str] = {
        "plan": plan.code,
        "plan_name": plan.name,
        "paid_days": paid_days,
        "days": period.days,
    }
    amount = prorated_cents(plan.base_cents, period, facts.paid_starts_on)
    if paid_days == period.days:
        return InvoiceLine(LineKind.BASE, period, 1, "month", UnitPrice(plan.base_cents * 100), amount, 11, inputs)
    daily = daily_rate_cents(plan.base_cents, period)
    inputs |= {"monthly_cents": plan.base_cents, "daily_cents": daily}
    return InvoiceLine(LineKind.BASE, period, paid_days, "day", UnitPrice(daily * 100), amount, 9, inputs)


def _recurring_items(facts: BillingFacts) -> Iterator[DraftLine]:
    period = facts.period
    for item in facts.recurring:
        inputs: dict[str, int | str] = {"item": item.code, "item_name": item.name}
        monthly, price = item.monthly_cents, UnitPrice(item.monthly_cents * 100)
        if item.is_prorated and item.first_day is not None and item.first_day > period.starts_on:
            days, daily = period.days_from(item.first_day), daily_rate_cents(monthly, period)
            inputs |= {"paid_days": days, "days": period.days, "monthly_cents": monthly, "daily_cents": daily}
            price, amount = UnitPrice(daily * 100), prorated_cents(monthly, period, item.first_day)
            yield DraftLine(InvoiceLine(item.kind, period, days, "day", price, amount, 22, inputs))
        else:
            yield DraftLine(InvoiceLine(item.kind, period, 1, "month", price, monthly, 22, inputs))


def _charge_items(facts: BillingFacts) -> Iterator[DraftLine]:
    for charge in facts.charges:
        rule = 32 if charge.kind is LineKind.LATE_FEE else 27
        inputs: dict[str, int | str] = {"charge": charge.id, "title": charge.title}
        price = UnitPrice(charge.amount_cents * 100)
        yield DraftLine(InvoiceLine(charge.kind, facts.period, 1, "charge", price, charge.amount_cents, rule, inputs))


def _usage_items(facts: BillingFacts) -> Iterator[DraftLine]:
    for month in facts.used:
        rated = rate_usage(month.usage, month.plan, month.period, facts.paid_starts_on, month.policies)
        is_ending = facts.kind is InvoiceKind.CYCLE and month.period.ends_before == facts.period.starts_on
        if is_ending or month.is_current:
            yield from map(DraftLine, _ended_month_lines(month, rated))
        else:
            yield from _adjustment_items(month, rated)


def _ended_month_lines(month: UsedPeriod, rated: RatedUsage) -> Iterator[InvoiceLine]:
    usage, period = month.usage, month.period
    if rated.overage_seconds:
        inputs: dict[str, int | str] = {
            "plan": month.plan.code,
            "plan_name": month.plan.name,
            "live_seconds": usage.live_seconds,
            "allowance_seconds": rated.allowance_seconds,
        }
        rate = month.plan.overage_rate
        yield InvoiceLine(
            LineKind.OVERAGE, period, rated.overage_seconds, "second", rate, rated.overage_cents, 7, inputs
        )
    if usage.patch_seconds:
        rate = month.policies.patch_rate
        yield InvoiceLine(LineKind.PATCH, period, usage.patch_seconds, "second", rate, rated.patch_cents, 6)
    if usage.ivr_seconds:
        rate = month.policies.ivr_rate
        yield InvoiceLine(LineKind.IVR, period, usage.ivr_seconds, "second", rate, rated.ivr_cents, 6)


def _adjustment_items(month: UsedPeriod, rated: RatedUsage) -> Iterator[DraftLine]:
    """Yield the difference that late calls and corrections make, one line a kind of usage (rule 25)."""
    books = Books.begin(month.billed.by_key(month.period.starts_on))
    kinds = (
        (LineKind.OVERAGE, rated.overage_cents),
        (LineKind.PATCH, rated.patch_cents),
        (LineKind.IVR, rated.ivr_cents),
    )
    for kind, rated_cents in kinds:
        billed = books.position(month.period.starts_on, kind)
        cents = billed.target(rated_cents) - billed.net_cents
        if cents:
            inputs = _adjustment_inputs(month, rated, kind) | _billed_inputs(billed, rated_cents)
            price = UnitPrice(cents * 100)
            line = InvoiceLine(LineKind.ADJUSTMENT, month.period, 1, "correction", price, cents, 25, inputs)
            yield DraftLine(line, books.adjust(line))


def _adjustment_inputs(month: UsedPeriod, rated: RatedUsage, kind: LineKind) -> dict[str, int | str]:
    inputs: dict[str, int | str] = {"usage": kind, "plan": month.plan.code, "plan_name": month.plan.name}
    if kind is LineKind.OVERAGE:
        inputs |= {"live_seconds": month.usage.live_seconds, "allowance_seconds": rated.allowance_seconds}
    elif kind is LineKind.PATCH:
        inputs["patch_seconds"] = month.usage.patch_seconds
    else:
        inputs["ivr_seconds"] = month.usage.ivr_seconds
    return inputs


def _billed_inputs(billed: Position, rated_cents: int) -> dict[str, int | str]:
    inputs: dict[str, int | str] = {"rated_cents": rated_cents, "billed_cents": billed.net_cents}
    kept_cents = rated_cents - billed.target(rated_cents)
    if kept_cents:
        inputs |= {"kept_cents": kept_cents, "kept_from": " and ".join(billed.kept_from(rated_cents))}
    return inputs
