"""Accounts and invoices have running balances, the sums of their postings; issued invoices and entries of the audit
log are counted by an index alone, and open invoices found by one.

Revision ID: 0011
Revises: 0010
Create Date: 2026-12-01 04:00:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from app.migrations.rebuild import check_numbers, release_numbers

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LARGEST = 10**15
ALL_INVOICES = "ix_invoice_account_id_number"
PARTIAL = {
    "ix_invoice_issued": ("invoice", ["account_id", "number", "status"], "status <> 'DRAFT'"),
    "ix_invoice_open": ("invoice", ["account_id", "number"], "status = 'OPEN'"),
    "ix_event_shown": ("event", ["account_id", "id", "kind"], "kind <> 'usage.recorded'"),
}
COLUMNS = {
    "account": ("receivable_cents", "credit_cents"),
    "invoice": ("balance_cents", "written_off_cents"),
}

ADD_UP = {
    "account": """
    UPDATE account SET
        receivable_cents = COALESCE((
            SELECT SUM(CASE debit WHEN 'RECEIVABLE' THEN amount_cents ELSE -amount_cents END) FROM ledger_posting
            WHERE account_id = account.id AND 'RECEIVABLE' IN (debit, credit)
        ), 0),
        credit_cents = COALESCE((
            SELECT SUM(CASE credit WHEN 'CUSTOMER_CREDIT' THEN amount_cents ELSE -amount_cents END) FROM ledger_posting
            WHERE account_id = account.id AND 'CUSTOMER_CREDIT' IN (debit, credit)
        ), 0)
    """,
    "invoice": """
    UPDATE invoice SET
        balance_cents = COALESCE((
            SELECT SUM(CASE debit WHEN 'RECEIVABLE' THEN amount_cents ELSE -amount_cents END) FROM ledger_posting
            WHERE account_id = invoice.account_id AND invoice_id = invoice.id AND 'RECEIVABLE' IN (debit, credit)
        ), 0),
        written_off_cents = COALESCE((
            SELECT SUM(CASE debit WHEN 'BAD_DEBT' THEN amount_cents ELSE -amount_cents END) FROM ledger_posting
            WHERE account_id = invoice.account_id AND invoice_id = invoice.id AND 'BAD_DEBT' IN (debit, credit)
        ), 0)
    """,
}


def upgrade() -> None:
    """Bring the database to this revision."""
    for table, columns in COLUMNS.items():
        for column in columns:
            op.add_column(table, sa.Column(column, sa.BigInteger(), server_default="0", nullable=False))
        op.execute(ADD_UP[table])
        check_numbers(table, dict.fromkeys(columns, (0, LARGEST)))
    op.drop_index(ALL_INVOICES, table_name="invoice")
    for name, (table, indexed, condition) in PARTIAL.items():
        where = sa.text(condition)
        op.create_index(name, table, indexed, sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Take the database back to the revision before."""
    for name, (table, *_) in PARTIAL.items():
        op.drop_index(name, table_name=table)
    op.create_index(ALL_INVOICES, "invoice", ["account_id", "number"])
    for table, columns in COLUMNS.items():
        release_numbers(table, columns)
        for column in columns:
            op.drop_column(table, column)
