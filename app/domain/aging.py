"""How long what customers owe has been due, account by account."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date

    from app.domain.reports import ReportDay


class Age(StrEnum):
    """How many days ago something fell due; the day itself is the first of the second group."""

    NOT_DUE = "not_due"
    UP_TO_30 = "days_0_30"
    UP_TO_60 = "days_31_60"
    UP_TO_90 = "days_61_90"
    OLDER = "over_90_days"


_LAST_DAYS = ((-1, Age.NOT_DUE), (30, Age.UP_TO_30), (60, Age.UP_TO_60), (90, Age.UP_TO_90))


class OpenAmount(NamedTuple):
    """Cents of invoices of an account, by its external id, that fall due on the same day and are not paid."""

    account: str
    due_on: date
    cents: int


@dataclass(frozen=True, slots=True)
class AccountAging:
    """What an account owes, in cents by age, and the credit that it has beside."""

    account: str
    cents_by_age: Mapping[Age, int]
    credit_cents: int

    @property
    def open_cents(self) -> int:
        """All that it owes, due or not."""
        return sum(self.cents_by_age.values())


@dataclass(frozen=True, slots=True)
class AgingReport:
    """What accounts owe at the end of a day, in the order of their ids; those with neither debt nor credit left out."""

    day: ReportDay
    accounts: tuple[AccountAging, ...]
    total: AccountAging


def age_of(due_on: date, as_of: date) -> Age:
    """Return how old an open amount is at the end of a day."""
    days = (as_of - due_on).days
    return next((age for last, age in _LAST_DAYS if days <= last), Age.OLDER)


def aging_report(day: ReportDay, open_amounts: Iterable[OpenAmount], credit: Mapping[str, int]) -> AgingReport:
    """Return what is open by account and age, and each account's credit in cents (rule 35)."""
    found: dict[str, dict[Age, int]] = {account: {} for account in credit}
    for account, due_on, cents in open_amounts:
        ages, age = found.setdefault(account, {}), age_of(due_on, day.on)
        ages[age] = ages.get(age, 0) + cents
    accounts = tuple(_aging(account, found[account], credit.get(account, 0)) for account in sorted(found))
    total = {age: sum(each.cents_by_age[age] for each in accounts) for age in Age}
    return AgingReport(day, accounts, _aging("all", total, sum(credit.values())))


def _aging(account: str, cents_by_age: Mapping[Age, int], credit_cents: int) -> AccountAging:
    return AccountAging(account, {age: cents_by_age.get(age, 0) for age in Age}, credit_cents)
