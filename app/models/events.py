"""The audit log: one append-only row for every change of state, written in its transaction."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index
from sqlalchemy import text as sql

from app.models.base import Row, identifier, instant, json_value, reference, text


class EventRow(Row, table=True):
    """Who did what to which account, when and from where; `data` holds what changed."""

    __tablename__ = "event"
    __table_args__ = (
        Index(None, "account_id", "id"),
        Index(
            "ix_event_shown",
            "account_id",
            "id",
            "kind",
            sqlite_where=sql("kind <> 'usage.recorded'"),
            postgresql_where=sql("kind <> 'usage.recorded'"),
        ),
    )

    id: str = identifier()
    account_id: str | None = reference("account.id", index=False, default=None)
    kind: str = text()
    subject_id: str | None = text(default=None)
    actor: str = text()
    request_id: str | None = text(default=None)
    data: dict[str, Any] = json_value()
    occurred_at: datetime = instant()
    origin: str | None = text(default=None)
