"""What guards the addresses for other systems: a key for the purpose, one method, a body in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.services.operations import access_keys

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.domain.accounts import KeyPurpose
    from app.repositories.accounts import AccessKey
    from app.repositories.database import Database

BODY_SECONDS = 30.0


async def authenticated(database: Database, scope: Scope, purpose: KeyPurpose) -> AccessKey:
    """Return the key of a request.

    :raises Refused: with status 401 when it has none that opens this.
    """
    scheme, _, secret = (answers.header(scope, b"authorization") or "").partition(" ")
    given = secret.strip() if scheme.lower() == "bearer" else ""
    try:
        return await access_keys.check_key(database=database, secret=given, purpose=purpose)
    except access_keys.KeyRefused as error:
        challenge = ((b"www-authenticate", b"Bearer"),)
        raise Refused(answers.UNAUTHENTICATED, ErrorCode.UNAUTHENTICATED, str(error), challenge) from error


class Only:
    """Lets one HTTP method through to an application."""

    def __init__(self, app: ASGIApp, method: str) -> None:
        self._app = app
        self._method = method

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["method"] == self._method:
            await self._app(scope, receive, send)
            return
        message = f"This address answers {self._method} only."
        allow = ((b"allow", self._method.encode()),)
        refused = Refused(answers.METHOD_NOT_ALLOWED, ErrorCode.METHOD_NOT_ALLOWED, message, allow)
        await answers.send_refusal(scope, send, refused)
