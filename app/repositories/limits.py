"""Counts of what may happen only so often: rows, so that a restart resets none and all processes share them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlmodel import col, select

from app.models.operations import LimitCountRow
from app.repositories.bulk import execute_many, upsert

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.limits import Limit

_BEGIN = upsert(LimitCountRow, ("name", "key"))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


class LimitRepository:
    """Spends limits in the transaction that does what is limited: what is rolled back did not happen."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def spend(self, uses: Iterable[tuple[Limit, str]], *, now: datetime) -> datetime | None:
        """Count that each of these limits is used once, by its key; or return when all of them can be.

        Nothing is counted where one of them is used up. Who counts for the same key waits for the other's end.
        """
        wanted = sorted(uses, key=lambda use: (use[0].name, use[1]))  # in one order, so that no two wait for each other
        await execute_many(self._session, _BEGIN, [(limit.name, key, []) for limit, key in wanted])
        found = [(limit, await self._locked(limit, key)) for limit, key in wanted]
        waits = [limit.retry_at(_instants(row), now) for limit, row in found]
        retry_at = max((at for at in waits if at is not None), default=None)
        if retry_at is None:
            for limit, row in found:
                row.happened_at = [_milliseconds(at) for at in (*limit.counted(_instants(row), now), now)]
                self._session.add(row)
            await self._session.flush()
        return retry_at

    async def _locked(self, limit: Limit, key: str) -> LimitCountRow:
        statement = select(LimitCountRow).where(col(LimitCountRow.name) == limit.name, col(LimitCountRow.key) == key)
        return (await self._session.exec(statement.with_for_update())).one()


def _instants(row: LimitCountRow) -> list[datetime]:
    return [_EPOCH + at * _MILLISECOND for at in row.happened_at]


def _milliseconds(at: datetime) -> int:
    return (at - _EPOCH) // _MILLISECOND
