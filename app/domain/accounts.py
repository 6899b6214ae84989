"""An account of the answering service, who may look into it, and when its invoices fall due (rules 9, 12)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.periods import Period, billing_instant

if TYPE_CHECKING:
    from datetime import date, datetime

    from app.domain.policies import Policies


class AccountStatus(StrEnum):
    """Whether an account is served."""

    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    CLOSED = "CLOSED"


class Role(StrEnum):
    """What a user may do on one account."""

    ADMIN = "ADMIN"
    BILLING = "BILLING"
    MEMBER = "MEMBER"


class KeyPurpose(StrEnum):
    """What the key of another system opens."""

    INGEST = "INGEST"
    SERVICE = "SERVICE"


LONGEST_EXTERNAL_ID_CHARACTERS = 128


def is_external_id(text: str) -> bool:
    """Tell whether a text can be what the rest of SAS Flex calls an account: 1 to 128 visible ASCII characters.

    Blanks, and letters that look like others, would make two accounts of what people read as one.
    """
    return 0 < len(text) <= LONGEST_EXTERNAL_ID_CHARACTERS and all("!" <= letter <= "~" for letter in text)


@dataclass(frozen=True, slots=True)
class Account:
    """One customer. `next_cycle_on` is the first day of the month whose cycle invoice comes next.

    `external_id` is what the rest of SAS Flex calls the account; `trial_ends_on` is the last day of its trial, if
    it had one; `plan_version_id` is the plan it chose at the prices it was sold.
    """

    id: str
    external_id: str
    name: str
    status: AccountStatus
    trial_ends_on: date | None
    paid_starts_on: date
    plan_version_id: str
    next_cycle_on: date


@dataclass(frozen=True, slots=True)
class User:
    """A person as the identity provider knows them by `subject`."""

    id: str
    subject: str
    email: str
    name: str


def first_cycle_on(paid_starts_on: date) -> date:
    """Return the first day of the month that the first invoice opens."""
    return Period.containing(paid_starts_on).starts_on


def cycle_runs_at(cycle_on: date, paid_starts_on: date, policies: Policies) -> datetime:
    """Return the UTC instant at which the cycle invoice of a month falls due (rule 12).

    The first of the month at the hour of the policies, or the same hour of the first paid day in the first month.
    """
    return billing_instant(max(cycle_on, paid_starts_on), policies.cycle_runs_at)
