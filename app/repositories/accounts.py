"""Accounts, their users, and the keys of other systems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, delete, exists, update
from sqlmodel import col, select

from app.domain.accounts import Account, AccountStatus, KeyPurpose, Role, User
from app.domain.metering import MeteredAccount
from app.domain.periods import Period
from app.models.accounts import AccessKeyRow, AccountRow, MembershipRow, UserRow
from app.models.cycles import BillingCycleRow
from app.models.messages import AlertWatchRow
from app.repositories.bulk import execute_many, read_rows
from app.repositories.conditions import one_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

ADJUSTABLE_MONTHS = 3
"""How many months before the next invoice may still get late calls: 35 days reach back into the third."""

_METERED_COLUMNS: Any = (
    AccountRow.external_id,
    AccountRow.id,
    AccountRow.next_cycle_on,
    AccountRow.usage_seq,
    AccountRow.status,
    exists().where(col(BillingCycleRow.account_id) == col(AccountRow.id)).label("is_begun"),
    select(col(AlertWatchRow.period_on))
    .where(col(AlertWatchRow.account_id) == col(AccountRow.id), col(AlertWatchRow.from_seconds).is_(None))
    .scalar_subquery()
    .label("told_out_on"),
)
_LOCK_FOR_METERING = (
    select(*_METERED_COLUMNS)
    .where(one_of(AccountRow.external_id, "external_ids"))
    .order_by(col(AccountRow.id))
    .with_for_update()
)
_SAVE_USAGE_SEQ = (
    update(AccountRow).where(col(AccountRow.id) == bindparam("account")).values(usage_seq=bindparam("last_call"))
)


class AccountNotFound(LookupError):
    """No account has the id."""

    def __init__(self, account: str) -> None:
        super().__init__(f"There is no account {account!r}. Check its id, or create it first.")
        self.account = account


class AccountRepository:
    """Accounts by their own id and by the id that SAS Flex gave them."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def get(self, account_id: str, *, lock: bool = False) -> Account:
        """Return the account; `lock` makes the caller its only writer.

        :raises AccountNotFound: when there is none.
        """
        row = await self._session.get(AccountRow, account_id, with_for_update=lock or None, populate_existing=lock)
        if row is None:
            raise AccountNotFound(account_id)
        return _account(row)

    async def find_by_external_id(self, external_id: str, *, lock: bool = False) -> Account | None:
        """Return the account that SAS Flex calls by this id; `lock` makes the caller its only writer."""
        statement = select(AccountRow).where(AccountRow.external_id == external_id)
        row = (await self._session.exec(statement.with_for_update() if lock else statement)).one_or_none()
        return None if row is None else _account(row)

    async def get_by_external_id(self, external_id: str, *, lock: bool = False) -> Account:
        """Return the account that SAS Flex calls by this id.

        :raises AccountNotFound: when there is none.
        """
        account = await self.find_by_external_id(external_id, lock=lock)
        if account is None:
            raise AccountNotFound(external_id)
        return account

    async def choose(self, external_id: str | None = None) -> list[Account]:
        """Return the account with an external id alone; where none is given every account, by external id.

        :raises AccountNotFound: when there is no such account.
        """
        if external_id:
            return [await self.get_by_external_id(external_id)]
        return [_account(row) for row in await self._session.exec(select(AccountRow).order_by(AccountRow.external_id))]

    async def add(self, account: Account, *, next_close_at: datetime, created_at: datetime) -> None:
        """Add an account with no calls and no invoices."""
        self._session.add(
            AccountRow(
                id=account.id,
                external_id=account.external_id,
                name=account.name,
                status=account.status,
                trial_ends_on=account.trial_ends_on,
                paid_starts_on=account.paid_starts_on,
                plan_version_id=account.plan_version_id,
                next_cycle_on=account.next_cycle_on,
                next_close_at=next_close_at,
                adjustable_from_on=adjustable_from(account.next_cycle_on),
                created_at=created_at,
            )
        )
        await self._session.flush()

    async def save(self, account: Account, *, next_close_at: datetime) -> None:
        """Store changed particulars of an account that has not been billed yet."""
        values = {
            "name": account.name,
            "status": account.status,
            "trial_ends_on": account.trial_ends_on,
            "paid_starts_on": account.paid_starts_on,
            "plan_version_id": account.plan_version_id,
            "next_cycle_on": account.next_cycle_on,
            "next_close_at": next_close_at,
            "adjustable_from_on": adjustable_from(account.next_cycle_on),
        }
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account.id).values(values))

    async def close(self, account_id: str) -> None:
        """Store that the account is closed: no month is opened and no call recorded for it any more."""
        values = {"status": AccountStatus.CLOSED, "next_close_at": None, "pending_plan_version_id": None}
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(values))

    async def set_status(self, account_id: str, status: AccountStatus) -> None:
        """Store whether the account is served."""
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(status=status))

    async def exists_any(self) -> bool:
        """Tell whether there is any account."""
        return (await self._session.exec(select(AccountRow.id).limit(1))).first() is not None

    async def rename(self, account_id: str, name: str) -> None:
        """Store a new name."""
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(name=name))

    async def lock_for_metering(self, external_ids: Iterable[str]) -> dict[str, MeteredAccount]:
        """Return what metering needs of the accounts, by external id, and make the caller their only writer."""
        rows = await read_rows(self._session, _LOCK_FOR_METERING, external_ids=list(set(external_ids)))
        return {row[0]: _metered(*row[1:]) for row in rows}

    async def save_usage_seq(self, accounts: Iterable[MeteredAccount]) -> None:
        """Store the last call number of each account."""
        await execute_many(self._session, _SAVE_USAGE_SEQ, [(account.seq, account.id) for account in accounts])


