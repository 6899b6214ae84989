"""Payment methods are verified before they are added, and attempts of all accounts are found by their time.

Revision ID: 0010
Revises: 0009
Create Date: 2026-12-01 00:40:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op
from sqlmodel import UTCDateTime

from app.migrations.rebuild import one_of, replace_constraints

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TABLE = "payment_method"
STATUSES = ("PENDING", "ACTIVE", "NEEDS_ATTENTION", "FAILED", "REMOVED")
FAILURES = (
    "DECLINED",
    "NONCE_UNKNOWN",
    "NONCE_CONSUMED",
    "NONCE_NOT_REUSABLE",
    "CARD_INVALID",
    "DUPLICATE",
    "NOT_ACCEPTED",
    "UNAVAILABLE",
    "NOT_THERE",
)

GIVE_UP = (
    """
    UPDATE payment_consent SET revoked_at = (
        SELECT held_until FROM payment_method WHERE payment_method.id = payment_consent.method_id
    )
    WHERE method_id IN (
        SELECT id FROM payment_method WHERE status IN ('PENDING', 'VERIFIED') AND held_until IS NOT NULL
    )
    """,
    """
    UPDATE payment_method SET status = 'FAILED', failure = 'NOT_THERE', vault_task = 'DELETE'
    WHERE status IN ('PENDING', 'VERIFIED') AND held_until IS NOT NULL
    """,
    "UPDATE payment_method SET failure = 'NOT_THERE' WHERE failure = 'NOT_ADDED'",
)


def upgrade() -> None:
    """Bring the database to this revision."""
    op.add_column(TABLE, sa.Column("held_until", UTCDateTime(), nullable=True))
    _hold_to((*STATUSES, "VERIFIED"), (*FAILURES, "NOT_ADDED"))
    op.create_index(op.f("ix_payment_method_created_at"), TABLE, ["created_at"])


def downgrade() -> None:
    """Take the database back to the revision before, which would put on file whatever it finds in the vault: what was
    not added is given up, and deleted from the vault at the time that was planned for it.
    """
    op.drop_index(op.f("ix_payment_method_created_at"), table_name=TABLE)
    for statement in GIVE_UP:
        op.execute(statement)
    _hold_to(STATUSES, FAILURES)
    op.drop_column(TABLE, "held_until")


def _hold_to(statuses: Sequence[str], failures: Sequence[str]) -> None:
    replace_constraints(
        TABLE,
        {
            f"ck_{TABLE}_method_status": one_of("status", *statuses),
            f"ck_{TABLE}_add_failure": one_of("failure", *failures),
        },
    )
