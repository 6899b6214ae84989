"""Idempotency keys with their results, and the quotes that were used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlmodel import select

from app.models.operations import IdempotencyKeyRow, UsedQuoteRow

if TYPE_CHECKING:
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """An operation that was carried out: the request behind it, and its result."""

    request_hash: str
    result: dict[str, Any]


class OperationRepository:
    """Remembers what was done, in the transaction that does it."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, account_id: str, operation: str, key: str) -> StoredOperation | None:
        """Return what was done under the key."""
        statement = select(IdempotencyKeyRow).where(
            IdempotencyKeyRow.account_id == account_id,
            IdempotencyKeyRow.operation == operation,
            IdempotencyKeyRow.key == key,
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else StoredOperation(row.request_hash, row.result)

    async def add(self, account_id: str, operation: str, key: str, stored: StoredOperation, *, at: datetime) -> None:
        """Store what was done under the key."""
        self._session.add(
            IdempotencyKeyRow(
                account_id=account_id,
                operation=operation,
                key=key,
                request_hash=stored.request_hash,
                result=stored.result,
                created_at=at,
            )
        )
        await self._session.flush()

    async def is_used(self, quote_id: str) -> bool:
        """Tell whether the quote was confirmed before."""
        return await self._session.get(UsedQuoteRow, quote_id) is not None

    async def use_quote(self, quote_id: str, account_id: str, *, at: datetime) -> None:
        """Store that the quote is confirmed; the database refuses a second time."""
        self._session.add(UsedQuoteRow(id=quote_id, account_id=account_id, used_at=at))
        await self._session.flush()
