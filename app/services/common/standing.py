"""Where an account stands, read inside the transaction that decides by it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.accounts import AccountStatus
from app.domain.add_ons import purchase_facts
from app.domain.periods import Period, billing_date
from app.repositories.pages.standing import STANDING
from app.repositories.reader import load_within

if TYPE_CHECKING:
    from datetime import datetime

    from app.domain.add_ons import AddOnVersion
    from app.domain.invoices import BillingFacts
    from app.repositories.unit_of_work import UnitOfWork
    from app.views.standing import AccountStanding


class AccountSuspended(ValueError):
    """A suspended or closed account changes nothing but its payments."""

    def __init__(self, status: AccountStatus) -> None:
        super().__init__(f"The account is {status.lower()}: pay the open balance first, then try again.")
        self.status = status


async def load_standing(uow: UnitOfWork, account: str, now: datetime) -> AccountStanding:
    """Return where the account stands; the caller has made sure that it exists."""
    standing = await load_within(uow.session, STANDING.request(account=account, **standing_dates(now)))
    if standing is None:
        raise LookupError(account)
    return standing


def standing_dates(now: datetime) -> dict[str, Any]:
    """Return the dates that the standing page takes."""
    today = billing_date(now)
    return {"today": today, "month": Period.containing(today).starts_on}


def check_active(standing: AccountStanding) -> None:
    """Check that the account may buy and change.

    :raises AccountSuspended: when it is suspended or closed.
    """
    if standing.status is not AccountStatus.ACTIVE:
        raise AccountSuspended(standing.status)


def facts_of_purchase(standing: AccountStanding, version: AddOnVersion) -> BillingFacts:
    """Return the facts of the invoice for an add-on or a line that is bought today."""
    return purchase_facts(
        version,
        standing.today,
        standing.plan.month_plan,
        standing.paid_starts_on,
        standing.credit_cents,
        standing.taxes,
    )
