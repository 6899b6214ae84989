"""What the payment gateway tells us by itself, and what is held back or was done on its day."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.payment_gateway import WebhookEventKind
from app.domain.refunds import WebhookEventState
from app.models.base import Row, enum_text, identifier, instant, json_value, text, whole_number


class WebhookEventRow(Row, table=True):
    """One verified webhook, kept before it is answered; the same payload is kept once."""

    __tablename__ = "gateway_notice"
    __table_args__ = (
        UniqueConstraint("payload_hash"),
        Index(
            "ix_gateway_notice_received",
            "received_at",
            sqlite_where=sql("state = 'RECEIVED'"),
            postgresql_where=sql("state = 'RECEIVED'"),
        ),
    )

    id: str = identifier()
    payload_hash: str = text()
    kind: WebhookEventKind = enum_text(WebhookEventKind)
    name: str = text()
    sent_at: datetime = instant()
    subject_id: str | None = text(default=None)
    details: dict[str, Any] = json_value()
    state: WebhookEventState = enum_text(WebhookEventState)
    reason: str | None = text(default=None)
    failures: int = whole_number(default=0)
    received_at: datetime = instant()
    next_action_at: datetime | None = instant(default=None)
    processed_at: datetime | None = instant(default=None)


class HoldRow(Row, table=True):
    """Something that is not done while the row exists, such as collecting after a restore."""

    __tablename__ = "hold"

    name: str = identifier()
    since: datetime = instant()
    reason: str = text()


class ScheduleRunRow(Row, table=True):
    """Something that happens once on each of its days, and did."""

    __tablename__ = "schedule_run"

    kind: str = text(primary_key=True)
    scheduled_for: datetime = instant(primary_key=True)
    done_at: datetime | None = instant(default=None)
