"""How often something may happen, counted by the instants at which it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app.domain.periods import billing_date, day_starts_at

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` times within any `window`, or within a day of the billing zone where there is none.

    `name` tells its counts from those of other limits for ever.
    """

    name: str
    most: int
    window: timedelta | None = None

    def counted(self, past: Sequence[datetime], now: datetime) -> list[datetime]:
        """Return those of past instants that count now, oldest first."""
        begins = self._day(now, 0) if self.window is None else now - self.window
        return sorted(at for at in past if (at >= begins if self.window is None else at > begins))

    def retry_at(self, past: Sequence[datetime], now: datetime) -> datetime | None:
        """Return from when on it may happen again, or None where it may now."""
        counted = self.counted(past, now)
        if len(counted) < self.most:
            return None
        return self._day(now, 1) if self.window is None else counted[-self.most] + self.window

    @staticmethod
    def _day(now: datetime, days: int) -> datetime:
        return day_starts_at(billing_date(now) + timedelta(days=days))
