"""Changes that a customer confirmed by quote and that take effect when their invoice is paid (rule 17)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime  # noqa: TC003  (types of public values)
from enum import StrEnum
from typing import TypeAlias

from app.domain.plan_changes import When  # noqa: TC001  (as above)


class CheckoutAction(StrEnum):
    """What takes effect."""

    CHANGE_PLAN = "CHANGE_PLAN"
    ACTIVATE_ADD_ON = "ACTIVATE_ADD_ON"


class CheckoutState(StrEnum):
    """Whether it has."""

    WAITING = "WAITING"
    DONE = "DONE"
    DECLINED = "DECLINED"


@dataclass(frozen=True, slots=True)
class PlanChangeDetails:
    """A confirmed plan change, by the versions of the plans.

    `month` is the first day of the open month that moves to the plan too; None where no open month does.
    """

    plan: str
    when: When
    effective_on: date
    month: date | None
    previous_plan: str
    amount_due_cents: int
    credit_cents: int


@dataclass(frozen=True, slots=True)
class AddOnDetails:
    """A confirmed purchase of an add-on: its code, its version, and the subscription that it becomes."""

    add_on: str
    version: str
    subscription: str
    starts_on: date
    accepted_at: datetime
    amount_due_cents: int


CheckoutDetails: TypeAlias = PlanChangeDetails | AddOnDetails
"""What applying a change needs, fixed when it was confirmed."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """One confirmed change; `origin` is the address that it was confirmed from."""

    id: str
    account_id: str
    invoice_id: str
    state: CheckoutState
    details: CheckoutDetails
    actor: str
    request_id: str | None = None
    origin: str | None = None

    @property
    def action(self) -> CheckoutAction:
        """What takes effect."""
        return action_of(self.details)


def action_of(details: CheckoutDetails) -> CheckoutAction:
    """Return the action that the details are of."""
    is_plan = isinstance(details, PlanChangeDetails)
    return CheckoutAction.CHANGE_PLAN if is_plan else CheckoutAction.ACTIVATE_ADD_ON


class ChangeInProgress(ValueError):
    """Another change of the account waits for its payment."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__("Another change is waiting for its payment. Try again when it is settled, in a few minutes.")
        self.checkout = checkout
