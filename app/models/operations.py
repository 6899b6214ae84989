"""What makes an operation happen once, or not too often: idempotency keys, used quotes, and counts of limits."""

from datetime import datetime
from typing import Any

from app.models.base import Row, identifier, instant, json_value, reference, text


class IdempotencyKeyRow(Row, table=True):
    """A key, the request it came with, and the result that a replay returns."""

    __tablename__ = "idempotency_key"

    account_id: str = reference("account.id", index=False, primary_key=True)
    operation: str = text(primary_key=True)
    key: str = text(primary_key=True)
    request_hash: str = text()
    result: dict[str, Any] = json_value()
    created_at: datetime = instant()


class UsedQuoteRow(Row, table=True):
    """A quote that was confirmed; there is no second time."""

    __tablename__ = "used_quote"

    id: str = identifier()
    account_id: str = reference("account.id")
    used_at: datetime = instant()


class LimitCountRow(Row, table=True):
    """When something limited happened lately, in milliseconds since 1970; `key` is for whom it is counted."""

    __tablename__ = "limit_count"

    name: str = text(primary_key=True)
    key: str = text(primary_key=True)
    happened_at: list[int] = json_value()
