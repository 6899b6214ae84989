"""The session look-up: the user of a token, and their membership of the account that the token names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, select
from sqlmodel import col

from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.repositories.reader import Page
from app.views.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMBER = (
    select(
        col(UserRow.id),
        col(UserRow.email),
        col(UserRow.name),
        col(MembershipRow.role),
        col(AccountRow.id),
        col(AccountRow.external_id),
        col(AccountRow.name),
        col(AccountRow.status),
    )
    .join(MembershipRow, col(MembershipRow.user_id) == col(UserRow.id))
    .join(AccountRow, col(AccountRow.id) == col(MembershipRow.account_id))
    .where(col(UserRow.subject) == bindparam("subject"), col(AccountRow.external_id) == bindparam("account"))
)


def _assemble(member: Sequence[tuple[Any, ...]]) -> Viewer | None:
    return Viewer(*member[0]) if member else None


VIEWER: Page[Viewer | None] = Page("viewer", {"member": _MEMBER}, _assemble)
