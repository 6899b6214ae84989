"""Where an account stands, read inside the transaction that decides by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import AccountStatus
from app.domain.add_ons import purchase_facts
from app.domain.periods import Period, billing_date
from app.repositories.pages.account_snapshot import ACCOUNT_SNAPSHOT
from app.repositories.reader import load_within

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.add_ons import AddOnVersion
    from app.domain.invoices import BillingFacts
    from app.repositories.unit_of_work import UnitOfWork
    from app.views.account_snapshot import AccountSnapshot


class AccountSuspended(ValueError):
    """A suspended or closed account changes nothing but its payments."""

    def __init__(self, status: AccountStatus) -> None:
        super().__init__(f"The account is {status.lower()}: pay the open balance first, then try again.")
        self.status = status


async def load_snapshot(uow: UnitOfWork, account: str, now: datetime) -> AccountSnapshot:
    """Return where the account stands; the caller has made sure that it exists."""
    snapshot = await load_within(uow.session, ACCOUNT_SNAPSHOT.request(account=account, **snapshot_dates(now)))
    if snapshot is None:
        raise LookupError(account)
    return snapshot


def snapshot_dates(now: datetime) -> dict[str, date]:
    """Return the dates that the snapshot page takes."""
    today = billing_date(now)
    return {"today": today, "month": Period.containing(today).starts_on}


def check_active(snapshot: AccountSnapshot) -> None:
    """Check that the account may buy and change.

    :raises AccountSuspended: when it is suspended or closed.
    """
    if snapshot.status is not AccountStatus.ACTIVE:
        raise AccountSuspended(snapshot.status)


def facts_of_purchase(snapshot: AccountSnapshot, version: AddOnVersion) -> BillingFacts:
    """Return the facts of the invoice for an add-on or a line that is bought today."""
    return purchase_facts(
        version,
        snapshot.today,
        snapshot.plan.month_plan,
        snapshot.paid_starts_on,
        snapshot.credit_cents,
        snapshot.taxes,
    )
