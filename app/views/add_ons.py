"""The add-ons as an account sees them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.add_ons import AddOnVersion


class AddOnState(StrEnum):
    """Whether the account has an add-on."""

    ACTIVE = "ACTIVE"
    ENDING = "ENDING"
    AVAILABLE = "AVAILABLE"


@dataclass(frozen=True, slots=True)
class AddOnOffer:
    """An add-on at the price that the account pays or would pay; `until_on` is the last day that it is usable."""

    account_id: str
    version: AddOnVersion
    state: AddOnState
    since_on: date | None = None
    until_on: date | None = None
