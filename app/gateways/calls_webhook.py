"""Phone calls are handed to the operator's system by a signed webhook; it makes them, and reports back."""

from __future__ import annotations

import asyncio
import hmac
import json
import time
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from app.domain.deliveries import CallAnswer, CallResult

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.deliveries import CallTask

DEADLINE_SECONDS = 10.0
LARGEST_ANSWER = 10_000
LONGEST_DETAIL = 300

SIGNATURE_HEADER = "Flex-Signature"

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_BUSY = 429


class CallSystemUnusable(ValueError):
    """The address of the operator's system cannot be one."""

    def __init__(self) -> None:
        super().__init__("The address that calls are handed to begins with https://.")


class WebhookCaller:
    """Posts each call once. The signature is `t=<seconds>,v1=<hex>`: HMAC-SHA256 over the time, a dot and the body."""

    def __init__(self, url: str, secret: str, *, now: Callable[[], float] = time.time) -> None:
        parts = urlsplit(url)
        if parts.hostname is None or not (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
        ):
            raise CallSystemUnusable
        self._is_encrypted = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        self._secret = secret.encode()
        self._now = now

    async def hand_over(self, task: CallTask) -> CallAnswer:
        """Post the call. Once the request is on its way, only an answer tells whether it was taken."""
        body = json.dumps(task_as_json(task), separators=(",", ":")).encode()
        return await asyncio.to_thread(self._post, task.id, body)

    def _post(self, task_id: str, body: bytes) -> CallAnswer:
        kind = HTTPSConnection if self._is_encrypted else HTTPConnection
        connection = kind(self._host, self._port, timeout=DEADLINE_SECONDS)
        try:
            try:
                connection.connect()
            except (OSError, HTTPException) as error:
                return CallAnswer(CallResult.NOT_REACHED, f"{type(error).__name__}: {error}"[:LONGEST_DETAIL])
            try:
                connection.request("POST", self._path, body, self._headers(task_id, body))
                response = connection.getresponse()
                response.read(LARGEST_ANSWER)
            except (OSError, HTTPException) as error:
                return CallAnswer(CallResult.UNKNOWN, f"{type(error).__name__}: {error}"[:LONGEST_DETAIL])
            return CallAnswer(_result(response.status), f"HTTP {response.status}")
        finally:
            connection.close()

    def _headers(self, task_id: str, body: bytes) -> dict[str, str]:
        return {
            "Content-Type": "application/json",
            "Idempotency-Key": task_id,
            SIGNATURE_HEADER: sign(body, self._secret, int(self._now())),
        }


def sign(body: bytes, secret: bytes, at: int) -> str:
    """Return the signature of a body sent at a second of Unix time."""
    digest = hmac.new(secret, f"{at}.".encode() + body, sha256).hexdigest()
    return f"t={at},v1={digest}"


def task_as_json(task: CallTask) -> dict[str, str]:
    """Return a call as the operator's system gets it."""
    return {
        "id": task.id,
        "account": task.account,
        "name": task.name,
        "number": task.number,
        "kind": task.kind,
        "script": task.script,
        "notBefore": task.not_before.isoformat(),
        "notAfter": task.not_after.isoformat(),
    }


def _result(status: int) -> CallResult:
    """Sort an HTTP status: what is refused was not taken; a fault of theirs tells nothing."""
    if 200 <= status < 300:
        return CallResult.TAKEN
    if status == _BUSY:
        return CallResult.NOT_REACHED
    return CallResult.REFUSED if status < 500 else CallResult.UNKNOWN
