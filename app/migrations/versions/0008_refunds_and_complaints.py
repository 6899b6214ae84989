"""Refunds are told, complaints of mail are kept, and addresses compare without case.

Revision ID: 0008
Revises: 0007
Create Date: 2026-11-30 19:50:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

REFUNDED = "PAYMENT_REFUNDED"
MONEY_KINDS = frozenset({"PAYMENT_RECEIVED", "PAYMENT_FAILED"})
"""Who is told of either is told of refunds."""

OLD_KINDS = (
    "ALLOWANCE_NEARLY_USED",
    "ALLOWANCE_EXCEEDED",
    "COST_EFFECTIVE_EXCEEDED",
    "FORECAST_OVER_ALLOWANCE",
    "UPGRADE_SCHEDULED",
    "UPGRADE_DONE",
    "INVOICE_READY",
    "PAYMENT_RECEIVED",
    "PAYMENT_FAILED",
    "BACKUP_USED",
    "CARD_EXPIRING",
    "SUSPENSION_SCHEDULED",
    "SUSPENDED",
    "REACTIVATED",
    "PLAN_CHANGED",
    "ADD_ON_BOUGHT",
    "ADD_ON_ENDED",
    "CONTACT_CHANGED",
    "PAYMENT_METHOD_CHANGED",
)
TABLES_OF_KINDS = ("alert_subscription", "alert_crossing")
CHUNK_SIZE = 1_000

JSON = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql")
CONTACT = sa.table("payment_contact", sa.column("id", Text()), sa.column("kinds", JSON))


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "mail_complaint",
        sa.Column("address", Text(), nullable=False),
        sa.Column("reason", Text(), nullable=False),
        sa.Column("complained_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_mail_complaint")),
    )
    _fold_addresses()
    for table in TABLES_OF_KINDS:
        replace_constraints(table, {f"ck_{table}_alert_kind": one_of("kind", *OLD_KINDS, REFUNDED)})
    _subscribe_admins()
    _change_contacts(lambda kinds: [*kinds, REFUNDED] if MONEY_KINDS & set(kinds) else kinds)


def downgrade() -> None:
    """Take the database back to the revision before."""
    _change_contacts(lambda kinds: [kind for kind in kinds if kind != REFUNDED])
    for table in TABLES_OF_KINDS:
        op.execute(sa.text(f"DELETE FROM {table} WHERE kind = :kind").bindparams(kind=REFUNDED))  # noqa: S608 -- ours
        replace_constraints(table, {f"ck_{table}_alert_kind": one_of("kind", *OLD_KINDS)})
    op.drop_table("mail_complaint")


def _fold_addresses() -> None:
    """Let what is known of an address stand once, under its key: the newest of what differs by case alone."""
    op.execute(
        "DELETE FROM refusing_address WHERE EXISTS ("
        "SELECT 1 FROM refusing_address other WHERE lower(other.address) = lower(refusing_address.address) "
        "AND (other.refused_at > refusing_address.refused_at "
        "OR (other.refused_at = refusing_address.refused_at AND other.address > refusing_address.address)))"
    )
    op.execute("UPDATE refusing_address SET address = lower(address)")


def _subscribe_admins() -> None:
    """Give every admin there is a subscription to refunds, as those to come will have."""
    membership = sa.table("membership", *map(sa.column, ("account_id", "user_id", "role")))
    subscription = sa.table("alert_subscription", *map(sa.column, ("account_id", "user_id", "kind", "is_on")))
    admins = sa.select(
        membership.c.account_id, membership.c.user_id, sa.literal(REFUNDED, Text()), sa.literal(value=True)
    ).where(membership.c.role == "ADMIN")
    op.execute(subscription.insert().from_select(["account_id", "user_id", "kind", "is_on"], admins))


def _change_contacts(change: Callable[[list[str]], list[str]]) -> None:
    """Give payment contacts other kinds, some at a time."""
    after = ""
    while True:
        page = sa.select(CONTACT).where(CONTACT.c.id > after).order_by(CONTACT.c.id).limit(CHUNK_SIZE)
        rows = op.get_bind().execute(page).all()
        for contact_id, kinds in rows:
            changed = change(kinds)
            if changed != kinds:
                op.execute(CONTACT.update().where(CONTACT.c.id == contact_id).values(kinds=changed))
        if len(rows) < CHUNK_SIZE:
            return
        after = rows[-1][0]
