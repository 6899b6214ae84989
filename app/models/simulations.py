"""What a closed month would have cost on each plan, stored when it closes (rule 40)."""

from datetime import date
from typing import Any

from app.models.base import Row, day, json_value, reference


class MonthSimulationRow(Row, table=True):
    """`costs` maps the code of each plan then on sale to the cents the month would have cost on it."""

    __tablename__ = "month_simulation"

    account_id: str = reference("account.id", index=False, primary_key=True)
    period_on: date = day(primary_key=True)
    costs: dict[str, Any] = json_value()
