"""`/webhooks/braintree`: the payment gateway tells us what happened. It is checked, kept and answered at once."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import anyio.to_thread
from starlette.routing import Route

from app.domain.payment_gateway import WebhookForged
from app.error_codes import ErrorCode
from app.http import answers
from app.http.answers import Refused
from app.http.application import guarded
from app.http.body import read_body
from app.ports import WEBHOOK_PATH
from app.services.operations.receive_webhook import receive_webhook

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.services.common.services import Services

LARGEST_BODY = 1_000_000
BODY_SECONDS = 30.0
MOST_FIELDS = 20
LONGEST_CHALLENGE = 200


def webhook_routes(services: Services) -> Sequence[BaseRoute]:
    """Return the address that the payment gateway posts to; its signature is its key."""
    app: ASGIApp = BraintreeWebhook(services)
    return [Route(WEBHOOK_PATH, guarded(app, largest_body=LARGEST_BODY, seconds=BODY_SECONDS))]


class BraintreeWebhook:
    """Takes notices by POST, and proves by GET that the address is ours."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["method"] == "POST":
            await self._take(await read_body(receive), send)
        elif scope["method"] == "GET":
            await self._answer(scope["query_string"], send)
        else:
            allow = ((b"allow", b"GET, POST"),)
            message = "This address answers GET and POST only."
            raise Refused(answers.METHOD_NOT_ALLOWED, ErrorCode.METHOD_NOT_ALLOWED, message, allow)

    async def _take(self, body: bytes, send: Send) -> None:
        form = _form(body)
        signature, payload = _only(form, "bt_signature"), _only(form, "bt_payload")
        try:
            is_new = await receive_webhook(self._services, signature=signature, payload=payload)
        except WebhookForged as error:
            raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, str(error)) from error
        await answers.send_json(send, answers.OK, {"received": True, "isNew": is_new})

    async def _answer(self, query: bytes, send: Send) -> None:
        challenge = _only(_form(query), "bt_challenge")[:LONGEST_CHALLENGE]
        try:
            # The first one may have to wait until the gateway's library is loaded.
            answer = (await anyio.to_thread.run_sync(self._services.payments.answer_challenge, challenge)).encode()
        except WebhookForged as error:
            raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, str(error)) from error
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": answers.OK, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def _form(text: bytes) -> dict[str, list[str]]:
    try:
        return parse_qs(text.decode("ascii"), max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:  # not ASCII, not UTF-8, or too many fields
        raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, "The form cannot be read.") from error


def _only(form: dict[str, list[str]], name: str) -> str:
    """Return the one value of a field."""
    values = form.get(name, [])
    if len(values) != 1:
        raise Refused(answers.BAD_REQUEST, ErrorCode.BAD_REQUEST, f"The request needs {name}, once.")
    return values[0]
