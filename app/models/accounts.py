"""Accounts, the people who may look into them, and the keys of other systems."""

from datetime import date, datetime

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.accounts import AccountStatus, KeyPurpose, Role
from app.models.base import Row, day, enum_text, identifier, instant, minor_units, reference, text, whole_number


class AccountRow(Row, table=True):
    """One account; `usage_seq` and `ledger_seq` count its calls and its postings in commit order.

    `checked_usage_seq` is the `usage_seq` up to which an automatic upgrade was last considered; `upgrade_count` counts
    one-month upgrades since the last permanent change of plan. `told_plan_code` is the plan that SAS Flex named last.
    `receivable_cents` and `credit_cents` are running balances: what its postings up to `ledger_seq` add up to.
    """

    __tablename__ = "account"
    __table_args__ = (
        Index(None, "next_close_at", "id"),
        Index(
            "ix_account_unchecked",
            "id",
            sqlite_where=sql("usage_seq > checked_usage_seq"),
            postgresql_where=sql("usage_seq > checked_usage_seq"),
        ),
    )

    id: str = identifier()
    external_id: str = text(unique=True)
    name: str = text()
    status: AccountStatus = enum_text(AccountStatus)
    trial_ends_on: date | None = day(default=None)
    paid_starts_on: date = day()
    plan_version_id: str = reference("plan_version.id")
    pending_plan_version_id: str | None = reference("plan_version.id", index=False, default=None)
    upgrade_count: int = whole_number(default=0, sa_column_kwargs={"server_default": "0"})
    next_cycle_on: date = day()
    next_close_at: datetime | None = instant(default=None)
    adjustable_from_on: date = day()
    usage_seq: int = whole_number(default=0)
    checked_usage_seq: int = whole_number(default=0, sa_column_kwargs={"server_default": "0"})
    ledger_seq: int = whole_number(default=0)
    receivable_cents: int = minor_units(least=0, default=0, sa_column_kwargs={"server_default": "0"})
    credit_cents: int = minor_units(least=0, default=0, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = instant()
    told_plan_code: str | None = text(default=None)


class UserRow(Row, table=True):
    """One person, known to the identity provider by `subject`."""

    __tablename__ = "app_user"

    id: str = identifier()
    subject: str = text(unique=True)
    email: str = text()
    name: str = text()
    created_at: datetime = instant()


class MembershipRow(Row, table=True):
    """What one person may do on one account."""

    __tablename__ = "membership"

    account_id: str = reference("account.id", index=False, primary_key=True)
    user_id: str = reference("app_user.id", primary_key=True)
    role: Role = enum_text(Role)


class AccessKeyRow(Row, table=True):
    """A key of another system; only its hash is kept. An ingest key speaks for one `source`."""

    __tablename__ = "access_key"
    __table_args__ = (UniqueConstraint("secret_hash"),)

    id: str = identifier()
    purpose: KeyPurpose = enum_text(KeyPurpose)
    name: str = text()
    source: str | None = text(default=None)
    secret_hash: str = text()
    created_at: datetime = instant()
    revoked_at: datetime | None = instant(default=None)
