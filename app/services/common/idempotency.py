"""An operation that moves money happens once: a key is answered with its first result for ever (rule 36)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.invoice_drafts import digest
from app.repositories.operations import StoredOperation

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping
    from datetime import datetime

    from app.repositories.unit_of_work import UnitOfWork

LONGEST_KEY = 255


class IdempotencyConflict(ValueError):
    """The key was used before with another request."""

    def __init__(self, key: str) -> None:
        super().__init__("This idempotency key was used for another request. Use a new key for a new request.")
        self.key = key


class InvalidIdempotencyKey(ValueError):
    """The key is empty, too long, or not plain ASCII."""

    def __init__(self, key: str) -> None:
        super().__init__(f"An idempotency key has 1 to {LONGEST_KEY} printable ASCII characters.")
        self.key = key


async def execute_idempotently(
    uow: UnitOfWork,
    *,
    account_id: str,
    operation: str,
    key: str,
    request: Mapping[str, Any],
    now: datetime,
    work: Callable[[], Awaitable[dict[str, Any]]],
) -> dict[str, Any]:
    """Return the result stored under the key, or do the work and store its result, in the caller's transaction.

    The caller is the account's only writer. A refusal, raised by `work`, stores nothing: the key stays free.
    :raises InvalidIdempotencyKey: when the key cannot be one.
    :raises IdempotencyConflict: when the key was used with another request.
    """
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidIdempotencyKey(key)
    request_hash = digest(sorted(request.items()))
    stored = await uow.operations.find(account_id, operation, key)
    if stored is not None:
        if stored.request_hash != request_hash:
            raise IdempotencyConflict(key)
        return stored.result
    result = await work()
    await uow.operations.add(account_id, operation, key, StoredOperation(request_hash, result), at=now)
    return result
