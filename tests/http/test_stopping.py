"""A signal that ends the server is heard of before the server waits for what is open."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator

import pytest

from app.http.stopping import before_stopping

HEARD_WITHIN_SECONDS = 10


@pytest.fixture
def server() -> Iterator[list[int]]:
    """The signals that a server's own handler got."""
    got: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _frame: got.append(number))
    yield got
    signal.signal(signal.SIGTERM, before)


async def test_both_hear_of_it_and_afterwards_the_server_alone(server):
    stopping = asyncio.Event()
    handler = signal.getsignal(signal.SIGTERM)
    with before_stopping(stopping.set):
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(HEARD_WITHIN_SECONDS):
            await stopping.wait()
        assert server == [signal.SIGTERM]
    assert signal.getsignal(signal.SIGTERM) is handler


async def test_a_signal_that_nobody_handles_keeps_its_meaning():
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with before_stopping(lambda: None):
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    finally:
        signal.signal(signal.SIGTERM, before)


async def test_in_another_thread_nothing_is_touched(server):
    handler = signal.getsignal(signal.SIGTERM)

    async def within() -> object:
        with before_stopping(lambda: None):
            return signal.getsignal(signal.SIGTERM)

    assert await asyncio.to_thread(asyncio.run, within()) is handler
