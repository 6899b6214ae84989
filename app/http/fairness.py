"""Turns for accounts: only so many operations of one account run at once, and the others wait in its own queue."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class QueueFull(Exception):
    """More operations of the account wait than may."""


class Turns:
    """Lets `running` operations of each key run at once and `waiting` more wait, in the order in which they came."""

    def __init__(self, running: int, waiting: int) -> None:
        self._running = running
        self._most = running + waiting
        self._queues: dict[str, _Queue] = {}

    @asynccontextmanager
    async def turn(self, key: str) -> AsyncIterator[None]:
        """Wait for a turn, and give it back at the end.

        :raises QueueFull: when too many wait already.
        """
        queue = self._queues.get(key)
        if queue is None:
            queue = self._queues[key] = _Queue(self._running)
        if queue.length >= self._most:
            raise QueueFull
        queue.length += 1
        try:
            async with queue.slots:
                yield
        finally:
            queue.length -= 1
            if not queue.length:
                del self._queues[key]


class _Queue:
    def __init__(self, running: int) -> None:
        self.slots = asyncio.Semaphore(running)
        self.length = 0
