"""Plans as SAS Flex sells them; by default the plan of 100 minutes at $139.00 and $1.29."""

from __future__ import annotations

from datetime import date

from app.domain.money import UnitPrice
from app.domain.plans import PlanVersion


def a_plan(
    *,
    code: str = "100",
    base_cents: int = 139_00,
    included_minutes: int = 100,
    overage_rate: int = 1_2900,
    identifier: str | None = None,
    name: str | None = None,
    valid_from: date = date(2020, 1, 1),
    valid_before: date | None = None,
    existing_move_on: date | None = None,
) -> PlanVersion:
    return PlanVersion(
        id=identifier or f"plan_{code}_{valid_from.year}",
        code=code,
        name=name or f"{included_minutes:,} Minutes",
        base_cents=base_cents,
        included_minutes=included_minutes,
        overage_rate=UnitPrice(overage_rate),
        valid_from=valid_from,
        valid_before=valid_before,
        existing_move_on=existing_move_on,
    )


def a_220_plan() -> PlanVersion:
    return a_plan(code="220", base_cents=239_00, included_minutes=220, overage_rate=1_1900)
