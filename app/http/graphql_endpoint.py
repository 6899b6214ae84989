"""The one address of the GraphQL API: a request in, one operation run, a JSON answer out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from app.domain.card_numbers import without_card_numbers
from app.error_codes import ErrorCode, entry
from app.graphql.documents import Document, DocumentRefused, DocumentStore, is_mutation, is_subscription
from app.graphql.errors import document_entries
from app.http import answers
from app.http.answers import JSON, Refused, client_address, header, request_id_of, send_json, send_refusal
from app.http.body import Disconnected, read_body
from app.http.event_streams import Outcome
from app.http.graphql_request import read_parameters, read_query_string, refuse_card_numbers
from app.http.guard import Budget, TooManyOperations
from app.http.json_body import decode_object
from app.http.named_documents import DocumentNotRun
from app.http.negotiation import EVENT_STREAM, choose_media_type, prefers_html, require_json
from app.http.security import Unauthenticated, authenticate
from app.ports import Origin

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from graphql import OperationDefinitionNode
    from starlette.types import ASGIApp, Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.graphql.context import Context
    from app.graphql.execution import Answer, Executor
    from app.http.event_streams import EventStreams
    from app.http.graphql_request import GraphQLRequest
    from app.http.guard import Guard
    from app.http.named_documents import NamedDocuments
    from app.ports import Claims, TokenVerifier

    ContextFactory = Callable[[str, Claims, Origin], Context]

log = structlog.get_logger("http")

METHODS = ("GET", "POST")
DEVELOPER_PAGE = b"x-developer-page"
"""A header that the developers' page sends."""

STREAM_REQUIRED = f"A subscription is answered by an event stream. Send it with `accept: {EVENT_STREAM}`."

