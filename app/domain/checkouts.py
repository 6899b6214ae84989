"""Changes that a customer confirmed by quote and that take effect when their invoice is paid (rule 17)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
class Checkout:
    """One confirmed change. `details` are what applying it needs, fixed when it was confirmed; `origin`: from where."""

    id: str
    account_id: str
    invoice_id: str
    action: CheckoutAction
    state: CheckoutState
    details: dict[str, Any]
    actor: str
    request_id: str | None = None
    origin: str | None = None


class ChangeInProgress(ValueError):
    """Another change of the account waits for its payment."""

    def __init__(self, checkout: Checkout) -> None:
        super().__init__("Another change is waiting for its payment. Try again when it is settled, in a few minutes.")
        self.checkout = checkout
