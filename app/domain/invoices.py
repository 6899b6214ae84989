"""The one function that computes every bill: the invoice that should exist, less what was already billed.

Preview, advice, the real run and the later check all call `compute_invoice` with the same facts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING

from app.domain.money import UnitPrice
from app.domain.pricing import rate_usage
from app.domain.proration import daily_rate_cents, prorated_cents

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

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
    OVERAGE = "OVERAGE"
    PATCH = "PATCH"
    IVR = "IVR"
    ADJUSTMENT = "ADJUSTMENT"


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
    """A month whose usage is to be billed: its own plan, prices and policies, its calls so far, and what was billed."""

    period: Period
    plan: PlanVersion
    policies: Policies
    usage: UsageTotals
    billed_cents: int = 0


@dataclass(frozen=True, slots=True)
class BillingFacts:
    """All that a cycle invoice depends on.

    `period`: the month that the invoice opens; its base is billed. `plan`, `policies`: those of that month.
    `used`: months before it, newest first; the newest is the month now ending, the others are closed and bill late
    usage. `credit_available_cents`: credit of the account at issue.
    """

    period: Period
    paid_starts_on: date
    plan: PlanVersion
    policies: Policies
    used: tuple[UsedPeriod, ...] = ()
    credit_available_cents: int = 0


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
        return _digest(
            [_line_content(line) for line in self.lines], self.kind, self.period.month, self.credit_applied_cents
        )


def compute_invoice(facts: BillingFacts) -> InvoiceDraft:
    """Compute the cycle invoice that opens `facts.period` (rules 7, 9, 11, 14, 25).

    Lines stand in the order of rule 11: the base of the month that begins, then overage, patch and IVR of the month
    that ended, then one adjustment for each earlier month whose calls came late.
    """
    lines = (_base_line(facts), *_usage_lines(facts))
    total_cents = sum(line.amount_cents for line in lines)
    applied_cents = min(max(0, total_cents), facts.credit_available_cents)
    return InvoiceDraft(InvoiceKind.CYCLE, facts.period, lines, applied_cents)


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
    return _digest(ENGINE_VERSION, opening, used)


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


def _usage_lines(facts: BillingFacts) -> Iterator[InvoiceLine]:
    for month in facts.used:
        rated = rate_usage(month.usage, month.plan, month.period, facts.paid_starts_on, month.policies)
        if month.period.ends_before == facts.period.starts_on:
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


def _digest(*content: object) -> str:
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
