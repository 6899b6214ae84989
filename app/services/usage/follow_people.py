"""Alerts follow the people of an account: who becomes an admin is told, who is one no more is not, at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.accounts import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.accounts import User
    from app.repositories.unit_of_work import UnitOfWork


async def replace_members(
    uow: UnitOfWork,
    account_id: str,
    before: Sequence[tuple[User, Role]],
    after: Sequence[tuple[User, Role]],
    now: datetime,
) -> None:
    """Make `after` the whole membership of the account, with the subscriptions of its admins.

    A new admin has every alert on. What still waits for somebody who was one is given up; what waits for a person with
    a new address goes there.
    """
    await uow.users.replace_members(account_id, [(user.id, role) for user, role in after])
    admins = [user.id for user, role in after if role is Role.ADMIN]
    await uow.alerts.follow_admins(account_id, admins)
    gone = [user.id for user, role in before if role is Role.ADMIN and user.id not in admins]
    if gone:
        await uow.recipients.drop_for_users(account_id, gone, at=now)
    known = {user.id: user for user, _ in before}
    for user, _ in after:
        if user != known.get(user.id):
            await uow.recipients.readdress(user.id, recipient=user.name, address=user.email)
