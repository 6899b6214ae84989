"""Cards and collection: payment methods with their consents, charges, what waits for them, and what goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_PAYMENT_KINDS = ("CHECK",)
PAYMENT_KINDS = (*OLD_PAYMENT_KINDS, "CARD", "PAYPAL")
OLD_POSTING_KINDS = (
    "INVOICED",
    "TAX_INVOICED",
    "CREDIT_GRANTED",
    "TAX_CREDITED",
    "CREDIT_APPLIED",
    "CREDIT_PAID_OUT",
    "PAYMENT_RECEIVED",
    "OVERPAID",
    "PREPAID",
    "GOODWILL_GRANTED",
    "VOIDED",
    "TAX_VOIDED",
    "CREDIT_RESTORED",
    "WRITTEN_OFF",
)
POSTING_KINDS = (*OLD_POSTING_KINDS, "REFUNDED", "CHARGED_BACK", "RETURNED")


def upgrade() -> None:
    """Bring the database up to this revision."""
    op.create_table(
        "gateway_notice",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payload_hash", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "CHECK",
                "DISPUTE_OPENED",
                "DISPUTE_LOST",
                "DISPUTE_WON",
                "DISPUTE_CHANGED",
                "METHOD_REVOKED",
                "CARDS_UPDATED",
                "TRANSACTION_SETTLED",
                "SETTLEMENT_DECLINED",
                "REFUND_FAILED",
                "OTHER",
                name="notice_kind",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=False),
        sa.Column("subject_id", sa.Text(), nullable=True),
        sa.Column(
            "details",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "RECEIVED",
                "DONE",
                "QUARANTINED",
                name="notice_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("received_at", UTCDateTime(), nullable=False),
        sa.Column("next_action_at", UTCDateTime(), nullable=True),
        sa.Column("processed_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_notice")),
        sa.UniqueConstraint("payload_hash", name=op.f("uq_gateway_notice_payload_hash")),
    )
    with op.batch_alter_table("gateway_notice", schema=None) as batch_op:
        batch_op.create_index(
            "ix_gateway_notice_received",
            ["received_at"],
            unique=False,
            sqlite_where=sa.text("state = 'RECEIVED'"),
            postgresql_where=sa.text("state = 'RECEIVED'"),
        )

    op.create_table(
        "hold",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", UTCDateTime(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_hold")),
    )
    op.create_table(
        "schedule_run",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scheduled_for", UTCDateTime(), nullable=False),
        sa.Column("done_at", UTCDateTime(), nullable=True),
        sa.PrimaryKeyConstraint("kind", "scheduled_for", name=op.f("pk_schedule_run")),
    )
    op.create_table(
        "payment_method",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("CARD", "PAYPAL", name="method_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING",
                "ACTIVE",
                "NEEDS_ATTENTION",
                "FAILED",
                "REMOVED",
                name="method_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("brand", sa.Text(), nullable=False),
        sa.Column("last4", sa.Text(), nullable=True),
        sa.Column("expiry_month", sa.BigInteger(), nullable=True),
        sa.Column("expiry_year", sa.BigInteger(), nullable=True),
        sa.Column("cardholder", sa.Text(), nullable=True),
        sa.Column("postal_code", sa.Text(), nullable=True),
        sa.Column("payer_email", sa.Text(), nullable=True),
        sa.Column("fingerprint", sa.Text(), nullable=True),
        sa.Column("network_transaction_id", sa.Text(), nullable=True),
        sa.Column(
            "verification",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column(
            "failure",
            sa.Enum(
                "DECLINED",
                "NONCE_UNKNOWN",
                "NONCE_CONSUMED",
                "NONCE_NOT_REUSABLE",
                "CARD_INVALID",
                "DUPLICATE",
                "NOT_ACCEPTED",
                "UNAVAILABLE",
                "NOT_THERE",
                name="add_failure",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("duplicate_of_id", sa.Text(), nullable=True),
        sa.Column("replaces_id", sa.Text(), nullable=True),
        sa.Column("wants_default", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("updated_at", UTCDateTime(), nullable=False),
        sa.Column(
            "vault_task",
            sa.Enum(
                "SETTLE",
                "MAKE_DEFAULT",
                "DELETE",
                name="vault_task",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=True,
        ),
        sa.Column("next_action_at", UTCDateTime(), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("last4 IS NULL OR length(last4) = 4", name=op.f("ck_payment_method_last4")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_method_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_method")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_payment_method_account_id_id")),
    )
    with op.batch_alter_table("payment_method", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_method_account_id_created_at"), ["account_id", "created_at"], unique=False
        )
        batch_op.create_index(
            "ix_payment_method_vault_task",
            ["next_action_at"],
            unique=False,
            sqlite_where=sa.text("vault_task IS NOT NULL"),
            postgresql_where=sa.text("vault_task IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_payment_method_card",
            ["account_id", "fingerprint"],
            unique=True,
            sqlite_where=sa.text("fingerprint IS NOT NULL AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
            postgresql_where=sa.text("fingerprint IS NOT NULL AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
        )
        batch_op.create_index(
            "uq_payment_method_default",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("is_default AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
            postgresql_where=sa.text("is_default AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
        )

    op.create_table(
        "checkout",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column(
            "action",
            sa.Enum(
                "CHANGE_PLAN",
                "ACTIVATE_ADD_ON",
                name="checkout_action",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "state",
            sa.Enum(
                "WAITING",
                "DONE",
                "DECLINED",
                name="checkout_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "details",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=True),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("finished_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_checkout_account_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_checkout_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checkout")),
        sa.UniqueConstraint("invoice_id", name=op.f("uq_checkout_invoice_id")),
    )
    with op.batch_alter_table("checkout", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_checkout_account_id_id"), ["account_id", "id"], unique=False)
        batch_op.create_index(
            "uq_checkout_waiting",
            ["account_id"],
            unique=True,
            sqlite_where=sa.text("state = 'WAITING'"),
            postgresql_where=sa.text("state = 'WAITING'"),
        )

    op.create_table(
        "collection",
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "IDLE",
                "CHARGING",
                "WAITING",
                "UNKNOWN",
                "DONE",
                "PARKED",
                name="collection_status",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("round_no", sa.BigInteger(), nullable=False),
        sa.Column("slots_used", sa.BigInteger(), nullable=False),
        sa.Column("is_requested", sa.Boolean(), nullable=False),
        sa.Column("is_checkout", sa.Boolean(), nullable=False),
        sa.Column("is_by_hand", sa.Boolean(), nullable=False),
        sa.Column("next_attempt_at", UTCDateTime(), nullable=True),
        sa.Column("late_fee_at", UTCDateTime(), nullable=True),
        sa.Column("warn_at", UTCDateTime(), nullable=True),
        sa.Column("suspend_at", UTCDateTime(), nullable=True),
        sa.Column("retry_at", UTCDateTime(), nullable=True),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("next_action_at", UTCDateTime(), nullable=True),
        sa.Column("lease_until", UTCDateTime(), nullable=True),
        sa.Column("lease_epoch", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_collection_account_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_collection_account_id_account")),
        sa.PrimaryKeyConstraint("invoice_id", name=op.f("pk_collection")),
    )
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_collection_account_id_invoice_id"), ["account_id", "invoice_id"], unique=False
        )
        batch_op.create_index(
            "ix_collection_next_action_at",
            ["next_action_at"],
            unique=False,
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )

    op.create_table(
        "payment_attempt",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=False),
        sa.Column("attempt_no", sa.BigInteger(), nullable=False),
        sa.Column("round_no", sa.BigInteger(), nullable=False),
        sa.Column("method_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PLANNED",
                "SENT",
                "SUCCEEDED",
                "DECLINED",
                "UNKNOWN",
                name="attempt_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "FIRST",
                "RECURRING",
                "UNSCHEDULED",
                name="charge_reason",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("uses_key", sa.Boolean(), nullable=False),
        sa.Column("sends", sa.BigInteger(), nullable=False),
        sa.Column("absences", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column(
            "decline",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=True,
        ),
        sa.Column("settled_at", UTCDateTime(), nullable=True),
        sa.Column("returned_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_payment_attempt_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_payment_attempt_account_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id", "method_id"],
            ["payment_method.account_id", "payment_method.id"],
            name=op.f("fk_payment_attempt_account_id_method_id_payment_method"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_attempt_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_attempt")),
        sa.UniqueConstraint("account_id", "id", name=op.f("uq_payment_attempt_account_id_id")),
        sa.UniqueConstraint("invoice_id", "attempt_no", name=op.f("uq_payment_attempt_invoice_id_attempt_no")),
    )
    with op.batch_alter_table("payment_attempt", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_attempt_account_id_invoice_id_attempt_no"),
            ["account_id", "invoice_id", "attempt_no"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_payment_attempt_transaction_id"), ["transaction_id"], unique=False)
        batch_op.create_index(
            "ix_payment_attempt_unsettled",
            ["sent_at"],
            unique=False,
            sqlite_where=sa.text("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
            postgresql_where=sa.text("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
        )
        batch_op.create_index(
            "uq_payment_attempt_open",
            ["invoice_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
            postgresql_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
        )

    op.create_table(
        "payment_consent",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("method_id", sa.Text(), nullable=False),
        sa.Column("agreement_version", sa.Text(), nullable=False),
        sa.Column("text_hash", sa.Text(), nullable=False),
        sa.Column("agreement", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("revoked_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "method_id"],
            ["payment_method.account_id", "payment_method.id"],
            name=op.f("fk_payment_consent_account_id_method_id_payment_method"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_payment_consent_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_consent")),
    )
    with op.batch_alter_table("payment_consent", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_payment_consent_account_id_method_id"), ["account_id", "method_id"], unique=False
        )

    op.create_table(
        "dispute",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum("OPEN", "WON", "LOST", name="dispute_state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("opened_at", UTCDateTime(), nullable=False),
        sa.Column("changed_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id", "attempt_id"],
            ["payment_attempt.account_id", "payment_attempt.id"],
            name=op.f("fk_dispute_account_id_attempt_id_payment_attempt"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_dispute_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
    )
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_dispute_account_id_attempt_id"), ["account_id", "attempt_id"], unique=False
        )

    op.create_table(
        "refund",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("attempt_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("VOID", "REFUND", name="refund_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PLANNED",
                "SENT",
                "SUCCEEDED",
                "DECLINED",
                "UNKNOWN",
                name="attempt_state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("uses_key", sa.Boolean(), nullable=False),
        sa.Column("sends", sa.BigInteger(), nullable=False),
        sa.Column("absences", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("sent_at", UTCDateTime(), nullable=True),
        sa.Column("resolved_at", UTCDateTime(), nullable=True),
        sa.Column("transaction_id", sa.Text(), nullable=True),
        sa.Column("next_action_at", UTCDateTime(), nullable=True),
        sa.CheckConstraint("amount_cents > 0", name=op.f("ck_refund_amount")),
        sa.ForeignKeyConstraint(
            ["account_id", "attempt_id"],
            ["payment_attempt.account_id", "payment_attempt.id"],
            name=op.f("fk_refund_account_id_attempt_id_payment_attempt"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_refund_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund")),
    )
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refund_account_id_attempt_id"), ["account_id", "attempt_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refund_transaction_id"), ["transaction_id"], unique=False)
        batch_op.create_index(
            "ix_refund_next_action_at",
            ["next_action_at"],
            unique=False,
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )
        batch_op.create_index(
            "uq_refund_open",
            ["attempt_id"],
            unique=True,
            sqlite_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
            postgresql_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
        )
    replace_constraints("payment", {"ck_payment_payment_kind": one_of("kind", *PAYMENT_KINDS)})
    replace_constraints("ledger_posting", {"ck_ledger_posting_posting_kind": one_of("kind", *POSTING_KINDS)})
    _collect_open_invoices()


def downgrade() -> None:
    """Take the database back to the revision before."""
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_refund_open",
            sqlite_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
            postgresql_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
        )
        batch_op.drop_index(
            "ix_refund_next_action_at",
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_refund_transaction_id"))
        batch_op.drop_index(batch_op.f("ix_refund_account_id_attempt_id"))

    op.drop_table("refund")
    with op.batch_alter_table("dispute", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_dispute_account_id_attempt_id"))

    op.drop_table("dispute")
    with op.batch_alter_table("payment_consent", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_payment_consent_account_id_method_id"))

    op.drop_table("payment_consent")
    with op.batch_alter_table("payment_attempt", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payment_attempt_open",
            sqlite_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
            postgresql_where=sa.text("state IN ('PLANNED', 'SENT', 'UNKNOWN')"),
        )
        batch_op.drop_index(
            "ix_payment_attempt_unsettled",
            sqlite_where=sa.text("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
            postgresql_where=sa.text("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_payment_attempt_transaction_id"))
        batch_op.drop_index(batch_op.f("ix_payment_attempt_account_id_invoice_id_attempt_no"))

    op.drop_table("payment_attempt")
    with op.batch_alter_table("collection", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_collection_next_action_at",
            sqlite_where=sa.text("next_action_at IS NOT NULL"),
            postgresql_where=sa.text("next_action_at IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_collection_account_id_invoice_id"))

    op.drop_table("collection")
    with op.batch_alter_table("checkout", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_checkout_waiting",
            sqlite_where=sa.text("state = 'WAITING'"),
            postgresql_where=sa.text("state = 'WAITING'"),
        )
        batch_op.drop_index(batch_op.f("ix_checkout_account_id_id"))

    op.drop_table("checkout")
    with op.batch_alter_table("payment_method", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_payment_method_default",
            sqlite_where=sa.text("is_default AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
            postgresql_where=sa.text("is_default AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
        )
        batch_op.drop_index(
            "uq_payment_method_card",
            sqlite_where=sa.text("fingerprint IS NOT NULL AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
            postgresql_where=sa.text("fingerprint IS NOT NULL AND status IN ('ACTIVE', 'NEEDS_ATTENTION')"),
        )
        batch_op.drop_index(
            "ix_payment_method_vault_task",
            sqlite_where=sa.text("vault_task IS NOT NULL"),
            postgresql_where=sa.text("vault_task IS NOT NULL"),
        )
        batch_op.drop_index(batch_op.f("ix_payment_method_account_id_created_at"))

    op.drop_table("payment_method")
    op.drop_table("schedule_run")
    op.drop_table("hold")
    with op.batch_alter_table("gateway_notice", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_gateway_notice_received",
            sqlite_where=sa.text("state = 'RECEIVED'"),
            postgresql_where=sa.text("state = 'RECEIVED'"),
        )

    op.drop_table("gateway_notice")
    replace_constraints("ledger_posting", {"ck_ledger_posting_posting_kind": one_of("kind", *OLD_POSTING_KINDS)})
    replace_constraints("payment", {"ck_payment_payment_kind": one_of("kind", *OLD_PAYMENT_KINDS)})


def _collect_open_invoices() -> None:
    """Let invoices that are open already be charged as soon as there is a method, without a fee or suspension for the
    time before this revision.
    """
    op.execute(
        """
        INSERT INTO collection (invoice_id, account_id, status, due_on, round_no, slots_used, is_requested, is_checkout,
                                is_by_hand, next_attempt_at, failures, next_action_at, lease_epoch)
        SELECT id, account_id, 'IDLE', due_on, 0, 0, FALSE, FALSE, FALSE, issued_at, 0, issued_at, 0
        FROM invoice WHERE status = 'OPEN'
        """
    )
