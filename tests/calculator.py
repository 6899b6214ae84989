"""A second, naive reckoning of cycle invoices, changes of plan and upgrades, written from the billing rules alone.

It shares no code with the product: days are walked one by one, daylight saving is worked out from the calendar,
and money is held in exact fractions until the single rounding of each line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from functools import cache
from math import floor

Month = tuple[int, int]
Line = tuple[str, Month, int]

ONE_DAY = timedelta(days=1)
SUNDAY = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFigures:
    """What one month costs: base in cents, whole included minutes, price of a further minute in 1/10,000 dollar."""

    base_cents: int
    included_minutes: int
    overage_rate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call as the operators' platform measured it; every length in seconds."""

    started_at: datetime
    script_seconds: int = 0
    recording_seconds: int = 0
    patch_seconds: int = 0
    ivr_seconds: int = 0
    billable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """The lines that are not zero, in the order of the invoice, and their sum in cents."""

    lines: list[Line]
    total_cents: int


def bill_month(
    month: Month,
    *,
    paid_from: date,
    plans: Mapping[Month, PlanFigures],
    calls: Iterable[Call],
    already_billed: Mapping[tuple[Month, str], int],
    patch_rate: int = 1000,
    ivr_rate: int = 1500,
) -> Bill:
    """The invoice of the 1st of `month`: its base, last month's usage, then corrections of earlier months by kind.

    `plans` needs every month from the first paid one; `already_billed` holds cents per earlier month and kind of usage.
    """
    calls = list(calls)
    lines: list[Line] = [("base", month, base_of(month, paid_from, plans[month].base_cents))]
    last = month_before(month)
    if last in plans:
        used = usage_of(last, paid_from, plans[last], calls, patch_rate, ivr_rate)
        lines += [(kind, last, cents) for kind, cents in used]
    for earlier in sorted(plans):
        if earlier < last:
            used = usage_of(earlier, paid_from, plans[earlier], calls, patch_rate, ivr_rate)
            lines += [
                (f"{kind} adjustment", earlier, cents - already_billed.get((earlier, kind), 0)) for kind, cents in used
            ]
    lines = [line for line in lines if line[2] != 0]
    return Bill(lines=lines, total_cents=sum(cents for _, _, cents in lines))


def base_of(month: Month, paid_from: date, base_cents: int) -> int:
    """Full base of a whole month; in a partial one the daily price in whole cents, charged day after day (rule 9)."""
    days = days_of(month)
    daily = half_up(Fraction(base_cents, len(days)))
    paid_days = tuple(day for day in days if day >= paid_from)
    return base_cents if paid_days == days else sum(daily for _ in paid_days)


def allowance_of(month: Month, paid_from: date, included_minutes: int) -> int:
    """Whole minutes free in the month, in proportion to the days paid (rule 10)."""
    days = days_of(month)
    share = sum((Fraction(included_minutes, len(days)) for day in days if day >= paid_from), Fraction(0))
    return half_up(share)


def base_charges(month: Month, paid_from: date, base_prices: Iterable[int]) -> list[int]:
    """What each invoice of a month charges when it stands on plans of these base prices one after the other.

    The first is the month's own; every later one gives back all that was billed and charges the new base (rule 13).
    """
    charges: list[int] = []
    for price in base_prices:
        charges.append(base_of(month, paid_from, price) - sum(charges))
    return charges


def credit_after(charges: Iterable[int]) -> tuple[int, int]:
    """What invoices of these totals leave to be paid in all, and as credit, which pays what comes later (rule 14)."""
    due, credit = 0, 0
    for charge in charges:
        credit -= charge
        due, credit = due + max(0, -credit), max(0, credit)
    return due, credit


