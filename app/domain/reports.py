"""Which month or day a report is about, and whether its figures can still change."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.periods import Period, billing_date, day_starts_at

if TYPE_CHECKING:
    from datetime import date, datetime

WRITTEN_WITHIN = timedelta(minutes=10)
"""How long the last postings of a day may take to be written: what began before midnight is committed after it."""


class MonthNotBegun(ValueError):
    """A report was asked for about a month in the future."""

    def __init__(self, period: Period) -> None:
        super().__init__(f"{period.month} has not begun: it can be reported on from {period.starts_on} on.")
        self.period = period


class DayNotBegun(ValueError):
    """A report was asked for as of a day in the future."""

    def __init__(self, on: date, today: date) -> None:
        super().__init__(f"{on} is in the future: what is open can be told as of {today} at the latest.")
        self.on = on


@dataclass(frozen=True, slots=True)
class ReportMonth:
    """A month in the billing zone that a report is about.

    `is_closed` once it is over and everything posted in it is written: corrections fall into later months from then on,
    and what was posted in this one never changes.
    """

    period: Period
    is_closed: bool

    @classmethod
    def parse(cls, text: str, now: datetime) -> ReportMonth:
        """Return the month written as `YYYY-MM`, as it is at an instant.

        :raises InvalidMonth: when the text has another form.
        :raises MonthNotBegun: when it begins after the instant.
        """
        period = Period.parse(text)
        if day_starts_at(period.starts_on) > now:
            raise MonthNotBegun(period)
        return cls(period, day_starts_at(period.ends_before) + WRITTEN_WITHIN <= now)

    @property
    def text(self) -> str:
        """The month as `YYYY-MM`."""
        return self.period.month

    @property
    def begins_at(self) -> datetime:
        """The first instant of the month."""
        return day_starts_at(self.period.starts_on)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the month."""
        return day_starts_at(self.period.ends_before)

    def contains(self, instant: datetime) -> bool:
        """Tell whether an instant falls into the month."""
        return self.begins_at <= instant < self.ends_at


@dataclass(frozen=True, slots=True)
class ReportDay:
    """A day in the billing zone as of whose end a report is made; `is_closed` as for a month."""

    on: date
    is_closed: bool

    @classmethod
    def at(cls, now: datetime, on: date | None = None) -> ReportDay:
        """Return a day as it is at an instant, today unless told.

        :raises DayNotBegun: when it begins after the instant.
        """
        today = billing_date(now)
        if on is not None and on > today:
            raise DayNotBegun(on, today)
        chosen = on or today
        return cls(chosen, day_starts_at(chosen + timedelta(days=1)) + WRITTEN_WITHIN <= now)

    @property
    def ends_at(self) -> datetime:
        """The first instant after the day."""
        return day_starts_at(self.on + timedelta(days=1))
