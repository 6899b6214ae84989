"""Calls that come in one by one are committed in groups: what arrives while one is written shares the next transaction.

A transaction costs a wait for the disk, whether it holds one call or a thousand. Nobody waits for company: a call that
arrives while nothing is written begins a transaction at once. Each request has its results when they are durable.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from app.repositories import unit_of_work
from app.repositories.database import DatabaseProblem
from app.services.usage.record_calls import BATCH_SIZE, Item, record_within

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.metering import MeteringResult
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


class _From(NamedTuple):
    """Who sent calls; those of one sender are recorded together."""

    source: str
    actor: str


@dataclass(frozen=True, slots=True, eq=False)
class _Waiting:
    sender: _From
    items: Sequence[Item]
    results: asyncio.Future[list[MeteringResult]]


class CallGroups:
    """Records calls as `record_calls` does, in transactions that several requests may share."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._waiting: deque[_Waiting] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def record(self, *, source: str, items: Sequence[Item], actor: str) -> list[MeteringResult]:
        """Record a request's calls and return one result for each, in order, once they are durable.

        At most `BATCH_SIZE` calls at once. Whoever is cancelled while waiting may find the calls recorded.
        """
        results = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(_From(source, actor), items, results))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        found: list[MeteringResult] = await results
        return found

    async def _write(self) -> None:
        while self._waiting:
            await self._commit(self._take())

    def _take(self) -> list[_Waiting]:
        """Return the requests that have waited longest, as many as fit into one transaction."""
        group = [self._waiting.popleft()]
        size = len(group[0].items)
        while self._waiting and size + len(self._waiting[0].items) <= BATCH_SIZE:
            group.append(self._waiting.popleft())
            size += len(group[-1].items)
        return group

    async def _commit(self, group: Sequence[_Waiting]) -> None:
        async def work(uow: UnitOfWork) -> list[list[MeteringResult]]:
            return await self._record(uow, group)

        (found,) = await asyncio.gather(unit_of_work.write(self._services.database, work), return_exceptions=True)
        if not isinstance(found, BaseException):
            for each, results in zip(group, found, strict=True):
                if not each.results.done():
                    each.results.set_result(results)
        elif len(group) > 1 and not isinstance(found, DatabaseProblem):
            for each in group:  # one that cannot be recorded does not take the others with it
                await self._commit([each])
        else:
            for each in group:
                if not each.results.done():
                    each.results.set_exception(found)

    async def _record(self, uow: UnitOfWork, group: Sequence[_Waiting]) -> list[list[MeteringResult]]:
        found: list[list[MeteringResult]] = []
        for sender, requests in groupby(group, key=lambda each: each.sender):
            sizes = []
            items: list[Item] = []
            for request in requests:
                items += request.items
                sizes.append(len(request.items))
            clock, ids = self._services.clock, self._services.ids
            results = iter(await record_within(uow, clock, ids, sender.source, items, sender.actor))
            found += [[next(results) for _ in range(size)] for size in sizes]
        return found
