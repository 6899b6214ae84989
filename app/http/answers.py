"""JSON answers of the edge, with every status that GraphQL over HTTP lets us choose in one place."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from typing import TYPE_CHECKING

import orjson

from app.error_codes import ErrorCode, entry

if TYPE_CHECKING:
    from starlette.types import Scope, Send

    from app.domain.json_values import JsonObject

JSON = "application/json"
GRAPHQL_RESPONSE = "application/graphql-response+json"

OK = 200
CREATED = 201
PARSE_FAILED = 400
VALIDATION_FAILED = 400  # the draft says 422; the audit tool still wants 400
BAD_REQUEST = 400
UNAUTHENTICATED = 401
NOT_FOUND = 404
METHOD_NOT_ALLOWED = 405
NOT_ACCEPTABLE = 406
BODY_TOO_SLOW = 408
CONFLICT = 409
GONE = 410
BODY_TOO_LARGE = 413
UNSUPPORTED_MEDIA_TYPE = 415
MISDIRECTED = 421
UNPROCESSABLE = 422
TOO_MANY_REQUESTS = 429
INTERNAL = 500
SERVICE_UNAVAILABLE = 503

RETRY_SECONDS = 5
"""When to come again after 503: a database that was started anew is there by then, as a rule."""

Headers = Sequence[tuple[bytes, bytes]]


class Refused(Exception):
    """The request ends here with one error; what runs below the edge never sees it."""

    def __init__(
        self,
        status: int,
        code: ErrorCode,
        message: str,
        headers: Headers = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds
        again = () if retry_after_seconds is None else ((b"retry-after", str(retry_after_seconds).encode()),)
        self.headers = (*headers, *again)


def too_slow(message: str) -> Refused:
    """Return the refusal of what took too long to be answered."""
    return Refused(SERVICE_UNAVAILABLE, ErrorCode.TIMEOUT, message, retry_after_seconds=RETRY_SECONDS)


async def send_json(
    send: Send, status: int, body: JsonObject, *, media_type: str = JSON, headers: Headers = ()
) -> None:
    """Send one JSON answer."""
    content = orjson.dumps(body)
    all_headers = [
        (b"content-type", f"{media_type}; charset=utf-8".encode()),
        (b"content-length", str(len(content)).encode()),
        *headers,
    ]
    await send({"type": "http.response.start", "status": status, "headers": all_headers})
    await send({"type": "http.response.body", "body": content})


async def send_refusal(scope: Scope, send: Send, refused: Refused, media_type: str = JSON) -> None:
    """Send the answer of a refusal: one entry of `errors`, and no `data`."""
    error = entry(refused.code, refused.message, request_id_of(scope), retry_after_seconds=refused.retry_after_seconds)
    body = {"errors": [error]}
    await send_json(send, refused.status, body, media_type=media_type, headers=refused.headers)


def request_id_of(scope: Scope) -> str:
    """Return the id that this request is known by; the outermost layer gave it."""
    request_id: str = scope["state"]["request_id"]
    return request_id


def client_address(scope: Scope) -> str | None:
    """Return the IP address that a request came from; None where a proxy has put something else in its place."""
    client = scope.get("client")
    try:
        return str(ip_address(client[0])) if client else None
    except ValueError:
        return None


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header, or None; a header sent twice counts as one value with commas, as HTTP has it."""
    found = [value for key, value in scope["headers"] if key == name]
    return b", ".join(found).decode("latin-1") if found else None
