"""The session look-up: the user of a token, and their membership of the account that the token names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam
from sqlmodel import select

from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.repositories.reader import Page
from app.views.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence

_MEMBER = (
    select(
        UserRow.id,
        UserRow.email,
        UserRow.name,
        MembershipRow.role,
        AccountRow.id,
        AccountRow.external_id,
        AccountRow.name,
        AccountRow.status,
    )
    .join(MembershipRow, MembershipRow.user_id == UserRow.id)
    .join(AccountRow, AccountRow.id == MembershipRow.account_id)
    .where(UserRow.subject == bindparam("subject"), AccountRow.external_id == bindparam("account"))
)


def _assemble(member: Sequence[tuple[Any, ...]]) -> Viewer | None:
    return Viewer(*member[0]) if member else None


VIEWER: Page[Viewer | None] = Page("viewer", {"member": _MEMBER}, _assemble)
