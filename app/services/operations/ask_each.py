"""Asking the gateway about many things: some at a time, so that neither side is overrun."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import anyio

from app.domain.payment_gateway import GatewayUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

T = TypeVar("T")

AT_ONCE = 8
"""As many as the gateway is asked at the same time."""


async def ask_each(items: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
    """Work on all items, some at a time.

    :raises GatewayUnavailable: when the gateway cannot be asked about one of them; no other is begun then.
    """
    limiter = anyio.CapacityLimiter(AT_ONCE)
    failures: list[GatewayUnavailable] = []

    async def one(item: T) -> None:
        async with limiter:
            if not failures:
                try:
                    await work(item)
                except GatewayUnavailable as error:
                    failures.append(error)

    async with anyio.create_task_group() as group:
        for item in items:
            group.start_soon(one, item)
    if failures:
        raise failures[0]
