"""What advice about plans rests on: where the account stands, its months, and its latest days."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from app.domain.usage import UsageTotals
    from app.views.account_snapshot import AccountSnapshot


@dataclass(frozen=True, slots=True)
class PlanAdviceFacts:
    """An account's snapshot with its past: opened months before the current one, and days with calls.

    `months` holds the usage of up to twelve months that were opened, by their first day, oldest first; `stored_costs`
    what was worked out when they closed, in cents by plan code, for those that have it. `days` reach from three months
    before the current one on. All of it counts from the paid start (rule 10).
    """

    snapshot: AccountSnapshot
    months: Mapping[date, UsageTotals]
    stored_costs: Mapping[date, Mapping[str, int]]
    days: Mapping[date, UsageTotals]
