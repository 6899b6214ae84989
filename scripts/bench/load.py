"""Sends requests over plain connections that are kept: a client's library would take the processor from the server."""

from __future__ import annotations

import asyncio
import time
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from scripts.bench.measure import SideFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

CONNECTIONS = 16
ANSWERS_WITHIN_SECONDS = 300
_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"content-length:"


def ask(address: str, requests: Iterator[bytes], count: int, connections: int = CONNECTIONS) -> list[float]:
    """Send so many requests, each connection one after the other, and return the seconds that each took.

    :raises SideFailed: when an answer is none, or holds errors.
    """
    return [seconds for seconds, _ in asyncio.run(_ask(address, islice(requests, count), connections))]


def answers(address: str, requests: Iterator[bytes], count: int) -> list[bytes]:
    """Send so many requests one after the other and return the bodies.

    :raises SideFailed: as `ask`.
    """
    return [body for _, body in asyncio.run(_ask(address, islice(requests, count), 1))]


async def _ask(address: str, requests: Iterator[bytes], connections: int) -> list[tuple[float, bytes]]:
    host, port = address.removeprefix("http://").split(":")
    loop = asyncio.get_running_loop()
    found: list[tuple[float, bytes]] = []
    ends = [loop.create_future() for _ in range(connections)]
    try:
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            for end in ends:
                await loop.create_connection(partial(_Connection, requests, found, end), host, int(port))
            await asyncio.gather(*ends)
    except TimeoutError:
        raise SideFailed(f"{address} has not answered within {ANSWERS_WITHIN_SECONDS} seconds.") from None
    return found


class _Connection(asyncio.Protocol):
    """One connection: the next request goes out when the answer before it is whole."""

    def __init__(self, requests: Iterator[bytes], found: list[tuple[float, bytes]], end: asyncio.Future[None]) -> None:
        self._requests = requests
        self._found = found
        self._end = end
        self._received = bytearray()
        self._needed: int | None = None
        self._body_at = 0
        self._began = 0.0
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        if isinstance(transport, asyncio.Transport):
            self._transport = transport
            self._send()

    def data_received(self, data: bytes) -> None:
        """Take a part of an answer."""
        self._received += data
        if self._needed is None:
            self._read_head()
        if self._needed is not None and len(self._received) >= self._needed:
            self._finish()

    def connection_lost(self, exc: Exception | None) -> None:
        """End, whether all was asked or not."""
        if not self._end.done():
            self._end.set_exception(SideFailed(f"A server has closed a connection: {exc}"))

    def _send(self) -> None:
        request = next(self._requests, None)
        if self._transport is None or request is None:
            if not self._end.done():
                self._end.set_result(None)
            if self._transport is not None:
                self._transport.close()
            return
        self._received.clear()
        self._needed = None
        self._began = time.perf_counter()
        self._transport.write(request)

    def _read_head(self) -> None:
        end = self._received.find(_END_OF_HEAD)
        if end < 0:
            return
        head = bytes(self._received[:end]).lower()
        self._body_at = end + len(_END_OF_HEAD)
        length = next((line for line in head.split(b"\r\n") if line.startswith(_LENGTH)), None)
        if b" 200 " not in head.partition(b"\r\n")[0] or length is None:
            self._fail()
            return
        self._needed = self._body_at + int(length[len(_LENGTH) :])

    def _finish(self) -> None:
        taken, body = time.perf_counter() - self._began, bytes(self._received[self._body_at :])
        if b'"errors":' in body:
            self._fail()
            return
        self._found.append((taken, body))
        self._send()

    def _fail(self) -> None:
        if not self._end.done():
            self._end.set_exception(SideFailed(f"A server answered {bytes(self._received[:2000])!r}"))
        if self._transport is not None:
            self._transport.close()
