"""What a clerk with the published rules would bill: a small model of one account that shares nothing with the product.

Only integers and fractions, its own price list, months as (year, month). Rule numbers are those of the billing rules.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from fractions import Fraction

from tests.scenarios.reference_bills import USAGE_KINDS, Bill, Line, Position, Rate, Refused
from tests.scenarios.reference_books import Invoice
from tests.scenarios.reference_money import Money
from tests.scenarios.reference_prices import (
    ADD_ONS,
    IVR_CENTS,
    PATCH_CENTS,
    Call,
    Month,
    Plan,
    Subscription,
    days_in,
    first_day,
    for_days,
    half_up,
    month_of,
    next_plan,
    shift,
    threshold_minutes,
)

LATE_DAYS, TENURE_MONTHS, ONE_MONTH_UPGRADES = 35, 6, 3


@dataclass
class ReferenceAccount:
    """One account by the rules. `months`: the plan of each opened month; `waiting`: charges for the next invoice."""

    paid_from: date
    chosen: Plan
    pending: Plan | None = None
    upgrades: int = 0
    months: dict[Month, Plan] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    add_ons: list[Subscription] = field(default_factory=list)
    charges: list[int] = field(default_factory=list)
    waiting: list[int] = field(default_factory=list)
    invoiced: dict[int, list[int]] = field(default_factory=dict)
    taxes: dict[date, tuple[Rate, ...]] = field(default_factory=dict)
    books: Money = field(default_factory=Money)
    last_issued_on: date | None = None

    @property
    def next_month(self) -> Month:
        """The month that the next cycle invoice opens."""
        return shift(max(self.months), 1) if self.months else month_of(self.paid_from)

    @property
    def coming_plan(self) -> Plan:
        return self.pending or self.chosen

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

    def rated(self, plan: Plan, month: Month) -> dict[str, int]:
        """Rules 4, 6 and 7: each kind of usage is rounded once."""
        live, patch, ivr = self.seconds(month)
        over = max(0, live - self.allowance_minutes(plan, month) * 60)
        overage = half_up(Fraction(over, 60) * plan.cents_per_minute)
        extra = half_up(Fraction(patch, 60) * PATCH_CENTS), half_up(Fraction(ivr, 60) * IVR_CENTS)
        return dict(zip(USAGE_KINDS, (overage, *extra), strict=True))

    def cost(self, plan: Plan, month: Month) -> int:
        return self.base(plan, month) + self.rated(plan, month)["OVERAGE"]

    def rates(self, on: date) -> tuple[Rate, ...]:
        """The newest list that has begun; it counts whole, whatever was before it."""
        begun = [valid_from for valid_from in self.taxes if valid_from <= on]
        return self.taxes[max(begun)] if begun else ()

    # -- bills --

    def issue(self, bill: Bill, today: date, *, corrects: int = 0) -> Invoice:
        self.last_issued_on = today
        return self.books.issue(bill, corrects=corrects)

    def decline(self, bill: Bill, today: date) -> None:
        """Rule 17: what could not be charged is void, and the credit that it had used is credit again."""
        self.books.withdraw(self.issue(bill, today))
        self.books.settle()

    def swap(self, kind: str, month: Month, target: Plan, on: date) -> Bill | None:
        """Rule 13: the new base less what is still billed for the month; nothing where nothing changes."""
        if target == self.months[month]:
            return None
        gross = self.base(target, month)
        lines, position = self.books.base_lines(month, gross), Position(month, "BASE")
        return self.books.bill(kind, month, lines, self.rates(on), [(position, gross)])

    def cycle_bill(self, month: Month, plan: Plan) -> Bill:
        """Rule 11, and rule 25 for months that closed before; the taxes are those of the month's first day."""
        opens_on, base = first_day(month), self.base(plan, month)
        kept = [item for item in self.add_ons if item.starts_on < opens_on and item.is_active_on(opens_on)]
        gross = [(Position(month, "BASE"), base)]
        lines = [Line("BASE", month, base)]
        lines += [Line("ADD_ON", month, ADD_ONS[item.code]) for item in kept]
        for used in sorted((each for each in self.months if each < month), reverse=True):
            for kind, cents in self.rated(self.months[used], used).items():
                gross.append((Position(used, kind), cents))
                if used == shift(month, -1):
                    lines += [Line(kind, used, cents)] if cents else []
                else:
                    lines += self.books.adjustment_lines(Position(used, kind), cents)
        lines += [Line("CHARGE", month, self.charges[charge]) for charge in self.waiting]
        return self.books.bill("CYCLE", month, lines, self.rates(opens_on), gross)

    def open_month(self, today: date) -> Bill:
        """Rule 12, after the upgrade that the ending month may call for."""
        month = self.next_month
        bill = self.cycle_bill(month, self.coming_plan)
        self.months[month] = self.chosen = self.coming_plan
        if self.pending is not None:
            self.pending, self.upgrades = None, 0
        self._issue_cycle(bill, today)
        return bill

    def _issue_cycle(self, bill: Bill, today: date, corrects: int = 0) -> None:
        number = self.issue(bill, today, corrects=corrects).number
        self.invoiced[number], self.waiting = self.waiting, []

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
            self.issue(bill, today)
        if month_of(today) in self.months:
            self.months[month_of(today)] = target
        self.chosen, self.pending, self.upgrades = target, None, 0

    def cancel_change(self) -> None:
        if self.pending is None:
            raise Refused("NoScheduledChange")
        self.pending = None

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

    def upgrade(self, month: Month, on: date, today: date) -> Bill | None:
        """Rule 20: for this month, and the fourth for good; what the customer has arranged stays (rule 15)."""
        target = self.due_upgrade(month)
        if target is None:
            return None
        bill = self.swap("PLAN_UPGRADE", month, target, on)
        assert bill is not None
        self.issue(bill, today)
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
        line = Line("ADD_ON", month, for_days(ADD_ONS[code], month, today))
        return self.books.bill("ADD_ON", month, [line], self.rates(today))

    def buy(self, code: str, today: date) -> None:
        self.issue(self.add_on_bill(code, today), today)
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

    # -- what staff do --

    def set_taxes(self, valid_from: date, rates: tuple[Rate, ...]) -> None:
        """The whole list from a day on; no day that was invoiced already has another."""
        if self.taxes.get(valid_from) == rates:
            return
        if self.last_issued_on is not None and valid_from <= self.last_issued_on:
            raise Refused("TaxBackdated")
        self.taxes[valid_from] = rates

    def add_charge(self, cents: int) -> None:
        self.waiting.append(len(self.charges))
        self.charges.append(cents)

    def waive(self, charge: int) -> None:
        if any(charge in charges for charges in self.invoiced.values()):
            raise Refused("ChargeAlreadyInvoiced")
        self.waiting = [each for each in self.waiting if each != charge]

    def credit_note(self, number: int, cents_by_line: dict[int, int | None], today: date) -> Bill:
        """Rule 27: by the place of each line; no line is all of all, and no cents all of the line."""
        bill = self.books.note(number, cents_by_line, month_of(today))
        self.issue(bill, today, corrects=number)
        return bill

    def void(self, number: int, today: date) -> Bill:
        """Rule 27: the newest cycle invoice is issued again; its charges wait for it, and credit of it is credit."""
        invoice = self.books.invoice(number)
        self._check_voidable(invoice)
        self.books.withdraw(invoice)
        self.waiting = sorted(self.waiting + self.invoiced.pop(number))
        month = invoice.bill.month
        bill = self.cycle_bill(month, self.months[month])
        self._issue_cycle(bill, today, corrects=number)
        return bill

    def _check_voidable(self, invoice: Invoice) -> None:
        later = [other for other in self.books.invoices if other.number > invoice.number and not other.is_void]
        entries = {id(share.entry) for write_off in self.books.write_offs for share in write_off.shares}
        obstacles = {
            "only the invoice of a month can be issued again": invoice.bill.kind != "CYCLE",
            "a later month has been invoiced": shift(invoice.bill.month, 1) != self.next_month,
            "it was written off": invoice.status == "UNCOLLECTIBLE",
            "it gave the account credit": invoice.bill.total_cents < 0,
            "a payment was received for it": invoice.was_paid,
            "a credit note was written over it": any(other.corrects == invoice.number for other in later),
            "the plan of its month was changed": any(
                other.bill.kind in {"PLAN_CHANGE", "PLAN_UPGRADE"} and other.bill.month == invoice.bill.month
                for other in later
            ),
            "a part of it was written off": any(id(entry) in entries for entry in invoice.entries),
        }
        if any(obstacles.values()):
            raise Refused("InvoiceNotVoidable")

    # -- calls --

    def takes(self, on: date, age: timedelta) -> bool:
        """Rule 25: an open month takes every call, a closed one for 35 days, the future none."""
        is_open = shift(month_of(on), 1) >= self.next_month
        return age >= timedelta(minutes=-5) and (is_open or age <= timedelta(days=LATE_DAYS))

    def record(self, event: str, call: Call, corrects: str | None) -> None:
        """Rule 24: a correction stands in the place of the call that it names."""
        self.calls[event] = call
        if corrects is not None:
            del self.calls[corrects]

    def net_by_position(self) -> Counter[Position]:
        return self.books.positions()
