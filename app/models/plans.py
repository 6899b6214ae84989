"""Plan versions: what was sold, at which prices, and when."""

from datetime import date

from sqlalchemy import CheckConstraint, UniqueConstraint

from app.models.base import Row, day, identifier, minor_units, text, whole_number


class PlanVersionRow(Row, table=True):
    """One plan at one set of prices; never changed once an account has it.

    From the cycle run of `existing_move_on` on, accounts with an older version of the plan are billed at this one.
    """

    __tablename__ = "plan_version"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        CheckConstraint("base_cents >= 0 AND included_minutes >= 0 AND overage_rate > 0", name="prices"),
    )

    id: str = identifier()
    code: str = text()
    name: str = text()
    base_cents: int = minor_units(least=0)
    included_minutes: int = whole_number()
    overage_rate: int = minor_units(least=0)
    valid_from: date = day()
    valid_before: date | None = day(default=None)
    existing_move_on: date | None = day(default=None)
