"""The one function that computes every bill: the invoice that should exist, less what was already billed.

Preview, advice, the real run and the later check all call `compute_invoice` with the same facts.
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from app.domain.money import UnitPrice, round_half_up
from app.domain.pricing import rate_usage
from app.domain.proration import daily_rate_cents, prorated_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date

    from app.domain.billing_items import BilledBase, ExtraCharge, RecurringItem, TaxRate
    from app.domain.periods import Period
    from app.domain.plans import PlanVersion
    from app.domain.policies import Policies
    from app.domain.pricing import RatedUsage
    from app.domain.usage import UsageTotals

ENGINE_VERSION = 1
"""Raised when the same facts would give another invoice; an issued invoice names the one it was computed with."""


class InvoiceKind(StrEnum):
    """What an invoice bills."""

    CYCLE = "CYCLE"
    PLAN_CHANGE = "PLAN_CHANGE"
    PLAN_UPGRADE = "PLAN_UPGRADE"
    ADD_ON = "ADD_ON"
    FINAL = "FINAL"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(StrEnum):
    """Where an invoice stands (rule 27)."""

    DRAFT = "DRAFT"
    OPEN = "OPEN"
    PAID = "PAID"
    VOID = "VOID"
    UNCOLLECTIBLE = "UNCOLLECTIBLE"


class LineKind(StrEnum):
    """What a line charges, in the order of an invoice (rule 11)."""

    BASE = "BASE"
    BASE_REVERSAL = "BASE_REVERSAL"
    ADD_ON = "ADD_ON"
    ADDITIONAL_LINE = "ADDITIONAL_LINE"
    OVERAGE = "OVERAGE"
    PATCH = "PATCH"
    IVR = "IVR"
    ADJUSTMENT = "ADJUSTMENT"
    CHARGE = "CHARGE"
    LATE_FEE = "LATE_FEE"
    CORRECTION = "CORRECTION"
    TAX = "TAX"


BASE_KINDS = (LineKind.BASE, LineKind.BASE_REVERSAL)
"""The kinds that together bill the base of a month (rule 18)."""

USAGE_KINDS = (LineKind.OVERAGE, LineKind.PATCH, LineKind.IVR, LineKind.ADJUSTMENT)
"""The kinds that together bill the usage of a month."""


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One charge, with the inputs that explain it; `amount_cents` is negative where the customer gets money back.

    `quantity` is in `unit` ("month", "day", "second" or "correction"); `unit_price` is for one month or day, or for a
    minute where the unit is seconds. `rule` is the number of the billing rule. `inputs` are integers and short texts.
    """

    kind: LineKind
    period: Period
    quantity: int
    unit: str
    unit_price: UnitPrice
    amount_cents: int
    rule: int
    inputs: Mapping[str, int | str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UsedPeriod:
    """A month whose usage is to be billed: its own plan, prices and policies, its calls to date, and what was billed.

    `is_current` marks the month that a closing account ends in: its usage is billed by line, as that of an ended month.
    """

    period: Period
    plan: PlanVersion
    policies: Policies
    usage: UsageTotals
    billed_cents: int = 0
    is_current: bool = False


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """All that an invoice depends on.

    `period`: the month that a cycle invoice opens, or that any other invoice falls in. `plan`, `policies`: those of
    that month. `bills_base`: whether the base of the month is charged; `billed_base`: what earlier invoices charged
    for it.
    `used`: months to bill usage of, newest first; the newest of a cycle invoice is the month now ending, the others are
    closed and bill late usage. `credit_available_cents`: credit of the account at issue.
    """

    period: Period
    paid_starts_on: date
    plan: PlanVersion
    policies: Policies
    used: tuple[UsedPeriod, ...] = ()
    credit_available_cents: int = 0
    kind: InvoiceKind = InvoiceKind.CYCLE
    bills_base: bool = True
    billed_base: BilledBase | None = None
    recurring: tuple[RecurringItem, ...] = ()
    charges: tuple[ExtraCharge, ...] = ()
    tax: TaxRate | None = None

    @property
    def ending(self) -> UsedPeriod | None:
        """The month that ends as `period` begins, if the account was billed for it."""
        return next((month for month in self.used if month.period.ends_before == self.period.starts_on), None)


@dataclass(frozen=True, slots=True)
class InvoiceDraft:
    """A computed invoice, before it has an id, a number or an issue time."""

    kind: InvoiceKind
    period: Period
    lines: tuple[InvoiceLine, ...]
    credit_applied_cents: int

    @property
    def total_cents(self) -> int:
        """The sum of the lines; negative when the customer gets more back than is charged."""
        return sum(line.amount_cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        """The part of the total that is tax."""
        return sum(line.amount_cents for line in self.lines if line.kind is LineKind.TAX)

    @property
    def credit_created_cents(self) -> int:
        """What a total below zero leaves to the account as credit (rule 14)."""
        return max(0, -self.total_cents)

    @property
    def amount_due_cents(self) -> int:
        """What is to be paid once credit is applied; never negative."""
        return max(0, self.total_cents) - self.credit_applied_cents

    @property
    def content_hash(self) -> str:
        """A hash of everything the customer is billed; equal content gives an equal hash (rule 28)."""
        return digest(
            [_line_content(line) for line in self.lines], self.kind, self.period.month, self.credit_applied_cents
        )


def compute_invoice(facts: BillingFacts) -> InvoiceDraft:
    """Compute the invoice that the facts call for (rules 7, 9, 11, 13, 14, 22, 25).

    Lines stand in the order of rule 11: the base of the month, add-ons and lines, then overage, patch and IVR of the
    month that ended, one adjustment for each earlier month whose calls came late, single charges, tax. Where the base
    of the month was billed before, the new base is charged and the sum of the old given back (rule 13).
    """
    charged = (*_base_lines(facts), *_recurring_lines(facts), *_usage_lines(facts), *_charge_lines(facts))
    lines = (*charged, *_tax_lines(facts, charged))
    total_cents = sum(line.amount_cents for line in lines)
    applied_cents = min(max(0, total_cents), facts.credit_available_cents)
    return InvoiceDraft(facts.kind, facts.period, lines, applied_cents)


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
            month.billed_cents,
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
    """Yield what most invoices have none of; what is absent does not enter the hash, so that older hashes stand."""
    if facts.kind is not InvoiceKind.CYCLE:
        yield "kind", facts.kind
    if not facts.bills_base:
        yield "bills base", False
    if facts.billed_base:
        yield "billed base", astuple(facts.billed_base)
    if facts.recurring:
        yield "recurring", [(*astuple(item)[:-1], str(item.first_day)) for item in facts.recurring]
    if facts.charges:
        yield "charges", [astuple(charge) for charge in facts.charges]
    if facts.tax:
        yield "tax", astuple(facts.tax)


def _base_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    if not facts.bills_base:
        return
    line, billed = _base_line(facts), facts.billed_base
    if billed is None or billed.amount_cents == 0:
        yield line
    elif billed.amount_cents != line.amount_cents or billed.plan_code != facts.plan.code:
        yield replace(line, rule=13)
        inputs: dict[str, int | str] = {"plan": billed.plan_code, "plan_name": billed.plan_name}
        price, amount = UnitPrice(billed.amount_cents * 100), -billed.amount_cents
        yield InvoiceLine(LineKind.BASE_REVERSAL, facts.period, 1, "reversal", price, amount, 13, inputs)


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


def _recurring_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    period = facts.period
    for item in facts.recurring:
        inputs: dict[str, int | str] = {"item": item.code, "item_name": item.name}
        monthly, price = item.monthly_cents, UnitPrice(item.monthly_cents * 100)
        if item.is_prorated and item.first_day is not None and item.first_day > period.starts_on:
            days, daily = period.days_from(item.first_day), daily_rate_cents(monthly, period)
            inputs |= {"paid_days": days, "days": period.days, "monthly_cents": monthly, "daily_cents": daily}
            price, amount = UnitPrice(daily * 100), prorated_cents(monthly, period, item.first_day)
            yield InvoiceLine(item.kind, period, days, "day", price, amount, 22, inputs)
        else:
            yield InvoiceLine(item.kind, period, 1, "month", price, monthly, 22, inputs)


def _charge_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    for charge in facts.charges:
        rule = 32 if charge.kind is LineKind.LATE_FEE else 27
        inputs: dict[str, int | str] = {"charge": charge.id, "title": charge.title}
        price = UnitPrice(charge.amount_cents * 100)
        yield InvoiceLine(charge.kind, facts.period, 1, "charge", price, charge.amount_cents, rule, inputs)


def _tax_lines(facts: BillingFacts, charged: Sequence[InvoiceLine]) -> Iterator[InvoiceLine]:
    taxed_cents = sum(line.amount_cents for line in charged)
    if facts.tax is None or taxed_cents == 0:
        return
    rate = facts.tax.ten_thousandths
    inputs: dict[str, int | str] = {"tax_name": facts.tax.name, "taxed_cents": taxed_cents}
    amount = round_half_up(taxed_cents * rate, 10_000)
    yield InvoiceLine(LineKind.TAX, facts.period, 1, "ten-thousandths", UnitPrice(rate), amount, 11, inputs)


def _usage_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    for month in facts.used:
        rated = rate_usage(month.usage, month.plan, month.period, facts.paid_starts_on, month.policies)
        is_ending = facts.kind is InvoiceKind.CYCLE and month.period.ends_before == facts.period.starts_on
        if is_ending or month.is_current:
            yield from _ended_month_lines(month, rated)
        elif rated.total_cents != month.billed_cents:
            yield _adjustment_line(month, rated)


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


def _adjustment_line(month: UsedPeriod, rated: RatedUsage) -> InvoiceLine:
    inputs: dict[str, int | str] = {
        "plan": month.plan.code,
        "plan_name": month.plan.name,
        "live_seconds": month.usage.live_seconds,
        "patch_seconds": month.usage.patch_seconds,
        "ivr_seconds": month.usage.ivr_seconds,
        "allowance_seconds": rated.allowance_seconds,
        "rated_cents": rated.total_cents,
        "billed_cents": month.billed_cents,
    }
    amount = rated.total_cents - month.billed_cents
    unit_price = UnitPrice(amount * 100)
    return InvoiceLine(LineKind.ADJUSTMENT, month.period, 1, "correction", unit_price, amount, 25, inputs)


def _line_content(line: InvoiceLine) -> list[object]:
    return [
        line.kind,
        line.period.month,
        line.quantity,
        line.unit,
        line.unit_price,
        line.amount_cents,
        line.rule,
        sorted(line.inputs.items()),
    ]


_write_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True).encode


def digest(*content: object) -> str:
    """Return a hash of values that JSON can write; equal values give an equal hash in every build."""
    return sha256(_write_json(content).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Issue:
    """A computed invoice on its way into the books: who it is for, and what it was computed from.

    `usage_watermark` and `ledger_watermark` are the numbers of the account's last call and last posting that it saw.
    """

    id: str
    account_id: str
    account_name: str
    number: int
    draft: InvoiceDraft
    plan_version_id: str
    policies_version: str
    usage_watermark: int
    ledger_watermark: int
    facts_hash: str
    corrects_invoice_id: str | None = None
