"""The price list, the months and the roundings of the reference model. Rule numbers are those of the billing rules."""

from __future__ import annotations

import calendar
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
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


class Call(NamedTuple):
    on: date
    live_seconds: int
    patch_seconds: int
    ivr_seconds: int
    is_billable: bool


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


def shared(cents: int, weights: Sequence[int]) -> list[int]:
    """Share cents by weight: each the floor of its part, then the largest remainders a cent more, the earlier first."""
    whole = sum(weights) or 1
    parts = [cents * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(cents * weights[place] % whole), place))
    for place in by_remainder[: cents - sum(parts)]:
        parts[place] += 1
    assert sum(parts) == cents
    return parts


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