LONGEST_AGENT = 255
CHARACTERS_A_POINT = 2
"""How much of a document that is not known yet is examined for a point."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointOptions:
    """How this endpoint behaves: whether texts may come by GET and the developers' page may send any text, as in the
    sandbox, which documents are known, how long an operation may take, and where its event streams are.
    """

    is_sandbox: bool
    documents: NamedDocuments
    operation_seconds: float
    streams: EventStreams


class GraphQLEndpoint:
    """An ASGI application for one path; `page` is shown to browsers that ask for it there."""

    def __init__(
        self,
        *,
        store: DocumentStore,
        executor: Executor,
        verifier: TokenVerifier,
        make_context: ContextFactory,
        options: EndpointOptions,
        guard: Guard,
        page: ASGIApp | None = None,
    ) -> None:
        self._store = store
        self._executor = executor
        self._verifier = verifier
        self._make_context = make_context
        self._options = options
        self._guard = guard
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if self._page is not None and _asks_for_page(scope):
            await self._page(scope, receive, send)
            return
        media_type = JSON
        try:
            self._require_method(scope)
            media_type = choose_media_type(header(scope, b"accept"))
            scope["state"]["media_type"] = JSON if media_type == EVENT_STREAM else media_type
            claims, request, query = await self._admit(scope, receive)
            answer = partial(self._answer, scope, query, request, claims, media_type)
            if media_type == EVENT_STREAM:
                await self._options.streams.run(scope, receive, send, claims, answer)
                return
            outcome = await answer()
        except Refused as refused:
            if isinstance(refused, Unauthenticated):
                log.info("token refused", reason=refused.reason)
            await self._refuse(scope, send, refused, media_type)
        except Disconnected:
            log.info("client left")
        else:
            await send_json(send, outcome.status, outcome.body, media_type=media_type)

    def _require_method(self, scope: Scope) -> None:
        if scope["method"] not in METHODS:
            raise _method_refused(f"Send the operation by {' or '.join(METHODS)}.", METHODS)
        if scope["method"] == "GET" and not (self._options.is_sandbox or _only_names_document(scope)):
            raise _method_refused("Only a document's id is sent by GET; send its text by POST.", ("POST",))

    async def _refuse(self, scope: Scope, send: Send, refused: Refused, media_type: str) -> None:
        """Send a refusal: in an event stream where the fault is in the operation, as the protocol of those wants it."""
        if isinstance(refused, TooManyOperations | DocumentNotRun):
            refused.status = _document_status(media_type, refused.code)
        if media_type != EVENT_STREAM:
            await send_refusal(scope, send, refused, media_type)
        elif refused.status == answers.BAD_REQUEST:
            await self._options.streams.refuse(scope, send, refused)
        else:
            await send_refusal(scope, send, refused)

    async def _admit(self, scope: Scope, receive: Receive) -> tuple[Claims, GraphQLRequest, str]:
        """Return who asks, how, and the text of the document."""
        is_post = scope["method"] == "POST"
        if is_post:
            require_json(header(scope, b"content-type"))
        claims = await self._authenticate(scope)
        scope["state"]["account"] = claims.account
        request = read_parameters(decode_object(await read_body(receive))) if is_post else read_query_string(scope)
        is_known = request.query is not None and self._store.knows(request.query)
        refuse_card_numbers(request, is_document_known=is_known)
        return claims, request, self._options.documents.text_of(request, is_free=self._is_developer(scope))

    async def _answer(
        self, scope: Scope, query: str, request: GraphQLRequest, claims: Claims, media_type: str
    ) -> Outcome:
        async with self._guard.turn(claims):
            return await self._answer_operation(scope, query, request, claims, media_type)

    def _is_developer(self, scope: Scope) -> bool:
        return self._options.is_sandbox and self._page is not None and header(scope, DEVELOPER_PAGE) is not None

    async def _answer_operation(
        self, scope: Scope, query: str, request: GraphQLRequest, claims: Claims, media_type: str
    ) -> Outcome:
        request_id = request_id_of(scope)
        if not self._store.knows(query):
            await self._guard.spend(claims, len(query) // CHARACTERS_A_POINT)
        try:
            document = self._store.prepare(query)
            operation = _operation(document, request.operation_name)
        except DocumentRefused as refused:
            errors = document_entries(refused.errors, refused.code, request_id)
            return Outcome(_document_status(media_type, refused.code), {"errors": errors})
        except UnknownOperation as unknown:
            errors = [entry(ErrorCode.OPERATION_RESOLUTION_FAILURE, str(unknown), request_id)]
            return Outcome(_document_status(media_type, ErrorCode.OPERATION_RESOLUTION_FAILURE), {"errors": errors})
        if is_subscription(operation) and media_type != EVENT_STREAM:
            errors = [entry(ErrorCode.EVENT_STREAM_REQUIRED, STREAM_REQUIRED, request_id)]
            return Outcome(_document_status(media_type, ErrorCode.EVENT_STREAM_REQUIRED), {"errors": errors})
        if scope["method"] != "POST" and is_mutation(operation):
            raise _method_refused("A mutation changes things; send it by POST.", ("POST",))
        scope["state"]["operation"] = operation.name.value if operation.name else None
        budget = Budget(document.cost_of(operation).points(request.variables), self._guard.options.cost)
        if budget.is_exceeded:
            body = _too_expensive(document, operation, request.variables, budget, request_id)
            return Outcome(_document_status(media_type, ErrorCode.LIMIT_EXCEEDED), body)
        remaining = await self._guard.spend(claims, budget.requested)
        context = self._make_context(request_id, claims, origin_of(scope))
        lane = self._guard.lane(budget.requested)
        answer = await self._run(document, operation, request.variables, context, lane)
        if context.is_member:
            self._guard.remember_member(claims)
        body = {**answer.body, "extensions": budget.extension(remaining)}
        if not answer.was_executed:
            return Outcome(_document_status(media_type, ErrorCode.BAD_INPUT), body)
        goes_on = is_subscription(operation) and answer.body["data"] is not None
        return Outcome(answers.OK, body, goes_on, is_scarce=remaining < self._guard.options.by_token.most // 2)

    async def _authenticate(self, scope: Scope) -> Claims:
        try:
            return await authenticate(scope, self._verifier)
        except Unauthenticated as refused:
            if refused.has_token:
                await self._guard.refuse_bad_token(origin_of(scope).address)
            raise

    async def _run(
        self,
        document: Document,
        operation: OperationDefinitionNode,
        variables: JsonObject,
        context: Context,
        lane: AbstractAsyncContextManager[None],
    ) -> Answer:
        try:
            async with asyncio.timeout(self._options.operation_seconds), lane:
                return await self._executor.run(document, operation, variables, context)
        except TimeoutError:
            log.warning("operation too slow", operation=operation.name.value if operation.name else None)
            message = f"This took more than {self._options.operation_seconds:g} seconds. Try again, or ask for less."
            raise answers.too_slow(message) from None


def _too_expensive(
    document: Document,
    operation: OperationDefinitionNode,
    variables: JsonObject,
    budget: Budget,
    request_id: str,
) -> JsonObject:
    """Return the body that says what an operation costs and which field makes it so."""
    heaviest = document.cost_of(operation).heaviest(variables)
    message = (
        f"This operation costs {budget.requested:,} points; at most {budget.limit:,} are allowed. Most of it is "
        f"`{heaviest}`: ask for fewer items or fields there, or split the operation in two."
    )
    return {
        "errors": [entry(ErrorCode.LIMIT_EXCEEDED, message, request_id)],
        "extensions": budget.extension(remaining=0),
    }


class UnknownOperation(Exception):
    """`operationName` does not decide which operation to run."""


def _operation(document: Document, name: str | None) -> OperationDefinitionNode:
    operation = document.find_operation(name)
    if operation is None:
        known = ", ".join(str(known) for known in document.operations if known)
        if name is None:
            raise UnknownOperation(f"The document has several operations. Set `operationName` to one of {known}.")
        raise UnknownOperation(f"The document has no operation called {name[:80]!r}.")
    return operation


def origin_of(scope: Scope) -> Origin:
    """Return where a request came from; the server has replaced the address by that of a trusted proxy's client."""
    agent = header(scope, b"user-agent")
    shown = None if agent is None else without_card_numbers(agent, "…")[:LONGEST_AGENT]
    return Origin(address=client_address(scope), user_agent=shown)


def _document_status(media_type: str, code: ErrorCode) -> int:
    """A client of the older media type reads the errors only with status 200."""
    if media_type == JSON:
        return answers.OK
    if code is ErrorCode.RATE_LIMITED:
        return answers.TOO_MANY_REQUESTS
    return answers.PARSE_FAILED if code is ErrorCode.GRAPHQL_PARSE_FAILED else answers.VALIDATION_FAILED


def _asks_for_page(scope: Scope) -> bool:
    is_operation = b"query=" in scope["query_string"] or _only_names_document(scope)
    return scope["method"] in {"GET", "HEAD"} and not is_operation and prefers_html(header(scope, b"accept"))


def _only_names_document(scope: Scope) -> bool:
    sent: bytes = scope["query_string"]
    return b"query=" not in sent and (b"documentId=" in sent or b"extensions=" in sent)


def _method_refused(message: str, allowed: tuple[str, ...]) -> Refused:
    headers = [(b"allow", ", ".join(allowed).encode())]
    return Refused(answers.METHOD_NOT_ALLOWED, ErrorCode.METHOD_NOT_ALLOWED, message, headers)
