"""Puts the layers of the edge together, outermost first: headers, request id and log, trusted hosts, exact origins, and
for GraphQL the body's limit and deadline, the token, and the operation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from app.error_codes import ErrorCode, entry
from app.graphql.context import Asked, Context, GraphQLOptions, Writes
from app.graphql.documents import DocumentStore, RuleSet
from app.graphql.execution import ExecutionMode, Executor
from app.graphql.persisted_documents import PersistedDocuments
from app.graphql.schema import graphql_schema
from app.http import answers
from app.http.body import BodyDeadline, BodyEncoding, BodyLimit
from app.http.event_streams import EventStreams, StreamOptions
from app.http.graphql_endpoint import EndpointOptions, GraphQLEndpoint
from app.http.guard import Guard, GuardOptions
from app.http.health import Live, Probe, Ready
from app.http.named_documents import DocumentsMode, NamedDocuments
from app.http.request_scope import RequestScope
from app.http.security import SecurityHeaders, TrustedHosts, cors
from app.ports import UNCHANGING, UNLIMITED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp, Lifespan

    from app.ports import AccountChanges, Claims, Clock, Ids, Origin, RateLimiter, TokenVerifier
    from app.repositories.reader import Reader
    from app.services.invoices.document_links import DocumentLinks


COMPRESSED_FROM = 1_000
"""Answers of as many bytes are compressed for clients that take it."""

COMPRESSION_LEVEL = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeServices:
    """What the edge needs from outside; `probe` answers whether the database and the ticker are well.

    Without `links` no invoice offers documents.
    """

    verifier: TokenVerifier
    clock: Clock
    ids: Ids
    reader: Reader
    probe: Probe
    links: DocumentLinks | None = None
    writes: Writes | None = None
    rate_limiter: RateLimiter = UNLIMITED
    changes: AccountChanges = UNCHANGING


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeOptions:
    """What the settings decide about the edge. Sizes in bytes, times in seconds."""

    is_sandbox: bool
    allowed_hosts: Sequence[str]
    cors_origins: Sequence[str] = ()
    allows_introspection: bool = False
    largest_page: int = 100
    largest_body: int = 100_000
    body_seconds: float = 5.0
    operation_seconds: float = 10.0
    guard: GuardOptions = field(default_factory=GuardOptions)
    documents: DocumentsMode = DocumentsMode.PREFER
    streams: StreamOptions = field(default_factory=StreamOptions)
    execution: ExecutionMode = ExecutionMode.COMPILED

    @property
    def rules(self) -> RuleSet:
        """What documents are held to: the sandbox helps a developer, production tells nothing."""
        return RuleSet(
            allows_introspection=self.is_sandbox or self.allows_introspection, shows_suggestions=self.is_sandbox
        )


def build_application(
    *,
    services: EdgeServices,
    options: EdgeOptions,
    own_documents: Iterable[str] = (),
    persisted_documents: PersistedDocuments | None = None,
    developer_page: ASGIApp | None = None,
    routes: Sequence[BaseRoute] = (),
    lifespan: Lifespan[Any] | None = None,
) -> Starlette:
    """Return the whole HTTP side. `routes` are the other addresses; each brings its own authentication and `guarded`.

    `own_documents` are those of our own screens. `state.streams` of the application are its event streams, for whoever
    stops it.
    """
    documents = NamedDocuments(persisted_documents or PersistedDocuments(), options.documents)
    store = DocumentStore(graphql_schema, options.rules)
    store.pin(own_documents)
    streams = EventStreams(services.changes, services.clock, options.streams)
    endpoint = _graphql_endpoint(services, options, store, documents, streams, developer_page)
    application = Starlette(
        routes=[
            Route("/graphql", guarded(endpoint, largest_body=options.largest_body, seconds=options.body_seconds)),
            Route("/health/live", Live()),
            Route("/health/ready", Ready(services.probe)),
            *routes,
        ],
        middleware=[
            Middleware(SecurityHeaders, is_https_only=not options.is_sandbox),
            Middleware(RequestScope, ids=services.ids),
            Middleware(TrustedHosts, hosts=options.allowed_hosts),
            cors(options.cors_origins, allows_loopback=options.is_sandbox),
            Middleware(GZipMiddleware, minimum_size=COMPRESSED_FROM, compresslevel=COMPRESSION_LEVEL),
        ],
        exception_handlers={HTTPException: _http_error},
        lifespan=lifespan,
    )
    application.router.redirect_slashes = False
    application.state.streams = streams
    return application


def guarded(app: ASGIApp, *, largest_body: int, seconds: float, unpacks: bool = False) -> ASGIApp:
    """Return an application behind a body limit (bytes) and a deadline (seconds) for the body's arrival.

    A compressed body is refused, or with `unpacks` read where it is gzip; the limit holds for it packed and unpacked.
    """
    return BodyLimit(BodyDeadline(BodyEncoding(app, largest_body if unpacks else None), seconds), largest_body)


def _graphql_endpoint(
    services: EdgeServices,
    options: EdgeOptions,
    store: DocumentStore,
    documents: NamedDocuments,
    streams: EventStreams,
    page: ASGIApp | None,
) -> GraphQLEndpoint:
    graphql_options = GraphQLOptions(largest_page=options.largest_page)

    def make_context(request_id: str, claims: Claims, origin: Origin) -> Context:
        return Context.open(
            Asked(request_id, claims, origin),
            clock=services.clock,
            reader=services.reader,
            options=graphql_options,
            links=services.links,
            writes=services.writes,
        )

    return GraphQLEndpoint(
        store=store,
        executor=Executor(graphql_schema, options.rules, options.execution),
        verifier=services.verifier,
        make_context=make_context,
        options=EndpointOptions(
            is_sandbox=options.is_sandbox,
            documents=documents,
            operation_seconds=options.operation_seconds,
            streams=streams,
        ),
        guard=Guard(services.rate_limiter, options.guard),
        page=page,
    )


_HTTP_CODES = {
    answers.NOT_FOUND: (ErrorCode.NOT_FOUND, "There is nothing at this address. GraphQL is at /graphql."),
    answers.METHOD_NOT_ALLOWED: (ErrorCode.METHOD_NOT_ALLOWED, "This address does not answer this HTTP method."),
}


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else answers.INTERNAL
    code, message = _HTTP_CODES.get(status, (ErrorCode.BAD_REQUEST, "The request cannot be answered as it was sent."))
    body = {"errors": [entry(code, message, answers.request_id_of(request.scope))]}
    headers = error.headers if isinstance(error, HTTPException) else None
    return Response(orjson.dumps(body), status, headers, answers.JSON)
