"""Contacts confirm their addresses: what was asked of whom, and how often limited things happened.

Contacts that there are go on being told: their addresses and numbers count as confirmed.

Revision ID: 0007
Revises: 0006
Create Date: 2026-11-30 19:31:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATES = ("UNCONFIRMED", "CONFIRMED", "DECLINED")
COLUMNS = {"email_state": ("email", "EMAIL"), "phone_state": ("phone", "PHONE_CALL")}


def upgrade() -> None:
    """Bring the database to this revision."""
    op.create_table(
        "limit_count",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("happened_at", _json(), nullable=False),
        sa.PrimaryKeyConstraint("name", "key", name=op.f("pk_limit_count")),
    )
    op.create_table(
        "contact_address",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("channel", _enum("channel", "EMAIL", "PHONE_CALL"), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("state", _enum("confirmation_state", *STATES), nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("requested_at", UTCDateTime(), nullable=True),
        sa.Column("answered_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("requests >= 0", name=op.f("ck_contact_address_requests")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_contact_address_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "channel", "key", name=op.f("pk_contact_address")),
    )
    for column in COLUMNS:
        op.add_column("payment_contact", sa.Column(column, sa.String(40), nullable=True))
    _confirm_contacts()
    checks = {f"ck_payment_contact_{column}": one_of(column, *STATES) for column in COLUMNS}
    replace_constraints("payment_contact", {}, checks)


def downgrade() -> None:
    """Take the database back to the revision before, where every contact is told."""
    replace_constraints("payment_contact", {f"ck_payment_contact_{column}": "" for column in COLUMNS})
    for column in COLUMNS:
        op.drop_column("payment_contact", column)
    op.drop_table("contact_address")
    op.drop_table("limit_count")


def _confirm_contacts() -> None:
    """Count every address and number as confirmed that a contact has now; nobody of them is asked."""
    for column, (address, channel) in COLUMNS.items():
        has_one = f"{address} IS NOT NULL AND removed_at IS NULL"
        op.execute(f"UPDATE payment_contact SET {column} = 'CONFIRMED' WHERE {has_one}")  # noqa: S608 -- our own names
        found = op.get_bind().execute(
            sa.text(f"SELECT account_id, {address} FROM payment_contact WHERE {has_one}")  # noqa: S608 -- our own names
        )
        for account_id, key in sorted({(account_id, text.lower()) for account_id, text in found}):
            op.get_bind().execute(
                sa.text("INSERT INTO contact_address VALUES (:account, :channel, :key, 'CONFIRMED', 0, NULL, NULL)"),
                {"account": account_id, "channel": channel, "key": key},
            )


def _enum(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
    )
