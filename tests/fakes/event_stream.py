"""Somebody who follows an event stream: of an application in this process, or of a server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import orjson

ANSWERS_WITHIN_SECONDS = 30
"""Far longer than anything takes: what never comes is a failure, not a test that hangs."""


class Event(NamedTuple):
    """One event; a comment has the kind of a keep-alive and no data."""

    kind: str
    data: Any = None

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.data["errors"]]


COMMENT = Event("")
COMPLETE = Event("complete")


def read_event(text: str) -> Event:
    """One event of the text between two empty lines."""
    fields = dict(line.split(":", 1) for line in text.split("\n") if not line.startswith(":"))
    data = fields.get("data", "").strip()
    return Event(fields.get("event", "").strip(), orjson.loads(data) if data else None)


class Following:
    """An open stream of an ASGI application."""

    def __init__(self, application: Any, headers: dict[str, str], body: Any, **scope: Any) -> None:
        self._application = application
        self._body = orjson.dumps(body)
        names = {"accept": "text/event-stream", "content-type": "application/json", "host": "flex.test"} | headers
        self._scope = {
            "type": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "scheme": "http",
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in names.items()],
            **scope,
        }
        self._sent: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._left = asyncio.Event()
        self._has_ended = asyncio.Event()
        self._is_asked = False
        self._buffer = ""
        self.reads = asyncio.Event()
        self.reads.set()
        self.status = 0
        self.headers: dict[str, str] = {}

    async def run(self) -> None:
        try:
            await self._application(self._scope, self._receive, self._send)
        finally:
            self._has_ended.set()

    async def ended(self) -> None:
        """Wait until the application is done with the stream."""
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            await self._has_ended.wait()

    def leave(self) -> None:
        self._left.set()

    async def text(self) -> str:
        """The next piece of the answer."""
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            message = await self._sent.get()
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            return await self.text()
        piece: str = message["body"].decode()
        return piece

    async def event(self) -> Event:
        """The next event, comments included."""
        while "\n\n" not in self._buffer:
            self._buffer += await self.text()
        event, _, self._buffer = self._buffer.partition("\n\n")
        return read_event(event)

    async def _receive(self) -> dict[str, Any]:
        if not self._is_asked:
            self._is_asked = True
            return {"type": "http.request", "body": self._body, "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        await self.reads.wait()
        await self._sent.put(message)


@asynccontextmanager
async def following(
    application: Any, asked: str | dict[str, Any], *, bearer: dict[str, str], **scope: Any
) -> AsyncIterator[Following]:
    """Open a stream with a document, or with the whole body of a request, and leave it at the end."""
    body = {"query": asked} if isinstance(asked, str) else asked
    stream = Following(application, bearer | scope.pop("headers", {}), body, **scope)
    task = asyncio.create_task(stream.run())
    try:
        yield stream
    finally:
        stream.leave()
        async with asyncio.timeout(ANSWERS_WITHIN_SECONDS):
            await task
