"""Rates are spent in a sliding window; a storage that is away lets everything pass."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest
from limits.errors import StorageError

from app.gateways.rate_limiter import SlidingRateLimiter
from app.ports import Rate, RateStorageUnusable
from tests.redis import running_redis

TEN = Rate("ten", 10, 60)


async def test_an_amount_is_spent_whole_or_not_at_all():
    limiter = SlidingRateLimiter()
    assert (await limiter.spend(TEN, "a", 7)).remaining == 3
    refused = await limiter.spend(TEN, "a", 4)
    assert (refused.is_spent, refused.remaining) == (False, 3)
    assert 1 <= refused.retry_after_seconds <= 60
    assert (await limiter.spend(TEN, "a", 3)).is_spent


async def test_keys_and_rates_are_apart():
    limiter = SlidingRateLimiter()
    assert (await limiter.spend(TEN, "a", 10)).is_spent
    assert (await limiter.spend(TEN, "b", 10)).is_spent
    assert (await limiter.spend(Rate("other", 10), "a", 10)).is_spent


async def test_a_storage_that_is_away_lets_everything_pass(monkeypatch):
    limiter = SlidingRateLimiter()

    async def away(*_arguments, **_options):
        raise StorageError(ConnectionError("no route"))

    monkeypatch.setattr(limiter._limiter, "hit", away)
    assert await limiter.spend(TEN, "a", 11) == (await limiter.spend(TEN, "a", 11))
    assert (await limiter.spend(TEN, "a", 11)).is_spent


def test_an_address_that_is_no_storage_is_refused():
    with pytest.raises(RateStorageUnusable, match="cannot be counted in nowhere://"):
        SlidingRateLimiter("nowhere://")


class TestRedis:
    async def test_several_machines_share_one_count(self):
        with running_redis() as port:
            async with limiting(port) as first, limiting(port) as second:
                assert (await first.spend(TEN, "a", 6)).remaining == 4
                refused = await second.spend(TEN, "a", 5)
                assert (refused.is_spent, refused.remaining) == (False, 4)
                assert 1 <= refused.retry_after_seconds <= 60
                assert (await second.spend(TEN, "a", 4)).is_spent
                assert not (await first.spend(TEN, "a")).is_spent

    async def test_a_server_that_went_away_and_came_back_counts_again(self):
        with running_redis() as port:
            limiter = SlidingRateLimiter(f"redis://127.0.0.1:{port}")
            assert not (await limiter.spend(TEN, "a", 11)).is_spent
        assert (await limiter.spend(TEN, "a", 11)).is_spent
        with running_redis(port):
            assert not (await limiter.spend(TEN, "a", 11)).is_spent
            await limiter.close()


@asynccontextmanager
async def limiting(port):
    limiter = SlidingRateLimiter(f"redis://127.0.0.1:{port}")
    yield limiter
    await limiter.close()
