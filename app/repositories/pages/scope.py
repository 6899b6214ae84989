"""Narrows a page to the one account that the bearer token names; every page about an account goes through here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.models.accounts import AccountRow

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

ACCOUNT = "account"
"""The bind that the context fills with the external id of the token's account."""


def own_account_id() -> ColumnElement[str]:
    """Return the id of the token's account, as a subquery that the database answers once."""
    found: ColumnElement[str] = (
        select(col(AccountRow.id)).where(col(AccountRow.external_id) == bindparam(ACCOUNT)).scalar_subquery()
    )
    return found


def own(column: Any) -> ColumnElement[bool]:  # noqa: ANN401 -- a column of a row class, typed as its value
    """Return the rows whose account id column names the token's account; also the scope of the billing facts."""
    is_own: ColumnElement[bool] = column == own_account_id()
    return is_own
