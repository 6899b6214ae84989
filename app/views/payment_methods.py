"""The payment methods of an account as its people see them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from app.domain.payment_methods import MethodStatus, PaymentMethod

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date


class PaymentMethodState(StrEnum):
    """What somebody has to know of a method: all is well, or what is the matter with it."""

    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    NEEDS_ATTENTION = "NEEDS_ATTENTION"
    REMOVED = "REMOVED"


@dataclass(frozen=True, slots=True)
class PaymentMethods:
    """The methods on file, in the order in which they are tried."""

    account_id: str
    methods: Sequence[PaymentMethod]


def state_of(method: PaymentMethod, today: date) -> PaymentMethodState:
    """Return the state of a method that is or was on file; an expired card may still be accepted by its bank."""
    if method.status is MethodStatus.REMOVED:
        return PaymentMethodState.REMOVED
    if method.is_expired_on(today):
        return PaymentMethodState.EXPIRED
    needs_attention = method.status is MethodStatus.NEEDS_ATTENTION
    return PaymentMethodState.NEEDS_ATTENTION if needs_attention else PaymentMethodState.ACTIVE
