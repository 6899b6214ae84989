"""What an account's add-ons unlock today, in a read that is cheap enough to be asked at every turn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Date, bindparam, or_, select
from sqlmodel import col

from app.models.add_ons import AddOnSubscriptionRow, AddOnVersionRow
from app.repositories.pages.scope import own_account_id
from app.repositories.reader import Page

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.repositories.conditions import Sql

_TODAY: Sql = bindparam("today", type_=Date)
_END = col(AddOnSubscriptionRow.ends_before)

_ACCOUNT: Sql = select(own_account_id().label("account_id"))

_NAMES = (
    select(col(AddOnVersionRow.entitlement))
    .distinct()
    .join(AddOnSubscriptionRow, col(AddOnSubscriptionRow.add_on_version_id) == col(AddOnVersionRow.id))
    .where(
        col(AddOnSubscriptionRow.account_id) == own_account_id(),
        col(AddOnSubscriptionRow.starts_on) <= _TODAY,
        or_(_END.is_(None), _END > _TODAY),
        col(AddOnVersionRow.entitlement).is_not(None),
    )
)


def _assemble(account: Sequence[tuple[str | None]], names: Iterable[tuple[str]]) -> frozenset[str] | None:
    return None if account[0][0] is None else frozenset(name for (name,) in names)


ENTITLEMENTS: Page[frozenset[str] | None] = Page("entitlements", {"account": _ACCOUNT, "names": _NAMES}, _assemble)
"""The names of what is unlocked; takes `account` and `today`. None when there is no such account."""
