"""What a month's usage comes to by its end, at the pace of its days, and how far that may be trusted (rule 40)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from math import lcm
from typing import TYPE_CHECKING

from app.domain.money import round_half_up
from app.domain.usage import UsageTotals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from app.domain.invoices import BillingFacts
    from app.domain.periods import Period
    from app.domain.plans import PlanVersion

LEAST_DAYS = 7
"""How many whole days a projection needs: one of each weekday."""

LEAST_PATTERN_DAYS = 14
"""How many whole days tell the weekdays apart: two of each."""

MONTHS_BEFORE = 3
"""How many months before the projected one count, where there are any."""

NO_USAGE = UsageTotals()

_DAYS_IN_WEEK = 7


class ProjectionBasis(StrEnum):
    """What a projection rests on."""

    MONTH_IS_OVER = "MONTH_IS_OVER"
    TOO_LITTLE_DATA = "TOO_LITTLE_DATA"
    DAILY_AVERAGE = "DAILY_AVERAGE"
    WEEKDAY_PATTERN = "WEEKDAY_PATTERN"


@dataclass(frozen=True, slots=True)
class _AverageDays:
    """The average day of each weekday from Monday on, exactly: as whole usage in parts of `parts`."""

    parts: int
    by_weekday: tuple[UsageTotals, ...]


@dataclass(frozen=True, slots=True)
class ProjectedDay:
    """The usage of the month up to the end of the day `on`."""

    on: date
    usage: UsageTotals


@dataclass(frozen=True, slots=True)
class Projection:
    """A month's usage at its end, beside what is `used` of it; never below that.

    `basis` says what it rests on: `observed_days` whole days, the first of them `observed_from`. With too little data
    nothing is projected, and `usage` is what is used. `days` lead there, where it is made: today and the days to
    come, each with the usage of the month up to its end.
    """

    period: Period
    used: UsageTotals
    usage: UsageTotals
    basis: ProjectionBasis
    observed_from: date
    observed_days: int
    days: tuple[ProjectedDay, ...]

    @property
    def is_made(self) -> bool:
        """Tell whether `usage` speaks of the month's end, rather than of what is used so far."""
        return self.basis is not ProjectionBasis.TOO_LITTLE_DATA

    @property
    def explanation(self) -> str:
        """The basis in one sentence for the customer."""
        return _EXPLANATIONS[self.basis].format(
            count=f"there {'is' if self.observed_days == 1 else 'are'} {self.observed_days}",
            days=f"{self.observed_days} whole days",
            since=f"{self.observed_from:%B} {self.observed_from.day}, {self.observed_from.year}",
            least=LEAST_DAYS,
        )


def project(*, period: Period, today: date, known_from: date, days: Mapping[date, UsageTotals]) -> Projection:
    """Project a month to its end from its days so far and from up to three months before it (rule 40).

    `days` holds the usage of dates with calls; from `known_from` on (the paid start, or the first day whose calls are
    there) a date without calls had none. Whole days, those before today, give the averages: one for each weekday where
    two of each are known, else one for all days. Today counts with what is used already or with its average, whichever
    is more. Averages are exact; each day's running total is rounded once, half up.
    """
    used = _sum(usage for on, usage in days.items() if period.contains(on) and on >= known_from)
    first = max(known_from, period.shifted(-MONTHS_BEFORE).starts_on)
    observed_days = max(0, (min(today, period.ends_before) - first).days)
    if period.ends_before <= today:
        return _unmoved(period, used, ProjectionBasis.MONTH_IS_OVER, first, observed_days)
    if observed_days < LEAST_DAYS:
        return _unmoved(period, used, ProjectionBasis.TOO_LITTLE_DATA, first, observed_days)
    observed = [first + timedelta(days=offset) for offset in range(observed_days)]
    basis = ProjectionBasis.WEEKDAY_PATTERN if observed_days >= LEAST_PATTERN_DAYS else ProjectionBasis.DAILY_AVERAGE
    averages = _averages(observed, days, by_weekday=basis is ProjectionBasis.WEEKDAY_PATTERN)
    path = tuple(_path(period, max(today, period.starts_on), known_from, days, averages))
    return Projection(period, used, path[-1].usage, basis, first, observed_days, path)


