"""Turns: only so many operations of one account run at once, the others wait in its own queue, and expensive ones run
one after another, whoever asks.
"""

from __future__ import annotations

import asyncio
import time
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


LONGEST_REST_SECONDS = 0.1


class SlowLane:
    """Lets expensive operations run one at a time; after each, the event loop is left to others for as long as it ran.

    An operation computes without a pause, and whoever waits for one should not have to wait for the next as well.
    """

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._rests_until = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait until the operation before is over and has been rested from."""
        async with self._lock:
            await asyncio.sleep(max(0.0, self._rests_until - time.monotonic()))
            began = time.monotonic()
            try:
                yield
            finally:
                ended = time.monotonic()
                self._rests_until = ended + min(ended - began, LONGEST_REST_SECONDS)


class _Queue:
    def __init__(self, running: int) -> None:
        self.slots = asyncio.Semaphore(running)
        self.length = 0
