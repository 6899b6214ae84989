"""Who is asking: the user behind a bearer token, with their membership of the account that the token names."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.domain.accounts import AccountStatus, Role


class PastDue(StrEnum):
    """Why something is to be paid beyond the credit of the account: what happened to the payment last."""

    DECLINED = "DECLINED"
    RETURNED = "RETURNED"
    CHARGED_BACK = "CHARGED_BACK"
    REFUNDED = "REFUNDED"
    SUSPENSION_ANNOUNCED = "SUSPENSION_ANNOUNCED"


@dataclass(frozen=True, slots=True)
class Viewer:
    """One user on one account, as the database has them now, whatever the token believed."""

    user_id: str
    user_email: str
    user_name: str
    role: Role
    account_id: str
    account_external_id: str
    account_name: str
    account_status: AccountStatus
    past_due: PastDue | None = None
