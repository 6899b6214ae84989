"""Work that goes on when the customer who started it is gone; it is waited for only so long."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Coroutine

ANSWERS_WITHIN_SECONDS = 8.0


class BoundedWait:
    """Runs work in tasks of its own; at the end of the program all of it is waited for."""

    def __init__(self, seconds: float = ANSWERS_WITHIN_SECONDS) -> None:
        self._seconds = seconds
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self, work: Coroutine[None, None, None], *, name: str) -> None:
        """Start the work, and return when it is done or the time is over, whichever comes first."""
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=self._seconds)

    async def close(self) -> None:
        """Wait for what is under way: what was sent is never left without its answer."""
        if self._tasks:
            await asyncio.wait(self._tasks)
