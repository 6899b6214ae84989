"""${message}

Revision ${up_revision}, after ${down_revision | comma,n}, made ${create_date}.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
import sqlmodel
from alembic import op
from sqlalchemy import Text
from sqlalchemy.dialects import postgresql
${imports if imports else ""}
if TYPE_CHECKING:
    from collections.abc import Sequence

revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    """Bring the database up to this revision."""
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    """Take the database back to the revision before."""
    ${downgrades if downgrades else "pass"}
