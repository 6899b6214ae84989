"""The operator's system on loopback: plain HTTP that answers as a test tells it to, and keeps what it was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class CallSystemDouble:
    """`status` is the answer; without one the connection is cut once the request has arrived."""

    port: int = 0
    status: int | None = 202
    slow_seconds: float = 0.0
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    @property
    def calls(self) -> list[dict[str, Any]]:
        return [json.loads(body) for _, body in self.requests]

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        self.requests.append((headers, body))
        await asyncio.sleep(self.slow_seconds)
        if self.status is not None:
            writer.write(f"HTTP/1.1 {self.status} Said\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
            await writer.drain()
        writer.close()


@asynccontextmanager
async def running_call_system(**behaviour: Any) -> AsyncIterator[CallSystemDouble]:
    double = CallSystemDouble(**behaviour)
    server = await asyncio.start_server(double.answer, "127.0.0.1", 0)
    double.port = server.sockets[0].getsockname()[1]
    try:
        yield double
    finally:
        server.close()
        await server.wait_closed()
        await asyncio.sleep(0)
