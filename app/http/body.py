"""Bounds on a request's body: how large it may be, and how long it may take to arrive."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from app.error_codes import ErrorCode
from app.http.answers import BODY_TOO_LARGE, BODY_TOO_SLOW, Refused, header, send_refusal

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# What was not read would be taken for the next request, so the connection ends with the answer.
CLOSE = ((b"connection", b"close"),)


class Disconnected(Exception):
    """The client has gone; nobody waits for an answer."""


class BodyLimit:
    """Refuses a body of more than `largest` bytes, whether it says so or comes in chunks."""

    def __init__(self, app: ASGIApp, largest: int) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        declared = header(scope, b"content-length") or "0"
        if not declared.isdecimal() or len(declared) > 15 or int(declared) > self._largest:
            await send_refusal(scope, send, self._refusal())
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise self._refusal()
            return message

        await _answered(self._app, scope, receive_counted, send)

    def _refusal(self) -> Refused:
        message = f"The request body is too large; at most {self._largest:,} bytes are read. Ask for less at once."
        return Refused(BODY_TOO_LARGE, ErrorCode.LIMIT_EXCEEDED, message, CLOSE)


class BodyDeadline:
    """Refuses a body that has not arrived completely after `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        ends_at = asyncio.get_running_loop().time() + self._seconds

        async def receive_in_time() -> Message:
            try:
                async with asyncio.timeout_at(ends_at):
                    return await receive()
            except TimeoutError:
                message = f"The request took more than {self._seconds:g} seconds to arrive. Send it again."
                raise Refused(BODY_TOO_SLOW, ErrorCode.TIMEOUT, message, CLOSE) from None

        await _answered(self._app, scope, receive_in_time, send)


async def _answered(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await app(scope, receive, send)
    except Refused as refused:
        await send_refusal(scope, send, refused)


async def read_body(receive: Receive) -> bytes:
    """Return the whole body.

    :raises Disconnected: when the client leaves before it is complete.
    """
    parts: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(parts)
