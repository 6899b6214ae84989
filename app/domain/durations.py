"""Lengths of time as people read them: stored in whole seconds, shown in minutes with two decimals (rule 7)."""

from __future__ import annotations

from app.domain.money import round_half_up

SECONDS_PER_MINUTE = 60


def hundredths_of_minutes(seconds: int) -> int:
    """Return a duration in hundredths of a minute, rounded half up; only ever for showing (rule 7)."""
    return round_half_up(seconds * 100, SECONDS_PER_MINUTE)
