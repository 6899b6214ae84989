"""Rates are spent in a sliding window; a storage that is away lets everything pass."""

from __future__ import annotations

import pytest
from limits.errors import StorageError

from app.gateways.rate_limiter import SlidingRateLimiter
from app.ports import Rate, RateStorageUnusable

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
