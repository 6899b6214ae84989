"""What every answer and every request is held to: headers, known hosts, exact origins, and the bearer token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from app.error_codes import ErrorCode
from app.http.answers import MISDIRECTED, UNAUTHENTICATED, Refused, header, send_refusal
from app.ports import Claims, InvalidToken, TokenVerifier

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=63072000; includeSubDomains")

LOOPBACK_ORIGIN = r"https?://(localhost|[a-z0-9-]+\.localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"

CLIENT_HEADERS = (
    "apollo-require-preflight",
    "apollographql-client-name",
    "apollographql-client-version",
    "b3",
    "baggage",
    "newrelic",
    "sentry-trace",
    "traceparent",
    "tracestate",
    "x-apollo-operation-name",
    "x-datadog-origin",
    "x-datadog-parent-id",
    "x-datadog-sampling-priority",
    "x-datadog-trace-id",
)
"""What client libraries and the tracing agents of browsers add to requests by themselves."""

# Probes come from machines that know an address, not a name.
HOSTLESS_PATHS = frozenset({"/health/live", "/health/ready"})

LONGEST_TOKEN = 8_192
_BEARER = re.compile(r"bearer +([A-Za-z0-9_.~+/=-]+)", re.IGNORECASE)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]/@\s]+)(?::\d{1,5})?")


class SecurityHeaders:
    """Adds the headers that an answer has not set itself; a page of ours brings its own content policy."""

    def __init__(self, app: ASGIApp, *, is_https_only: bool) -> None:
        self._app = app
        self._headers = (*HEADERS, STRICT_TRANSPORT) if is_https_only else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""

        async def send_secured(message: Message) -> None:
            if message["type"] == "http.response.start":
                present = {name.lower() for name, _ in message["headers"]}
                missing = [pair for pair in self._headers if pair[0] not in present]
                message = {**message, "headers": [*message["headers"], *missing]}
            await send(message)

        await self._app(scope, receive, send_secured if scope["type"] == "http" else send)


class TrustedHosts:
    """Answers only for the names that we are known by, so that no link and no cache can be led astray."""

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and not self._is_trusted(scope):
            message = "This service does not answer for the host name of the request."
            await send_refusal(scope, send, Refused(MISDIRECTED, ErrorCode.BAD_REQUEST, message))
            return
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        if scope["path"] in HOSTLESS_PATHS:
            return True
        match = _HOST.fullmatch(header(scope, b"host") or "")
        return match is not None and match[1].lower() in self._hosts


def cors(origins: Sequence[str], *, allows_loopback: bool = False) -> Middleware:
    """Return the layer that lets the portal's own origins in: an exact list, no credentials, no pattern.

    In the sandbox every origin of this machine is let in, for a developer's portal runs on a port of its own.
    """
    return Middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_origin_regex=LOOPBACK_ORIGIN if allows_loopback else None,
        allow_methods=["GET", "POST"],
        allow_headers=["authorization", "content-type", "x-request-id", *CLIENT_HEADERS],
        expose_headers=["x-request-id", "retry-after", "ratelimit", "ratelimit-policy"],
        max_age=600,
    )


class Unauthenticated(Refused):
    """No token to trust; `reason` is for the log."""

    def __init__(self, reason: str, *, has_token: bool) -> None:
        challenge = b'Bearer realm="flex-billing"' + (b', error="invalid_token"' if has_token else b"")
        message = str(InvalidToken(reason))
        headers = [(b"www-authenticate", challenge)]
        super().__init__(UNAUTHENTICATED, ErrorCode.UNAUTHENTICATED, message, headers)
        self.reason = reason
        self.has_token = has_token


async def authenticate(scope: Scope, verifier: TokenVerifier) -> Claims:
    """Return the claims of the request's bearer token.

    :raises Refused: with status 401 when there is none, or none to trust; the reason goes to the log alone.
    """
    sent = header(scope, b"authorization")
    match = _BEARER.fullmatch(sent) if sent is not None and len(sent) <= LONGEST_TOKEN else None
    if match is None:
        raise Unauthenticated("no bearer token", has_token=sent is not None)
    try:
        return await verifier.verify(match[1])
    except InvalidToken as error:
        raise Unauthenticated(error.reason, has_token=True) from None
