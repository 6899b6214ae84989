"""Billing periods and billing dates: the only place where an instant becomes a date (rules 1-3)."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONE_NAME = "America/Los_Angeles"
BILLING_ZONE = ZoneInfo(ZONE_NAME)

_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")


class InvalidMonth(ValueError):
    """A month was asked for in a form that is not `YYYY-MM`."""

    def __init__(self, text: str) -> None:
        super().__init__(f"{text!r} is not a month. Write it as YYYY-MM, for example 2026-08.")
        self.text = text


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """One calendar month in the billing zone, half-open: `starts_on` belongs to it, `ends_before` does not."""

    starts_on: date
    ends_before: date

    @classmethod
    def containing(cls, on: date) -> Period:
        """Return the period that the billing date `on` belongs to (rule 1)."""
        return _month_of(on)

    @classmethod
    def parse(cls, month: str) -> Period:
        """Return the period written as `YYYY-MM`.

        :raises InvalidMonth: when the text has another form.
        """
        match = _MONTH.fullmatch(month)
        if match is None or match[1] == "0000" or month == "9999-12":
            raise InvalidMonth(month)
        return cls.containing(date(int(match[1]), int(match[2]), 1))

    @property
    def days(self) -> int:
        """The number of days in the period: 28 to 31, whatever the clocks do (rule 5)."""
        return (self.ends_before - self.starts_on).days

    @property
    def month(self) -> str:
        """The period as `YYYY-MM`."""
        return self.starts_on.isoformat()[:7]

    def shifted(self, months: int) -> Period:
        """Return the period `months` later, or earlier when negative."""
        return Period.containing(add_months(self.starts_on, months))

    def contains(self, on: date) -> bool:
        """Tell whether the billing date falls inside the period."""
        return self.starts_on <= on < self.ends_before

    def days_from(self, on: date) -> int:
        """Return how many days of the period remain from `on`, that day included; all of them before it starts."""
        return max(0, (self.ends_before - max(on, self.starts_on)).days)


@lru_cache(maxsize=4_096)  # many rows, few days
def _month_of(on: date) -> Period:
    first = on.replace(day=1)
    return Period(first, add_months(first, 1))


@lru_cache(maxsize=1_024)  # a cycle run asks for the same few months again and again
def add_months(anchor: date, months: int) -> date:
    """Return `anchor` moved by whole months, clamped to the month's end from the original day (rule 2)."""
    total = anchor.year * 12 + anchor.month - 1 + months
    year, month = divmod(total, 12)
    last_day = calendar.monthrange(year, month + 1)[1]
    return date(year, month + 1, min(anchor.day, last_day))


def billing_date(instant: datetime) -> date:
    """Return the date in the billing zone at an aware instant (rules 1 and 3).

    :raises ValueError: when the instant has no time zone.
    """
    if instant.tzinfo is None:
        raise ValueError("An instant needs a time zone.")
    return instant.astimezone(BILLING_ZONE).date()


def billing_instant(on: date, at: time) -> datetime:
    """Return the UTC instant of a wall-clock time in the billing zone.

    A time that the spring change skips is read with the offset before it; one that the autumn change repeats
    is its first occurrence.
    """
    return datetime.combine(on, at, BILLING_ZONE).astimezone(UTC)


def day_starts_at(on: date) -> datetime:
    """Return the UTC instant at which the billing date begins."""
    return billing_instant(on, time.min)


def day_before(on: date) -> date:
    """Return the date before `on`."""
    return on - timedelta(days=1)