def fitting_plan(month: Month, paid_from: date, ladder: Sequence[PlanFigures], at: int, live_seconds: int) -> int:
    """The place on the ladder at which the month ends, from place `at` on (rule 19).

    Step up while the next plan costs less. From six months after the paid start on, only when the usage is also past
    what the next plan is good for: the whole minutes up to which it costs no more than the one above it.
    """
    fits = at
    while fits + 1 < len(ladder) and cost_of_month(month, paid_from, ladder[fits + 1], live_seconds) < cost_of_month(
        month, paid_from, ladder[fits], live_seconds
    ):
        fits += 1
    if fits == at or not has_six_months(month, paid_from):
        return fits
    return fits if at + 2 < len(ladder) and live_seconds > 60 * good_to(ladder[at + 1], ladder[at + 2]) else at


def cost_of_month(month: Month, paid_from: date, plan: PlanFigures, live_seconds: int) -> int:
    """Base and overage of a month in cents (rules 7, 9, 10)."""
    over = max(0, live_seconds - 60 * allowance_of(month, paid_from, plan.included_minutes))
    return base_of(month, paid_from, plan.base_cents) + half_up(cost_of(over, plan.overage_rate))


def good_to(plan: PlanFigures, higher: PlanFigures) -> int:
    """The last whole minute at which a plan costs no more than the next one (section 1.3)."""
    return plan.included_minutes + floor(Fraction((higher.base_cents - plan.base_cents) * 100, plan.overage_rate))


def has_six_months(month: Month, paid_from: date) -> bool:
    """Whether six months had gone by since the paid start when the month began."""
    since = (month[0] - paid_from.year) * 12 + month[1] - paid_from.month
    return since > 6 or (since == 6 and paid_from.day == 1)


def usage_of(
    month: Month, paid_from: date, plan: PlanFigures, calls: Iterable[Call], patch_rate: int, ivr_rate: int
) -> list[tuple[str, int]]:
    """Overage, patch and IVR cents of the month's billable calls on paid days (rules 3, 4, 6, 7, 10)."""
    over, patch, ivr = Fraction(0), Fraction(0), Fraction(0)
    left = allowance_of(month, paid_from, plan.included_minutes) * 60
    for call in calls:
        day = pacific_day(call.started_at)
        if (day.year, day.month) != month or day < paid_from or not call.billable:
            continue
        live = max(call.script_seconds, call.recording_seconds)
        free = min(left, live)
        left -= free
        over += cost_of(live - free, plan.overage_rate)
        patch += cost_of(call.patch_seconds, patch_rate)
        ivr += cost_of(call.ivr_seconds, ivr_rate)
    return [("overage", half_up(over)), ("patch", half_up(patch)), ("ivr", half_up(ivr))]


def cost_of(seconds: int, rate: int) -> Fraction:
    """Exact cents of some seconds at a price per minute in 1/10,000 dollar."""
    return Fraction(seconds, 60) * Fraction(rate, 100)


def half_up(amount: Fraction) -> int:
    """Nearest whole number; a half goes up (rule 4)."""
    return floor(amount + Fraction(1, 2))


def month_before(month: Month) -> Month:
    """The calendar month before."""
    last_day = date(month[0], month[1], 1) - ONE_DAY
    return last_day.year, last_day.month


@cache
def days_of(month: Month) -> tuple[date, ...]:
    """Every day of the calendar month, walked one by one."""
    day, days = date(month[0], month[1], 1), []
    while (day.year, day.month) == month:
        days.append(day)
        day += ONE_DAY
    return tuple(days)


def pacific_day(instant: datetime) -> date:
    """Calendar day in Los Angeles; summer time runs from March's 2nd Sunday to November's 1st (law since 2007)."""
    instant = instant.astimezone(UTC)
    summer_from = datetime(instant.year, 3, nth_sunday(instant.year, 3, 2), 10, tzinfo=UTC)
    summer_until = datetime(instant.year, 11, nth_sunday(instant.year, 11, 1), 9, tzinfo=UTC)
    hours_behind = 7 if summer_from <= instant < summer_until else 8
    return (instant - timedelta(hours=hours_behind)).date()


@cache
def nth_sunday(year: int, month: int, nth: int) -> int:
    """Day of the month of its nth Sunday."""
    sundays = [day.day for day in days_of((year, month)) if day.weekday() == SUNDAY]
    return sundays[nth - 1]
