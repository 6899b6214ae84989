"""Bounds on a request's body: how large it may be, how long it may take to arrive, and how it may be packed."""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from app.error_codes import ErrorCode
from app.http.answers import (
    BAD_REQUEST,
    BODY_TOO_LARGE,
    BODY_TOO_SLOW,
    UNSUPPORTED_MEDIA_TYPE,
    Refused,
    header,
    send_refusal,
)

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GZIP = frozenset({"gzip", "x-gzip"})
_GZIP_WINDOW = 31
"""Tells zlib to expect the frame of gzip."""

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
            await send_refusal(scope, send, too_large(self._largest))
            return
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._largest:
                raise too_large(self._largest)
            return message

        await _answered(self._app, scope, receive_counted, send)


class BodyDeadline:
    """Refuses a body that has not arrived completely after `seconds`."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        ends_at: float | None = asyncio.get_running_loop().time() + self._seconds

        async def receive_in_time() -> Message:
            nonlocal ends_at
            try:
                async with asyncio.timeout_at(ends_at):
                    message = await receive()
            except TimeoutError:
                text = f"The request took more than {self._seconds:g} seconds to arrive. Send it again."
                raise Refused(BODY_TOO_SLOW, ErrorCode.TIMEOUT, text, CLOSE) from None
            if not message.get("more_body", False):
                ends_at = None  # the body is here; what comes now is that the client leaves, whenever that is
            return message

        await _answered(self._app, scope, receive_in_time, send)


class BodyEncoding:
    """Refuses a packed body, or unpacks gzip up to `largest` bytes: what grows beyond that is never held."""

    def __init__(self, app: ASGIApp, largest: int | None) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        encoding = (header(scope, b"content-encoding") or "").strip().lower()
        if encoding in {"", "identity"}:
            await self._app(scope, receive, send)
        elif self._largest is not None and encoding in _GZIP:
            await _answered(self._app, scope, _Unpacked(receive, self._largest), send)
        else:
            await send_refusal(scope, send, self._refusal())

    def _refusal(self) -> Refused:
        accepted = "identity" if self._largest is None else "gzip, identity"
        message = f"The request body has a content encoding that is not read here. Accepted: {accepted}."
        headers = ((b"accept-encoding", accepted.encode()), *CLOSE)
        return Refused(UNSUPPORTED_MEDIA_TYPE, ErrorCode.UNSUPPORTED_MEDIA_TYPE, message, headers)


class _Unpacked:
    """Receives a body of gzip as what was packed."""

    def __init__(self, receive: Receive, largest: int) -> None:
        self._receive = receive
        self._largest = largest
        self._left = largest
        self._unpacking = zlib.decompressobj(_GZIP_WINDOW)

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        body = self._unpack(message.get("body", b""))
        is_cut_off = not (message.get("more_body", False) or self._unpacking.eof)
        if is_cut_off or self._unpacking.unused_data:
            raise Refused(BAD_REQUEST, ErrorCode.BAD_REQUEST, "The request body is not one whole gzip stream.", CLOSE)
        return {**message, "body": body}

    def _unpack(self, packed: bytes) -> bytes:
        try:
            body = self._unpacking.decompress(packed, self._left + 1)
        except zlib.error:
            message = "The request body says that it is gzip, and is not."
            raise Refused(BAD_REQUEST, ErrorCode.BAD_REQUEST, message, CLOSE) from None
        if len(body) > self._left:
            raise too_large(self._largest)
        self._left -= len(body)
        return body


def too_large(largest: int) -> Refused:
    """Return the refusal of a body of more than `largest` bytes."""
    message = f"The request body is too large; at most {largest:,} bytes are read. Ask for less at once."
    return Refused(BODY_TOO_LARGE, ErrorCode.LIMIT_EXCEEDED, message, CLOSE)


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