def project_facts(
    facts: BillingFacts,
    projection: Projection,
    *,
    month_plan: PlanVersion | None = None,
    next_plan: PlanVersion | None = None,
    credit_used_cents: int = 0,
) -> BillingFacts:
    """Return the facts of the next invoice as they will be once the projected month is over (rule 40).

    The month's usage is the projected one; nothing else moves, so an invoice that bills no usage of that month stays as
    it is. Where an upgrade is expected, `month_plan` is the plan that the month ends on, `next_plan` the one of the
    month after it if the upgrade is to stay, and `credit_used_cents` the credit that its invoice takes (rules 20, 21).
    """
    if all(month.period != projection.period for month in facts.used):
        return facts
    used = tuple(
        replace(month, usage=projection.usage, plan=month_plan or month.plan)
        if month.period == projection.period
        else month
        for month in facts.used
    )
    credit_cents = facts.credit_available_cents - credit_used_cents
    return replace(facts, used=used, plan=next_plan or facts.plan, credit_available_cents=credit_cents)


def _unmoved(period: Period, used: UsageTotals, basis: ProjectionBasis, first: date, observed_days: int) -> Projection:
    return Projection(period, used, used, basis, first, observed_days, ())


def _path(
    period: Period, first: date, known_from: date, days: Mapping[date, UsageTotals], averages: _AverageDays
) -> Iterator[ProjectedDay]:
    begins_on, parts = max(period.starts_on, known_from), averages.parts
    running = _times(_sum(usage for on, usage in days.items() if begins_on <= on < first), parts)
    for offset in range((period.ends_before - first).days):
        on = first + timedelta(days=offset)
        running += _larger(_times(days.get(on, NO_USAGE), parts), averages.by_weekday[on.weekday()])
        yield ProjectedDay(on, _rounded(running, parts))


def _averages(observed: Sequence[date], days: Mapping[date, UsageTotals], *, by_weekday: bool) -> _AverageDays:
    if not by_weekday:
        total = _sum(days.get(on, NO_USAGE) for on in observed)
        return _AverageDays(len(observed), (total,) * _DAYS_IN_WEEK)
    dates = [[on for on in observed if on.weekday() == weekday] for weekday in range(_DAYS_IN_WEEK)]
    parts = lcm(*map(len, dates))
    totals = (_sum(days.get(on, NO_USAGE) for on in alike) for alike in dates)
    averages = (_times(total, parts // len(alike)) for total, alike in zip(totals, dates, strict=True))
    return _AverageDays(parts, tuple(averages))


def _sum(usages: Iterable[UsageTotals]) -> UsageTotals:
    return sum(usages, NO_USAGE)


def _times(usage: UsageTotals, factor: int) -> UsageTotals:
    return UsageTotals(
        usage.live_seconds * factor, usage.patch_seconds * factor, usage.ivr_seconds * factor, usage.call_count * factor
    )


def _larger(one: UsageTotals, other: UsageTotals) -> UsageTotals:
    return UsageTotals(
        max(one.live_seconds, other.live_seconds),
        max(one.patch_seconds, other.patch_seconds),
        max(one.ivr_seconds, other.ivr_seconds),
        max(one.call_count, other.call_count),
    )


def _rounded(usage: UsageTotals, parts: int) -> UsageTotals:
    return UsageTotals(
        round_half_up(usage.live_seconds, parts),
        round_half_up(usage.patch_seconds, parts),
        round_half_up(usage.ivr_seconds, parts),
        round_half_up(usage.call_count, parts),
    )


_EXPLANATIONS: dict[ProjectionBasis, str] = {
    ProjectionBasis.MONTH_IS_OVER: "The month is over: this is what was used.",
    ProjectionBasis.TOO_LITTLE_DATA: (
        "Too early to tell: a projection needs {least} whole days, and {count}. This is what is used so far."
    ),
    ProjectionBasis.DAILY_AVERAGE: "Projected from the average of the {days} since {since}.",
    ProjectionBasis.WEEKDAY_PATTERN: ("Projected weekday by weekday, from the averages of the {days} since {since}."),
}
