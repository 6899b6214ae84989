"""What a clerk with the published rules would bill: a small model of one account that shares nothing with the product.

Only integers and fractions, its own price list, months as (year, month). Rule numbers are those of the billing rules.
"""

from __future__ import annotations

import calendar
import math
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction
from typing import NamedTuple

Month = tuple[int, int]


class Plan(NamedTuple):
    code: str
    base_cents: int
    included_minutes: int
    cents_per_minute: Fraction


PLANS = tuple(
    Plan(code, dollars * 100, minutes, Fraction(cents))
    for code, dollars, minutes, cents in (
        ("economy", 39, 0, 139),
        ("100", 139, 100, 129),
        ("220", 239, 220, 119),
        ("500", 499, 500, 109),
        ("1000", 949, 1_000, 99),
        ("2500", 2_249, 2_500, 95),
        ("5000", 4_399, 5_000, 89),
        ("10000", 8_599, 10_000, 85),
    )
)
ADD_ONS = {"on_call": 2_500, "transcription": 1_500, "live_call": 2_000, "queue_voicemail": 1_000}
PATCH_CENTS, IVR_CENTS = 10, 15
LATE_DAYS, TENURE_MONTHS, ONE_MONTH_UPGRADES = 35, 6, 3


class Refused(Exception):
    """What the rules forbid; the text is the name of the refusal."""


class Call(NamedTuple):
    on: date
    live_seconds: int
    patch_seconds: int
    ivr_seconds: int
    is_billable: bool


class Line(NamedTuple):
    kind: str
    month: Month
    cents: int


@dataclass(frozen=True)
class Bill:
    kind: str
    month: Month
    lines: tuple[Line, ...]
    credit_applied_cents: int

    @property
    def total_cents(self) -> int:
        return sum(line.cents for line in self.lines)


@dataclass
class Issued:
    bill: Bill
    balance_cents: int
    is_credited: bool = False
    is_void: bool = False


@dataclass
class Subscription:
    code: str
    starts_on: date
    ends_before: date | None = None

    def is_active_on(self, on: date) -> bool:
        return self.starts_on <= on and (self.ends_before is None or on < self.ends_before)


def half_up(value: Fraction) -> int:
    """Rule 4; a reversal is the original negated, so below zero halves go down."""
    return int(math.copysign(math.floor(abs(value) + Fraction(1, 2)), value))


def month_of(on: date) -> Month:
    return on.year, on.month


def shift(month: Month, by: int) -> Month:
    years, place = divmod(month[0] * 12 + month[1] - 1 + by, 12)
    return years, place + 1


def first_day(month: Month) -> date:
    return date(*month, 1)


def days_in(month: Month) -> int:
    return calendar.monthrange(*month)[1]


def for_days(cents: int, month: Month, from_on: date) -> int:
    """Rule 9: the day's price is rounded, then multiplied; a whole month is the whole price."""
    if from_on <= first_day(month):
        return cents
    return half_up(Fraction(cents, days_in(month))) * (days_in(month) - from_on.day + 1)


def next_plan(plan: Plan) -> Plan | None:
    place = PLANS.index(plan) + 1
    return PLANS[place] if place < len(PLANS) else None


def threshold_minutes(plan: Plan) -> int | None:
    """Section 1.3: how far a plan is cost effective."""
    higher = next_plan(plan)
    if higher is None:
        return None
    return plan.included_minutes + math.floor(Fraction(higher.base_cents - plan.base_cents) / plan.cents_per_minute)


