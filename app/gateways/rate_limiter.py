"""Rate limits by a sliding-window counter, in memory or in Redis."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import structlog
from limits import RateLimitItemPerSecond
from limits.aio.storage import RedisStorage
from limits.aio.storage.redis.redispy import RedispyBridge
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from app.gateways.clock import SystemClock
from app.ports import Allowance, RateStorageUnusable

if TYPE_CHECKING:
    from app.ports import Rate

MEMORY = "memory://"

log = structlog.get_logger("rate_limits")


class SlidingRateLimiter:
    """Spends rates in a storage: `memory://` counts in this process alone, `redis://…` over several machines.

    While the storage is away everything is allowed, for a bill that cannot be read is worse than one read too often.
    """

    def __init__(self, address: str = MEMORY) -> None:
        """Open the storage.

        :raises RateStorageUnusable: when there is no such storage, or its library is missing.
        """
        try:
            storage = storage_from_string(f"async+{address}", wrap_exceptions=True, implementation="redispy")
        except ConfigurationError as error:
            raise RateStorageUnusable(address, str(error)) from error
        self._storage = storage
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    async def spend(self, rate: Rate, key: str, amount: int = 1, /) -> Allowance:
        """Spend an amount of the rate; nothing is spent where less than that is left."""
        item = RateLimitItemPerSecond(rate.most, rate.seconds)
        try:
            is_spent = await self._limiter.hit(item, rate.name, key, cost=amount)
            stats = await self._limiter.get_window_stats(item, rate.name, key)
        except StorageError as error:
            log.warning("rate limits not counted", error=type(error.storage_error).__qualname__)
            return Allowance(is_spent=True, remaining=rate.most, retry_after_seconds=0)
        wait = max(1, math.ceil(stats.reset_time - SystemClock().now().timestamp()))
        return Allowance(is_spent, max(0, stats.remaining), wait)

    async def close(self) -> None:
        """Close the connections to the storage."""
        if isinstance(self._storage, RedisStorage) and isinstance(self._storage.bridge, RedispyBridge):
            await self._storage.bridge.storage.aclose()
