"""Narrows a page to the one account that the bearer token names; every page about an account goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.models.accounts import AccountRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapped

ACCOUNT = "account"
"""The bind that the context fills with the external id of the token's account."""


def own_account_id() -> ColumnElement[str]:
    """Return the id of the token's account, as a subquery that the database answers once."""
    found: ColumnElement[str] = (
        select(col(AccountRow.id)).where(col(AccountRow.external_id) == bindparam(ACCOUNT)).scalar_subquery()
    )
    return found


def own(account_id: Mapped[str] | Mapped[str | None]) -> ColumnElement[bool]:
    """Return the rows whose account id names the token's account; also the scope of the billing facts."""
    return account_id == own_account_id()
