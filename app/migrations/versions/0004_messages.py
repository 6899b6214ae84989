"""Messages: who is told, what was told, and every message on its way."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations import triggers

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

KINDS = (
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
SENT_ONCE = triggers.Freeze(
    "notification", "UPDATE", "a message that was sent stays sent", "OLD.state = 'SENT' AND NEW.state <> 'SENT'"
)


def upgrade() -> None:
    """Bring the database up to this revision."""
    op.create_table(
        "refusing_address",
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("refused_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_refusing_address")),
    )
    op.create_table(
        "alert_crossing",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("level", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("arming_no", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("crossed_at", UTCDateTime(), nullable=False),
        sa.Column("used_seconds", sa.BigInteger(), nullable=False),
        sa.Column("rearmed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_crossing_account_id_account")),
        sa.PrimaryKeyConstraint(
            "account_id", "period_on", "kind", "level", "arming_no", name=op.f("pk_alert_crossing")
        ),
    )
    op.create_table(
        "alert_subscription",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("kind", _kind(), nullable=False),
        sa.Column("is_on", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_subscription_account_id_account")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_alert_subscription_user_id_app_user")),
        sa.PrimaryKeyConstraint("account_id", "user_id", "kind", name=op.f("pk_alert_subscription")),
    )
    op.create_index(op.f("ix_alert_subscription_user_id"), "alert_subscription", ["user_id"], unique=False)

    op.create_table(
        "alert_watch",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("from_seconds", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_alert_watch_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_alert_watch")),
    )
    op.create_table(
        "forecast_look",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("looked_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_forecast_look_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_forecast_look")),
    )
    op.create_table(
        "payment_contact",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("channels", _json(), nullable=False),
        sa.Column("kinds", _json(), nullable=False),
        sa.Column("time_zone", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.Text(), nullable=False),
        sa.Column("closes_at", sa.Text(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("removed_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_contact_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_contact")),
    )
    op.create_index(op.f("ix_payment_contact_account_id_id"), "payment_contact", ["account_id", "id"], unique=False)

    op.create_table(
        "notification",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column(
            "channel",
            sa.Enum("EMAIL", "PHONE_CALL", name="channel", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("user_id", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Text(), nullable=True),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("facts", _json(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "QUEUED",
                "SENDING",
                "SENT",
                "FAILED",
                "UNKNOWN",
                name="delivery_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("next_action_at", UTCDateTime(), nullable=False),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column(
            "call_outcome",
            sa.Enum(
                "ANSWERED",
                "VOICEMAIL",
                "NO_ANSWER",
                "BUSY",
                "DECLINED",
                "WRONG_NUMBER",
                "NOT_MADE",
                name="call_outcome",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_notification_account_id_account")),
        sa.ForeignKeyConstraint(
            ["contact_id"], ["payment_contact.id"], name=op.f("fk_notification_contact_id_payment_contact")
        ),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_notification_user_id_app_user")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notification")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notification_dedupe_key")),
    )
    op.create_index(op.f("ix_notification_account_id_id"), "notification", ["account_id", "id"], unique=False)
    op.create_index(op.f("ix_notification_contact_id"), "notification", ["contact_id"], unique=False)
    op.create_index(op.f("ix_notification_user_id"), "notification", ["user_id"], unique=False)
    op.create_index(
        "ix_notification_unsettled",
        "notification",
        ["channel", "next_action_at", "id"],
        unique=False,
        sqlite_where=sa.text("state IN ('QUEUED', 'SENDING', 'UNKNOWN')"),
        postgresql_where=sa.text("state IN ('QUEUED', 'SENDING', 'UNKNOWN')"),
    )
    triggers.add(SENT_ONCE)
    _subscribe_admins()


def downgrade() -> None:
    """Take the database back to the revision before."""
    triggers.drop(SENT_ONCE)
    for table in (
        "notification",
        "payment_contact",
        "forecast_look",
        "alert_watch",
        "alert_subscription",
        "alert_crossing",
        "refusing_address",
    ):
        op.drop_table(table)


def _subscribe_admins() -> None:
    """Give every admin there is a subscription to each kind, as those to come will have."""
    membership = sa.table("membership", *map(sa.column, ("account_id", "user_id", "role")))
    subscription = sa.table("alert_subscription", *map(sa.column, ("account_id", "user_id", "kind", "is_on")))
    columns = ["account_id", "user_id", "kind", "is_on"]
    for kind in KINDS:
        admins = sa.select(
            membership.c.account_id, membership.c.user_id, sa.literal(kind, sa.Text()), sa.literal(value=True)
        ).where(membership.c.role == "ADMIN")
        op.execute(subscription.insert().from_select(columns, admins))


def _kind() -> sa.Enum:
    return sa.Enum(*KINDS, name="alert_kind", native_enum=False, create_constraint=True, length=40)


def _json() -> sa.types.TypeEngine[Any]:
    return sa.JSON(none_as_null=True).with_variant(
        postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
    )
