"""The rules of the bill: add-ons, single charges, taxes, changes of plan, and what makes an operation happen once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
from sqlmodel import UTCDateTime

from app.migrations import triggers
from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

OLD_LINE_KINDS = ("BASE", "OVERAGE", "PATCH", "IVR", "ADJUSTMENT")
LINE_KINDS = (
    "BASE",
    "BASE_REVERSAL",
    "ADD_ON",
    "ADDITIONAL_LINE",
    "OVERAGE",
    "PATCH",
    "IVR",
    "ADJUSTMENT",
    "CHARGE",
    "LATE_FEE",
    "CORRECTION",
    "TAX",
)
INVOICE_KINDS = ("CYCLE", "PLAN_CHANGE", "PLAN_UPGRADE", "ADD_ON", "FINAL", "CREDIT_NOTE")
OLD_BOOKS = ("RECEIVABLE", "REVENUE", "CASH", "CUSTOMER_CREDIT")
BOOKS = (*OLD_BOOKS, "TAX_PAYABLE", "BAD_DEBT", "GOODWILL")
OLD_POSTING_KINDS = ("INVOICED", "CREDIT_GRANTED", "CREDIT_APPLIED", "PAYMENT_RECEIVED", "OVERPAID")
POSTING_KINDS = (
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
OLD_REFUSALS = (
    "MALFORMED",
    "UNKNOWN_ACCOUNT",
    "TOO_OLD",
    "IN_THE_FUTURE",
    "CONFLICT",
    "UNKNOWN_ORIGINAL",
    "ALREADY_CORRECTED",
)
REFUSALS = (*OLD_REFUSALS, "ACCOUNT_CLOSED")
CYCLE_INDEX = "uq_invoice_cycle"
CORRECTS = "fk_invoice_account_id_corrects_invoice_id_invoice"
PENDING = "fk_account_pending_plan_version_id_plan_version"
UNCHECKED = sa.text("usage_seq > checked_usage_seq")


def upgrade() -> None:
    """Bring the database up to this revision."""
    op.create_table(
        "add_on_version",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*LINE_KINDS, name="line_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("monthly_cents", sa.BigInteger(), nullable=False),
        sa.Column("is_prorated", sa.Boolean(), nullable=False),
        sa.Column("entitlement", sa.Text(), nullable=True),
        sa.Column("terms_version", sa.Text(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_before", sa.Date(), nullable=True),
        sa.CheckConstraint("monthly_cents >= 0", name=op.f("ck_add_on_version_price")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_add_on_version")),
        sa.UniqueConstraint("code", "valid_from", name=op.f("uq_add_on_version_code_valid_from")),
    )
    op.create_table(
        "add_on_subscription",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("add_on_version_id", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("is_single", sa.Boolean(), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_before", sa.Date(), nullable=True),
        sa.Column("terms_version", sa.Text(), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("accepted_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_add_on_subscription_account_id_account")),
        sa.ForeignKeyConstraint(
            ["add_on_version_id"],
            ["add_on_version.id"],
            name=op.f("fk_add_on_subscription_add_on_version_id_add_on_version"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_add_on_subscription")),
    )
    op.create_index(
        op.f("ix_add_on_subscription_account_id_starts_on"),
        "add_on_subscription",
        ["account_id", "starts_on"],
        unique=False,
    )
    op.create_index(
        "uq_add_on_subscription_active",
        "add_on_subscription",
        ["account_id", "code"],
        unique=True,
        sqlite_where=sa.text("ends_before IS NULL AND is_single"),
        postgresql_where=sa.text("ends_before IS NULL AND is_single"),
    )

    op.create_table(
        "idempotency_key",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("operation", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column(
            "result",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_idempotency_key_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "operation", "key", name=op.f("pk_idempotency_key")),
    )
    op.create_table(
        "month_simulation",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("period_on", sa.Date(), nullable=False),
        sa.Column(
            "costs",
            sa.JSON(none_as_null=True).with_variant(
                postgresql.JSONB(none_as_null=True, astext_type=Text()), "postgresql"
            ),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_month_simulation_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "period_on", name=op.f("pk_month_simulation")),
    )
    op.create_table(
        "tax_rate",
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ten_thousandths", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_tax_rate_account_id_account")),
        sa.PrimaryKeyConstraint("account_id", "valid_from", name=op.f("pk_tax_rate")),
    )
    op.create_table(
        "used_quote",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("used_at", UTCDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_used_quote_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_used_quote")),
    )
    op.create_index(op.f("ix_used_quote_account_id"), "used_quote", ["account_id"], unique=False)

    op.create_table(
        "extra_charge",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(*LINE_KINDS, name="line_kind", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", UTCDateTime(), nullable=False),
        sa.Column("invoice_id", sa.Text(), nullable=True),
        sa.Column("waived_at", UTCDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id", "invoice_id"],
            ["invoice.account_id", "invoice.id"],
            name=op.f("fk_extra_charge_account_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_extra_charge_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extra_charge")),
    )
    op.create_index(
        op.f("ix_extra_charge_account_id_invoice_id"), "extra_charge", ["account_id", "invoice_id"], unique=False
    )
    _alter_account()
    op.drop_index(CYCLE_INDEX, "invoice")
    op.add_column("invoice", sa.Column("corrects_invoice_id", sa.Text(), nullable=True))
    replace_constraints(
        "invoice",
        {"ck_invoice_invoice_kind": one_of("kind", *INVOICE_KINDS)},
        {CORRECTS: "FOREIGN KEY (account_id, corrects_invoice_id) REFERENCES invoice (account_id, id)"},
    )
    triggers.replace(triggers.frozen_invoice("corrects_invoice_id"))
    _create_cycle_index("kind = 'CYCLE' AND status <> 'VOID'")
    replace_constraints("invoice_line", {"ck_invoice_line_line_kind": one_of("kind", *LINE_KINDS)})
    replace_constraints("ledger_posting", _ledger_checks(POSTING_KINDS, BOOKS))
    replace_constraints("quarantined_call", {"ck_quarantined_call_refusal_reason": one_of("reason", *REFUSALS)})
    op.add_column("plan_version", sa.Column("existing_move_on", sa.Date(), nullable=True))


def downgrade() -> None:
    """Take the database back to the revision before; it must hold nothing that only this one knows."""
    op.drop_column("plan_version", "existing_move_on")
    replace_constraints("quarantined_call", {"ck_quarantined_call_refusal_reason": one_of("reason", *OLD_REFUSALS)})
    replace_constraints("ledger_posting", _ledger_checks(OLD_POSTING_KINDS, OLD_BOOKS))
    replace_constraints("invoice_line", {"ck_invoice_line_line_kind": one_of("kind", *OLD_LINE_KINDS)})
    triggers.replace(triggers.frozen_invoice())
    op.drop_index(CYCLE_INDEX, "invoice")
    replace_constraints("invoice", {CORRECTS: "", "ck_invoice_invoice_kind": one_of("kind", "CYCLE")})
    op.drop_column("invoice", "corrects_invoice_id")
    _create_cycle_index("kind = 'CYCLE'")
    op.drop_index("ix_account_unchecked", "account")
    replace_constraints("account", {PENDING: ""})
    for column in ("pending_plan_version_id", "upgrade_count", "checked_usage_seq"):
        op.drop_column("account", column)
    for table in (
        "extra_charge",
        "used_quote",
        "tax_rate",
        "month_simulation",
        "idempotency_key",
        "add_on_subscription",
        "add_on_version",
    ):
        op.drop_table(table)


def _alter_account() -> None:
    op.add_column("account", sa.Column("pending_plan_version_id", sa.Text(), nullable=True))
    replace_constraints("account", {}, {PENDING: "FOREIGN KEY (pending_plan_version_id) REFERENCES plan_version (id)"})
    for counter in ("upgrade_count", "checked_usage_seq"):
        op.add_column("account", sa.Column(counter, sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_account_unchecked", "account", ["id"], sqlite_where=UNCHECKED, postgresql_where=UNCHECKED)


def _create_cycle_index(condition: str) -> None:
    where = sa.text(condition)
    op.create_index(
        CYCLE_INDEX, "invoice", ["account_id", "period_on"], unique=True, sqlite_where=where, postgresql_where=where
    )


def _ledger_checks(kinds: Sequence[str], books: Sequence[str]) -> dict[str, str]:
    return {
        "ck_ledger_posting_posting_kind": one_of("kind", *kinds),
        "ck_ledger_posting_debit": one_of("debit", *books),
        "ck_ledger_posting_credit": one_of("credit", *books),
    }
