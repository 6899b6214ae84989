"""The months of an account: which plan each is billed on."""

from datetime import date, datetime

from app.models.base import Row, day, instant, reference


class BillingCycleRow(Row, table=True):
    """One month of one account, opened by its cycle invoice; the next one closes it."""

    __tablename__ = "billing_cycle"

    account_id: str = reference("account.id", index=False, primary_key=True)
    period_on: date = day(primary_key=True)
    plan_version_id: str = reference("plan_version.id")
    opened_at: datetime = instant()