class AccountPlanRepository:
    """The plan of an account: chosen, scheduled, upgraded, and named by SAS Flex."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def named(self, account_id: str) -> str | None:
        """Return the plan that SAS Flex named last for the account, by its code."""
        return (await self._session.exec(select(AccountRow.told_plan_code).where(AccountRow.id == account_id))).one()

    async def name(self, account_id: str, code: str) -> None:
        """Store the plan that SAS Flex names for the account."""
        statement = update(AccountRow).where(col(AccountRow.id) == account_id)
        await self._session.exec(statement.values(told_plan_code=code))

    async def schedule(self, account_id: str, plan_version_id: str | None) -> None:
        """Store the plan that the next month will have instead of the chosen one, or that there is none."""
        values = {"pending_plan_version_id": plan_version_id}
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(values))

    async def choose(self, account_id: str, plan_version_id: str) -> None:
        """Store a permanent change of plan: nothing is pending any more, and upgrades count from zero (rule 20)."""
        values = {"plan_version_id": plan_version_id, "pending_plan_version_id": None, "upgrade_count": 0}
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(values))

    async def keep_upgrade(self, account_id: str, plan_version_id: str) -> None:
        """Store an upgrade that is permanent; what was arranged for the next month stays arranged (rules 15, 20)."""
        values = {"plan_version_id": plan_version_id, "upgrade_count": 0}
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(values))

    async def count_upgrade(self, account_id: str) -> None:
        """Count a one-month upgrade (rule 20)."""
        statement = update(AccountRow).where(col(AccountRow.id) == account_id)
        await self._session.exec(statement.values(upgrade_count=AccountRow.upgrade_count + 1))


class UserRepository:
    """People and what they may do."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def put(self, user: User, *, created_at: datetime) -> User:
        """Add the person, or bring email and name of the known one up to date; returns the stored person."""
        row = (await self._session.exec(select(UserRow).where(UserRow.subject == user.subject))).one_or_none()
        if row is None:
            row = UserRow(id=user.id, subject=user.subject, email=user.email, name=user.name, created_at=created_at)
        row.email, row.name = user.email, user.name
        self._session.add(row)
        await self._session.flush()
        return User(row.id, row.subject, row.email, row.name)

    async def find_name(self, user_id: str) -> str | None:
        """Return what the person is called."""
        row = await self._session.get(UserRow, user_id)
        return None if row is None else row.name

    async def members(self, account_id: str) -> list[tuple[User, Role]]:
        """Return the people of an account and their roles, by email."""
        statement = (
            select(UserRow, MembershipRow.role)
            .join(MembershipRow, col(MembershipRow.user_id) == UserRow.id)
            .where(MembershipRow.account_id == account_id)
            .order_by(UserRow.email, UserRow.id)
        )
        rows = await self._session.exec(statement)
        return [(User(row.id, row.subject, row.email, row.name), Role(role)) for row, role in rows]

    async def replace_members(self, account_id: str, members: Sequence[tuple[str, Role]]) -> None:
        """Make these user ids with these roles the whole membership of the account."""
        await self._session.exec(delete(MembershipRow).where(col(MembershipRow.account_id) == account_id))
        self._session.add_all(
            MembershipRow(account_id=account_id, user_id=user_id, role=role) for user_id, role in members
        )
        await self._session.flush()


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key of another system, without its secret."""

    id: str
    purpose: KeyPurpose
    name: str
    source: str | None
    created_at: datetime
    revoked_at: datetime | None


class AccessKeyRepository:
    """Keys of other systems, found by the hash of their secret."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, key: AccessKey, *, secret_hash: str) -> None:
        """Add a key."""
        self._session.add(
            AccessKeyRow(
                id=key.id,
                purpose=key.purpose,
                name=key.name,
                source=key.source,
                secret_hash=secret_hash,
                created_at=key.created_at,
                revoked_at=key.revoked_at,
            )
        )
        await self._session.flush()

    async def find_by_hash(self, secret_hash: str) -> AccessKey | None:
        """Return the key, revoked or not, that belongs to the hash."""
        statement = select(AccessKeyRow).where(AccessKeyRow.secret_hash == secret_hash)
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _key(row)

    async def find_live_by_name(self, name: str) -> AccessKey | None:
        """Return the key of that name that is not revoked."""
        statement = select(AccessKeyRow).where(AccessKeyRow.name == name, col(AccessKeyRow.revoked_at).is_(None))
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _key(row)

    async def revoke(self, key_id: str, *, revoked_at: datetime) -> None:
        """Make the key worthless from now on."""
        statement = update(AccessKeyRow).where(col(AccessKeyRow.id) == key_id).values(revoked_at=revoked_at)
        await self._session.exec(statement)


def adjustable_from(next_cycle_on: date) -> date:
    """Return the first day of the oldest month that the next invoice may still correct (rule 25)."""
    return Period.containing(next_cycle_on).shifted(-ADJUSTABLE_MONTHS).starts_on


def _account(row: AccountRow) -> Account:
    return Account(
        id=row.id,
        external_id=row.external_id,
        name=row.name,
        status=row.status,
        trial_ends_on=row.trial_ends_on,
        paid_starts_on=row.paid_starts_on,
        plan_version_id=row.plan_version_id,
        next_cycle_on=row.next_cycle_on,
    )


def _metered(
    account_id: str,
    next_cycle_on: date,
    seq: int,
    status: AccountStatus,
    is_begun: int,
    told_out_on: date | None,
) -> MeteredAccount:
    open_from = Period.containing(next_cycle_on).shifted(-1).starts_on
    is_watched = bool(is_begun) and told_out_on != open_from
    return MeteredAccount(account_id, open_from, seq, status == AccountStatus.CLOSED, is_watched)


def _key(row: AccessKeyRow) -> AccessKey:
    return AccessKey(row.id, row.purpose, row.name, row.source, row.created_at, row.revoked_at)