@dataclass
class ReferenceAccount:
    """One account by the rules. `months`: the plan of each opened month; `grants`: what is left of each credit."""

    paid_from: date
    chosen: Plan
    pending: Plan | None = None
    upgrades: int = 0
    months: dict[Month, Plan] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    add_ons: list[Subscription] = field(default_factory=list)
    charges: list[int] = field(default_factory=list)
    taxes: list[tuple[date, int]] = field(default_factory=list)
    invoices: list[Issued] = field(default_factory=list)
    grants: list[int] = field(default_factory=list)

    @property
    def next_month(self) -> Month:
        """The month that the next cycle invoice opens."""
        return shift(max(self.months), 1) if self.months else month_of(self.paid_from)

    @property
    def coming_plan(self) -> Plan:
        return self.pending or self.chosen

    @property
    def credit_cents(self) -> int:
        return sum(self.grants)

    @property
    def open_cents(self) -> int:
        return sum(issued.balance_cents for issued in self.invoices)

    # -- prices --

    def base(self, plan: Plan, month: Month) -> int:
        return for_days(plan.base_cents, month, self.paid_from)

    def allowance_minutes(self, plan: Plan, month: Month) -> int:
        """Rule 10: for the paid days of the month."""
        paid_days = max(0, days_in(month) - max(0, (self.paid_from - first_day(month)).days))
        return half_up(Fraction(plan.included_minutes * paid_days, days_in(month)))

    def month_threshold_minutes(self, plan: Plan, month: Month) -> int | None:
        """Section 1.3 with the prices and the allowance of a first month's paid days (rules 9 and 10)."""
        higher = next_plan(plan)
        if higher is None:
            return None
        saved = Fraction(self.base(higher, month) - self.base(plan, month))
        return self.allowance_minutes(plan, month) + math.floor(saved / plan.cents_per_minute)

    def seconds(self, month: Month) -> tuple[int, int, int]:
        """Rules 3, 8 and 10: billable calls of the month from the paid start on."""
        mine = [c for c in self.calls.values() if c.is_billable and month_of(c.on) == month and c.on >= self.paid_from]
        return sum(c.live_seconds for c in mine), sum(c.patch_seconds for c in mine), sum(c.ivr_seconds for c in mine)

    def usage_lines(self, plan: Plan, month: Month) -> tuple[Line, ...]:
        """Rules 4, 6 and 7: each rounded once."""
        live, patch, ivr = self.seconds(month)
        over = max(0, live - self.allowance_minutes(plan, month) * 60)
        overage = half_up(Fraction(over, 60) * plan.cents_per_minute)
        extra = half_up(Fraction(patch, 60) * PATCH_CENTS), half_up(Fraction(ivr, 60) * IVR_CENTS)
        return Line("OVERAGE", month, overage), Line("PATCH", month, extra[0]), Line("IVR", month, extra[1])

    def cost(self, plan: Plan, month: Month) -> int:
        return self.base(plan, month) + self.usage_lines(plan, month)[0].cents

    def billed(self, month: Month, *kinds: str) -> int:
        lines = (line for issued in self.invoices if not issued.is_void for line in issued.bill.lines)
        return sum(line.cents for line in lines if line.month == month and line.kind in kinds)

    # -- bills --

    def bill(self, kind: str, month: Month, lines: list[Line], on: date) -> Bill:
        """Adds the tax in force, and the credit that is applied at issue (rules 14, 35)."""
        rates = [rate for valid_from, rate in sorted(self.taxes) if valid_from <= on]
        taxed = sum(line.cents for line in lines)
        tax = half_up(Fraction(taxed * rates[-1], 10_000)) if rates else 0
        charged = tuple(line for line in (*lines, Line("TAX", month, tax)) if line.cents)
        return Bill(kind, month, charged, min(max(0, taxed + tax), self.credit_cents))

    def issue(self, bill: Bill) -> None:
        """Rule 35: below zero it is credit, net and tax; else the oldest credit goes first."""
        tax = sum(line.cents for line in bill.lines if line.kind == "TAX")
        if bill.total_cents < 0:
            self.grants += [cents for cents in (tax - bill.total_cents, -tax) if cents]
            self.invoices.append(Issued(bill, 0))
        else:
            self.use_credit(bill.credit_applied_cents)
            self.invoices.append(Issued(bill, bill.total_cents - bill.credit_applied_cents))

    def issue_in_vain(self, bill: Bill) -> None:
        """Rule 17: what could not be charged is void, and the credit that it had used is credit again, the newest."""
        self.use_credit(bill.credit_applied_cents)
        self.grants += [cents for cents in (bill.credit_applied_cents,) if cents]
        self.invoices.append(Issued(bill, 0, is_void=True))

    def charge_last(self) -> None:
        """Rule 17: what was bought last is paid."""
        self.invoices[-1].balance_cents = 0

    def use_credit(self, cents: int) -> None:
        for place, left in enumerate(self.grants):
            part = min(left, cents)
            self.grants[place] -= part
            cents -= part
        assert cents == 0
        self.grants = [left for left in self.grants if left]

    def swap(self, kind: str, month: Month, target: Plan, on: date) -> Bill | None:
        """Rule 13: the new base less all that was billed for the month; nothing where nothing changes."""
        if target == self.months[month]:
            return None
        billed = self.billed(month, "BASE", "BASE_REVERSAL")
        lines = [Line("BASE", month, self.base(target, month)), Line("BASE_REVERSAL", month, -billed)]
        return self.bill(kind, month, lines, on)

    def cycle_bill(self) -> Bill:
        """Rule 11, and rule 25 for months that closed before; the tax is that of the month's first day."""
        month, opens_on = self.next_month, first_day(self.next_month)
        kept = [item for item in self.add_ons if item.starts_on < opens_on and item.is_active_on(opens_on)]
        lines = [Line("BASE", month, self.base(self.coming_plan, month))]
        lines += [Line("ADD_ON", month, ADD_ONS[item.code]) for item in kept]
        for used, plan in sorted(self.months.items(), reverse=True):
            rated = self.usage_lines(plan, used)
            if used == shift(month, -1):
                lines += rated
            else:
                late = sum(line.cents for line in rated) - self.billed(used, "OVERAGE", "PATCH", "IVR", "ADJUSTMENT")
                lines.append(Line("ADJUSTMENT", used, late))
        lines += [Line("CHARGE", month, cents) for cents in self.charges]
        return self.bill("CYCLE", month, lines, opens_on)

    def open_month(self) -> Bill:
        """Rule 12, after the upgrade that the ending month may call for."""
        bill = self.cycle_bill()
        self.months[self.next_month] = self.chosen = self.coming_plan
        if self.pending is not None:
            self.pending, self.upgrades = None, 0
        self.charges = []
        self.issue(bill)
        return bill

    # -- changes of plan --

    def offer(self, target: Plan, when: str, today: date) -> tuple[object, Bill | None]:
        """What a quote covers (rules 13-16), and the bill in it."""
        month = month_of(today)
        current = self.months.get(month, self.coming_plan)
        if when == "NEXT_CYCLE":
            if target == self.coming_plan:
                raise Refused("AlreadyOnPlan")
            return (target, when, first_day(self.next_month), None), None
        if target == current == self.coming_plan:
            raise Refused("AlreadyOnPlan")
        limit = self.month_threshold_minutes(target, month)
        is_lower = target.base_cents < current.base_cents
        if is_lower and limit is not None and self.seconds(month)[0] > limit * 60:
            raise Refused("DowngradeNotCostEffective")
        bill = self.swap("PLAN_CHANGE", month, target, today) if month in self.months else None
        return (target, when, first_day(month), current, bill), bill

    def change(self, target: Plan, when: str, today: date) -> None:
        if when == "NEXT_CYCLE":
            self.pending = None if target == self.chosen else target
            return
        _, bill = self.offer(target, when, today)
        if bill is not None:
            self.issue(bill)
        if month_of(today) in self.months:
            self.months[month_of(today)] = target
        self.choose(target)

    def choose(self, target: Plan) -> None:
        self.chosen, self.pending, self.upgrades = target, None, 0

    def due_upgrade(self, month: Month) -> Plan | None:
        """Rule 19: tenure is that of the month's first day; the target is stepped up to."""
        plan = self.months.get(month)
        higher = None if plan is None else next_plan(plan)
        if plan is None or higher is None or self.cost(plan, month) <= self.cost(higher, month):
            return None
        anniversary = shift(month_of(self.paid_from), TENURE_MONTHS)
        settled_on = date(*anniversary, min(self.paid_from.day, days_in(anniversary)))
        if settled_on <= first_day(month):
            limit = threshold_minutes(higher)
            if limit is None or self.seconds(month)[0] <= limit * 60:
                return None
        while (above := next_plan(higher)) is not None and self.cost(higher, month) > self.cost(above, month):
            higher = above
        return higher

    def upgrade(self, month: Month, on: date) -> Bill | None:
        """Rule 20: for this month, and the fourth for good; what the customer has arranged stays (rule 15)."""
        target = self.due_upgrade(month)
        if target is None:
            return None
        bill = self.swap("PLAN_UPGRADE", month, target, on)
        assert bill is not None
        self.issue(bill)
        self.months[month] = target
        if self.upgrades >= ONE_MONTH_UPGRADES:
            self.chosen, self.upgrades = target, 0
        else:
            self.upgrades += 1
        return bill

    # -- add-ons (rules 22, 23) --

    def active_add_on(self, code: str, on: date) -> Subscription | None:
        return next((item for item in self.add_ons if item.code == code and item.is_active_on(on)), None)

    def add_on_bill(self, code: str, today: date) -> Bill:
        if self.active_add_on(code, today) is not None:
            raise Refused("AddOnAlreadyActive")
        month = month_of(today)
        return self.bill("ADD_ON", month, [Line("ADD_ON", month, for_days(ADD_ONS[code], month, today))], today)

    def buy(self, code: str, today: date) -> None:
        self.issue(self.add_on_bill(code, today))
        self.add_ons.append(Subscription(code, today))

    def end_add_on(self, code: str, today: date) -> None:
        item = self.active_add_on(code, today)
        if item is None or item.ends_before is not None:
            raise Refused("AddOnNotActive")
        item.ends_before = first_day(shift(month_of(today), 1))

    def keep_add_on(self, code: str, today: date) -> None:
        item = self.active_add_on(code, today)
        if item is None or item.ends_before is None:
            raise Refused("AddOnNotActive")
        item.ends_before = None

    # -- money and calls --

    def pay(self, cents: int) -> None:
        for issued in self.invoices:
            part = min(issued.balance_cents, cents)
            issued.balance_cents -= part
            cents -= part
        if cents:
            self.grants.append(cents)

    def credit_note(self, place: int, today: date) -> Bill:
        """Gives back a whole invoice: first what is open on it, out of the oldest credit (rules 27, 35)."""
        credited = self.invoices[place]
        credited.is_credited = True
        lines = tuple(
            Line("TAX" if line.kind == "TAX" else "CORRECTION", line.month, -line.cents) for line in credited.bill.lines
        )
        bill = Bill("CREDIT_NOTE", month_of(today), lines, 0)
        self.issue(bill)
        self.use_credit(credited.balance_cents)
        credited.balance_cents = 0
        return bill

    def takes(self, on: date, age: timedelta) -> bool:
        """Rule 25: an open month takes every call, a closed one for 35 days, the future none."""
        is_open = shift(month_of(on), 1) >= self.next_month
        return age >= timedelta(minutes=-5) and (is_open or age <= timedelta(days=LATE_DAYS))
