"""Gives every request an id, one line in the log, and an answer even if something breaks inside; only the headers are
outside of it.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import structlog

from app.domain.card_numbers import holds_card_number
from app.error_codes import MASKED_MESSAGE, ErrorCode
from app.graphql.failures import log_unexpected
from app.http.answers import (
    INTERNAL,
    JSON,
    RETRY_SECONDS,
    SERVICE_UNAVAILABLE,
    Refused,
    client_address,
    header,
    send_refusal,
    too_slow,
)
from app.ports import came_from
from app.repositories.database import DatabaseProblem, ReadTimedOut

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from app.ports import Ids

log = structlog.get_logger("http")

_TOKEN = re.compile(r"[A-Za-z0-9_.~=-]{40,}")
"""Longer than any of our ids: a signed link, or a token of another system."""

# An id that a proxy in front of us has given is kept, so that one id names the request in both logs.
GIVEN_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")

ANSWERS_WITHIN_SECONDS = 45.0
"""Longer than any door gives a body to arrive, or an operation to run: what is left is a database that hangs."""

UNAVAILABLE_MESSAGE = (
    "The service cannot work just now. Nothing that was answered is lost: try again in "
    f"{RETRY_SECONDS} seconds, with the same idempotency key where there is one."
)


class RequestScope:
    """Names, logs and guards one request."""

    def __init__(self, app: ASGIApp, ids: Ids) -> None:
        self._app = app
        self._ids = ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request; other kinds of scope pass through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = header(scope, b"x-request-id")
        is_fit = given is not None and GIVEN_ID.fullmatch(given) and not holds_card_number(given)
        request_id = given if given and is_fit else self._ids.new("req")
        scope["state"] = {**scope.get("state", {}), "request_id": request_id}
        with structlog.contextvars.bound_contextvars(request_id=request_id), came_from(client_address(scope)):
            await self._observed(scope, receive, send)

    async def _observed(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        status = 0
        request_id_header = (b"x-request-id", scope["state"]["request_id"].encode())

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], request_id_header]}
            await send(message)

        try:
            async with _begun_in_time(send_named) as send_begun:
                await self._app(scope, receive, send_begun)
        except Exception as error:  # noqa: BLE001  the last place where a fault can become an answer
            refused = _refusal_of(error)
            if status == 0:
                await send_refusal(scope, send_named, refused, scope["state"].get("media_type", JSON))
        finally:
            elapsed = round((time.perf_counter() - started) * 1_000, 1)
            _log_request(scope, status, elapsed)


@asynccontextmanager
async def _begun_in_time(send: Send) -> AsyncIterator[Send]:
    """Give an application the time until its answer has to begin; a long answer may go on.

    :raises Refused: when the time is over.
    """
    limit = asyncio.timeout(ANSWERS_WITHIN_SECONDS)

    async def send_begun(message: Message) -> None:
        limit.reschedule(None)
        await send(message)

    try:
        async with limit:
            yield send_begun
    except TimeoutError:
        if not limit.expired():
            raise
        raise too_slow(f"This took more than {ANSWERS_WITHIN_SECONDS:g} seconds. Try again.") from None


def _refusal_of(error: Exception) -> Refused:
    """Return the answer to an error that no door has dealt with; nowhere else is it decided that a database is away."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, ReadTimedOut):
        return too_slow(str(error))
    if isinstance(error, DatabaseProblem):
        log.warning("database unavailable", problem=str(error))
        return Refused(
            SERVICE_UNAVAILABLE,
            ErrorCode.SERVICE_UNAVAILABLE,
            UNAVAILABLE_MESSAGE,
            retry_after_seconds=RETRY_SECONDS,
        )
    log_unexpected("request failed", error)
    return Refused(INTERNAL, ErrorCode.INTERNAL, MASKED_MESSAGE)


def _log_request(scope: Scope, status: int, elapsed_milliseconds: float) -> None:
    log.info(
        "request",
        method=scope["method"],
        path=_public_path(scope),
        status=status,
        milliseconds=elapsed_milliseconds,
        operation=scope["state"].get("operation"),
        account=scope["state"].get("account"),
    )


def _public_path(scope: Scope) -> str:
    """Return the path without the values of its parameters, and without anything that may be a token.

    A signed link must not be readable in a log, whatever address it was sent to.
    """
    path: str = scope["path"]
    for name, value in scope.get("path_params", {}).items():
        path = path.replace(str(value), f"{{{name}}}")
    return _TOKEN.sub("{token}", path)[:200]
