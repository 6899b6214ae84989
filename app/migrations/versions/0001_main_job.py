"""The main job: accounts, plans, calls and their sums, invoices, the books, the trail."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations import triggers

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the database up to this revision."""
    op.create_table(
        "access_key",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum("INGEST", "SERVICE", name="key_purpose", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_key")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_access_key_secret_hash")),
    )
    op.create_table(
        "app_user",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_app_user")),
        sa.UniqueConstraint("subject", name=op.f("uq_app_user_subject")),
    )
    op.create_table(
        "plan_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("base_cents", sa.BigInteger(), nullable=False),
        sa.Column("included_minutes", sa.BigInteger(), nullable=False),
        sa.Column("overage_rate", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_before", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "base_cents >= 0 AND included_minutes >= 0 AND overage_rate > 0", name=op.f("ck_plan_version_prices")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_version")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_plan_version_code_valid_from")),
    )
    op.create_table(
        "quarantined_call",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                "MALFORMED",
                "UNKNOWN_ACCOUNT",
                "TOO_OLD",
                "IN_THE_FUTURE",
                "CONFLICT",
                "UNKNOWN_ORIGINAL",
                "ALREADY_CORRECTED",
                name="refusal_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column(
            "resolution",
            sa.Enum("RELEASED", "DISCARDED", name="resolution", native_enum=False, create_constraint=True, length=40),
            nullable=True,
        ),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_by", sa.Text(), nullable=True),
        sa.Column("resolution_note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_quarantined_call")),
        sa.UniqueConstraint("fingerprint", name=op.f("uq_quarantined_call_fingerprint")),
    )
    with op.batch_alter_table("quarantined_call", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_quarantined_call_resolution_id"), ["resolution", "id"], unique=False)

    op.create_table(
        "sequence",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next_value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_sequence")),
    )
    op.create_table(
        "account",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "ACTIVE",
                "SUSPENDED",
                "CLOSED",
                name="account_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("trial_ends_on", sa.Date(), nullable=True),
        sa.Column("paid_starts_on", sa.Date(), nullable=False),
        sa.Column("plan_version_id", sa.Text(), nullable=False),
        sa.Column("next_cycle_on", sa.Date(), nullable=False),
        sa.Column("next_close_at", UTCDateTime(), nullable=True),
        sa.Column("adjustable_from_on", sa.Date(), nullable=False),
        sa.Column("usage_seq", sa.BigInteger(), nullable=False),
        sa.Column("ledger_seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_account_plan_version_id_plan_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("external_id", name=op.f("uq_account_external_id")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_account_next_close_at_id"), ["next_close_at", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_account_plan_version_id"), ["plan_version_id"], unique=False)

    op.create_table(
        "billing_cycle",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("plan_version_id", sa.Text(), nullable=False),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_billing_cycle_account_id_account")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_billing_cycle_plan_version_id_plan_version")
        ),
        sa.PrimaryKeyConstraint("account_id", "period_on", name=op.f("pk_billing_cycle")),
    )
    with op.batch_alter_table("billing_cycle", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_billing_cycle_plan_version_id"), ["plan_version_id"], unique=False)

    op.create_table(
        "call",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("started_at", UTCDateTime(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("script_seconds", sa.BigInteger(), nullable=False),
        sa.Column("recording_seconds", sa.BigInteger(), nullable=False),
        sa.Column("live_seconds", sa.BigInteger(), nullable=False),
        sa.Column("patch_seconds", sa.BigInteger(), nullable=False),
        sa.Column("ivr_seconds", sa.BigInteger(), nullable=False),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("is_billable", sa.Boolean(), nullable=False),
        sa.Column("corrects_seq", sa.BigInteger(), nullable=True),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint(
            "script_seconds >= 0 AND recording_seconds >= 0 AND patch_seconds >= 0 AND ivr_seconds >= 0",
            name=op.f("ck_call_seconds"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_call_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_call")),
        sa.UniqueConstraint("source", "event_id", name=op.f("uq_call_source_event_id")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_call_account_id_started_at_seq"), ["account_id", "started_at", "seq"], unique=False
        )
        batch_op.create_index(
            "uq_call_corrects",
            ["account_id", "corrects_seq"],
            unique=True,
            sqlite_where=sa.text("corrects_seq IS NOT NULL"),
            postgresql_where=sa.text("corrects_seq IS NOT NULL"),
        )

    op.create_table(
        "event",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column(
            "data",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("occurred_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_event_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_event_account_id_id"), ["account_id", "id"], unique=False)

    op.create_table(
        "invoice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("account_name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("CYCLE", name="invoice_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "DRAFT",
                "OPEN",
                "PAID",
                "VOID",
                "UNCOLLECTIBLE",
                name="invoice_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("plan_version_id", sa.Text(), nullable=False),
        sa.Column("policies_version", sa.Text(), nullable=False),
        sa.Column("engine_version", sa.BigInteger(), nullable=False),
        sa.Column("usage_watermark", sa.BigInteger(), nullable=False),
        sa.Column("ledger_watermark", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("credit_applied_cents", sa.BigInteger(), nullable=False),
        sa.Column("amount_due_cents", sa.BigInteger(), nullable=False),
        sa.Column("facts_hash", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("issued_at", UTCDateTime(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("paid_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint(
            "status = 'DRAFT' OR (number IS NOT NULL AND issued_at IS NOT NULL)", name=op.f("ck_invoice_issued")
        ),
        sa.CheckConstraint("credit_applied_cents >= 0 AND amount_due_cents >= 0", name=op.f("ck_invoice_amounts")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_invoice_account_id_account")),
        sa.ForeignKeyConstraint(
            ["plan_version_id"], ["plan_version.id"], name=op.f("fk_invoice_plan_version_id_plan_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invoice")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_invoice_account_id_id")),
        sa.UniqueConstraint("number", name=op.f("uq_invoice_number")),
    )
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invoice_account_id_number"), ["account_id", "number"], unique=False)
        batch_op.create_index(
            "uq_invoice_cycle",
            ["account_id", "period_on"],
            unique=True,
            sqlite_where=sa.text("kind = 'CYCLE'"),
            postgresql_where=sa.text("kind = 'CYCLE'"),
        )

    op.create_table(
        "membership",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column(
            "role",
            sa.Enum("ADMIN", "BILLING", "MEMBER", name="role", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_membership_account_id_account")),
        sa.ForeignKeyConstraint(["user_id"], ["app_user.id"], name=op.f("fk_membership_user_id_app_user")),
        sa.PrimaryKeyConstraint("account_id", "user_id", name=op.f("pk_membership")),
    )
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_membership_user_id"), ["user_id"], unique=False)

    op.create_table(
        "payment",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("CHECK", name="payment_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("recorded_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_amount")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_payment_account_id_id")),
        sa.UniqueConstraint("account_id", "kind", "reference", name=op.f("uq_payment_account_id_kind_reference")),
    )
    op.create_table(
        "usage_day",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("on_date", sa.Date(), nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("live_seconds", sa.BigInteger(), nullable=False),
        sa.Column("patch_seconds", sa.BigInteger(), nullable=False),
        sa.Column("ivr_seconds", sa.BigInteger(), nullable=False),
        sa.Column("call_count", sa.BigInteger(), nullable=False),
        sa.Column("free_call_count", sa.BigInteger(), nullable=False),
        sa.Column("last_started_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_usage_day_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "on_date", name=op.f("pk_usage_day")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "invoice_line",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "BASE",
                "OVERAGE",
                "PATCH",
                "IVR",
                "ADJUSTMENT",
                name="line_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("unit_price", sa.BigInteger(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("rule", sa.BigInteger(), nullable=False),
        sa.Column(
            "inputs",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_invoice_line_account_id_invoice_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("invoice_id", "position", name=op.f("pk_invoice_line")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("invoice_line", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_invoice_line_account_id_period_on"), ["account_id", "period_on"], unique=False
        )

    op.create_table(
        "ledger_posting",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "INVOICED",
                "CREDIT_GRANTED",
                "CREDIT_APPLIED",
                "PAYMENT_RECEIVED",
                "OVERPAID",
                name="posting_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "debit",
            sa.Enum(
                "RECEIVABLE",
                "REVENUE",
                "CASH",
                "CUSTOMER_CREDIT",
                name="debit",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "credit",
            sa.Enum(
                "RECEIVABLE",
                "REVENUE",
                "CASH",
                "CUSTOMER_CREDIT",
                name="credit",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Text(), nullable=True),
        sa.Column("grant_seq", sa.BigInteger(), nullable=True),
        sa.Column("posted_at", UTCDateTime(), nullable=False),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_ledger_posting_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_ledger_posting_account_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "payment_id"],
            ["payment.account_id", "payment.id"],
            name=op.f("fk_ledger_posting_account_id_payment_id_payment"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_ledger_posting_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "seq", name=op.f("pk_ledger_posting")),
        sqlite_with_rowid=False,
    )
    with op.batch_alter_table("ledger_posting", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_ledger_posting_account_id_invoice_id"), ["account_id", "invoice_id"], unique=False
        )
    # Here from the beginning, so that two first cycle runs wait for each other on one row.
    op.execute("INSERT INTO sequence (name, next_value) VALUES ('invoice_number', 100001)")
    triggers.install()


def downgrade() -> None:
    """Take the database back to the revision before."""
    triggers.remove()
    with op.batch_alter_table("ledger_posting", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ledger_posting_account_id_invoice_id"))

    op.drop_table("ledger_posting")
    with op.batch_alter_table("invoice_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invoice_line_account_id_period_on"))

    op.drop_table("invoice_line")
    op.drop_table("usage_day")
    op.drop_table("payment")
    with op.batch_alter_table("membership", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_membership_user_id"))

    op.drop_table("membership")
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_invoice_cycle", sqlite_where=sa.text("kind = 'CYCLE'"), postgresql_where=sa.text("kind = 'CYCLE'")
        )
        batch_op.drop_index(batch_op.f("ix_invoice_account_id_number"))

    op.drop_table("invoice")
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_event_account_id_id"))

    op.drop_table("event")
    with op.batch_alter_table("call", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_call_corrects",
            sqlite_where=sa.text("corrects_seq IS NOT NULL"),
            postgresql_where=sa.text("corrects_seq IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_call_account_id_started_at_seq"))

    op.drop_table("call")
    with op.batch_alter_table("billing_cycle", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_billing_cycle_plan_version_id"))

    op.drop_table("billing_cycle")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_account_plan_version_id"))
        batch_op.drop_index(batch_op.f("ix_account_next_close_at_id"))

    op.drop_table("account")
    op.drop_table("sequence")
    with op.batch_alter_table("quarantined_call", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_quarantined_call_resolution_id"))

    op.drop_table("quarantined_call")
    op.drop_table("plan_version")
    op.drop_table("app_user")
    op.drop_table("access_key")
