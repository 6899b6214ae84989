"""The first, partial month: SAS rounds the daily rate to cents and then multiplies (rules 5, 9, 10)."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.money import round_half_up

if TYPE_CHECKING:
    from datetime import date

    from app.domain.periods import Period


def paid_start_after_trial(trial_ends_on: date) -> date:
    """Return the first paid day: the day after the trial's last (rule 9)."""
    return trial_ends_on + timedelta(days=1)


def daily_rate_cents(monthly_cents: int, period: Period) -> int:
    """Return the price of one day of the period, rounded half up to whole cents (rule 9)."""
    return round_half_up(monthly_cents, period.days)


def prorated_cents(monthly_cents: int, period: Period, paid_starts_on: date) -> int:
    """Return the month's price in cents for the paid days of the period (rule 9).

    The daily rate is rounded first and multiplied after; a month paid from its first day costs the full price.
    """
    if paid_starts_on <= period.starts_on:
        return monthly_cents
    return daily_rate_cents(monthly_cents, period) * period.days_from(paid_starts_on)


def prorated_minutes(included_minutes: int, period: Period, paid_starts_on: date) -> int:
    """Return the allowance in whole minutes for the paid days of the period, rounded half up (rule 10)."""
    return round_half_up(included_minutes * period.days_from(paid_starts_on), period.days)
