"""From where, and what was told: the trail's places, and the plan that SAS Flex named last for an account.

Revision ID: 0005
Revises: 0004
Create Date: 2026-11-24 16:30:00+00:00
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    """Bring the database to this revision."""
    op.add_column("event", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("checkout", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("account", sa.Column("told_plan_code", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take the database back to the revision before."""
    op.drop_column("account", "told_plan_code")
    op.drop_column("checkout", "origin")
    op.drop_column("event", "origin")
