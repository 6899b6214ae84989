"""The composition root: settings in, a Starlette application out. The only place that knows every room.

The sandbox is imported only where it is wanted, for production never loads it.
"""

from __future__ import annotations

import gc
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from app.domain.periods import Period, billing_date
from app.gateways.calls_webhook import WebhookCaller
from app.gateways.clock import SystemClock
from app.gateways.identity import JwtVerifier, TokenRules
from app.gateways.signing_keys import FetchedKeys, FixedKeys
from app.gateways.smtp import MailServer, SmtpMailer
from app.graphql.context import Writes
from app.graphql.contract import read_contract
from app.graphql.execution import ExecutionMode
from app.graphql.persisted_documents import read_persisted_documents
from app.http.account_routes import account_routes
from app.http.application import EdgeOptions, EdgeServices, build_application
from app.http.confirmation import confirmation_routes
from app.http.documents import document_kinds, document_routes
from app.http.graphiql import graphiql_page
from app.http.health import Readiness
from app.http.ingest_routes import ingest_routes
from app.http.named_documents import DocumentsMode
from app.http.operator_routes import operator_routes
from app.http.static_files import static_route
from app.http.stopping import before_stopping
from app.http.unsubscribe import unsubscribe_routes
from app.http.webhooks import webhook_routes
from app.jobs.messages import message_round
from app.jobs.ticker import Ticker, closing_round, next_due_at, payments_round
from app.messages.compose import Composer
from app.messages.invoice_words import ISSUER
from app.messages.render import Renderer
from app.ports import UNLIMITED
from app.repositories.database import DatabaseProblem
from app.services.invoices.document_links import DocumentLinks
from app.services.notifications.confirmation_links import ConfirmationLinks
from app.services.notifications.deliver_messages import Delivery
from app.services.notifications.unsubscribe_links import UnsubscribeLinks
from app.services.payment_methods.vault_service import VaultService
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.quotes import QuoteSigner
from app.settings import RATE_LIMITS_OFF, Settings, read_settings
from app.surroundings import WRITES_BEGIN_WITHIN_SECONDS, open_surroundings, signing_secret

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.applications import Starlette
    from starlette.routing import BaseRoute
    from starlette.types import ASGIApp

    from app.graphql.contract import Contract
    from app.http.health import Probe
    from app.ports import Mailer, MailNotifications, PhoneCaller, RateLimiter, TokenVerifier
    from app.surroundings import Surroundings

SANDBOX_ADDRESS = "http://127.0.0.1:8000"
"""Where a sandbox is reached that was not told its address."""

LONGEST_LAG_SECONDS = 120.0
"""How late the ticker may be before load balancers hear of it: longer than its longest pause after a failure."""


def make_rate_limiter(settings: Settings) -> RateLimiter:
    """Return who counts requests over time.

    :raises RateStorageUnusable: when the setting names no storage, or its library is missing.
    """
    if settings.rate_limits_url == RATE_LIMITS_OFF:
        return UNLIMITED
    from app.gateways.rate_limiter import SlidingRateLimiter

    return SlidingRateLimiter(settings.rate_limits_url)


def make_verifier(settings: Settings) -> TokenVerifier:
    """Return who checks access tokens: by the identity provider's keys, in the sandbox by its own unless told.

    :raises KeysUnusable: when the keys of the settings cannot be used.
    """
    if settings.is_sandbox and settings.jwks is None and settings.jwks_url is None:
        from app.sandbox.tokens import SANDBOX_RULES, SandboxTokens

        return JwtVerifier(FixedKeys(SandboxTokens.open(settings.data).public_keys()), SANDBOX_RULES)
    rules = TokenRules(issuer=settings.token_issuer or "", audience=settings.token_audience or "")
    if settings.jwks is not None:
        return JwtVerifier(FixedKeys(settings.jwks), rules)
    return JwtVerifier(FetchedKeys(settings.jwks_url or ""), rules)


def make_links(settings: Settings) -> DocumentLinks:
    """Return who signs links to documents, by real time; the sandbox has a secret of its own unless told."""
    return DocumentLinks(
        secret=signing_secret(settings).encode(),
        base_url=settings.public_url or SANDBOX_ADDRESS,
        clock=SystemClock(),
        kinds=document_kinds(),
    )


def make_delivery(surroundings: Surroundings) -> Delivery:
    """Return what messages are delivered with; leases go by real time.

    :raises MailServerUnusable: when the mail server's address cannot be one.
    """
    settings = surroundings.settings
    return Delivery(
        services=surroundings.services,
        mailer=make_mailer(settings),
        caller=make_caller(settings),
        composer=Composer(settings.portal_url or settings.public_url or SANDBOX_ADDRESS),
        links=make_unsubscribe_links(settings),
        confirmation_links=make_confirmation_links(settings),
    )


def make_mailer(settings: Settings) -> Mailer:
    """Return who takes our mail: the server of the settings, in the sandbox a catcher unless told."""
    if settings.smtp_url is None:
        from app.sandbox.catcher import MailCatcher

        return MailCatcher(settings.data, sender=settings.mail_from, sender_name=ISSUER)
    server = MailServer.parse(settings.smtp_url.get_secret_value())
    return SmtpMailer(server, sender=settings.mail_from, sender_name=ISSUER, speaks_utf8=settings.smtp_utf8)


def make_caller(settings: Settings) -> PhoneCaller | None:
    """Return who takes our phone calls: the operator's system of the settings, in the sandbox a catcher unless told."""
    if settings.calls_webhook_url is not None and settings.calls_webhook_secret is not None:
        return WebhookCaller(settings.calls_webhook_url, settings.calls_webhook_secret.get_secret_value())
    if not settings.is_sandbox:
        return None
    from app.sandbox.catcher import CallCatcher

    return CallCatcher(settings.data)


def make_mail_notifications(settings: Settings) -> MailNotifications | None:
    """Return who reads what Amazon SES tells of bounces and complaints; nobody unless its topic is named."""
    if settings.ses_topic is None:
        return None
    from app.gateways.ses_notifications import SesNotifications

    return SesNotifications(settings.ses_topic, clock=SystemClock())


def make_unsubscribe_links(settings: Settings) -> UnsubscribeLinks:
    """Return who signs the links in mails that switch an alert off."""
    base_url = settings.public_url or SANDBOX_ADDRESS
    return UnsubscribeLinks(secret=signing_secret(settings).encode(), base_url=base_url)


def make_confirmation_links(settings: Settings) -> ConfirmationLinks:
    """Return who signs the links by which an address confirms that it may be written to."""
    base_url = settings.public_url or SANDBOX_ADDRESS
    return ConfirmationLinks(secret=signing_secret(settings).encode(), base_url=base_url)


def create_app(settings: Settings | None = None) -> Starlette:
    """Return the application; `uvicorn --factory app.main:create_app` works too.

    :raises SettingsUnusable: when the settings are wrong or incomplete.
    """
    chosen = settings or read_settings()
    return build(open_surroundings(chosen, begins_within_seconds=WRITES_BEGIN_WITHIN_SECONDS))


def build(surroundings: Surroundings) -> Starlette:
    """Return the application; its lifespan runs the ticker and closes the database at the end."""
    settings, database = surroundings.settings, surroundings.database
    contract, links = read_contract(), make_links(settings)
    services = replace(surroundings.services, rate_limiter=make_rate_limiter(settings))
    payment_runner = PaymentRunner(services)
    vault = VaultService(services, counts_local_addresses=settings.is_sandbox)
    delivery, renderer = make_delivery(surroundings), Renderer()
    pulse = _Pulse(surroundings, delivery, [payment_runner, vault, services.rate_limiter])
    edge = EdgeServices(
        verifier=make_verifier(settings),
        clock=surroundings.clock,
        ids=surroundings.ids,
        reader=database.reader,
        probe=pulse.probe,
        rate_limiter=services.rate_limiter,
        changes=database.changes,
        links=links,
        writes=Writes(
            services,
            QuoteSigner(signing_secret(settings), surroundings.clock, surroundings.ids),
            payment_runner,
            vault,
        ),
    )
    page = _developer_page(settings, contract) if settings.shows_graphiql else None
    return build_application(
        services=edge,
        options=EdgeOptions(
            is_sandbox=settings.is_sandbox,
            allowed_hosts=settings.allowed_hosts,
            cors_origins=settings.cors_origins,
            allows_introspection=settings.shows_graphiql,
            documents=DocumentsMode(settings.documents),
            execution=ExecutionMode(settings.execution),
        ),
        own_documents=[operation.document for operation in contract.operations],
        persisted_documents=read_persisted_documents(contract),
        developer_page=page,
        routes=[
            *account_routes(services),
            *ingest_routes(services),
            *webhook_routes(services),
            *document_routes(reader=database.reader, links=links, renderer=renderer),
            *_message_routes(surroundings, delivery, renderer),
            *([static_route()] if page is not None else []),
        ],
        lifespan=pulse.lifespan,
    )


class _Pulse:
    """Runs the tickers as long as the application runs, and tells how they and the database are.

    The one that collects waits for the payment gateway, and the one that delivers messages for a mail server: their
    faults are no reason to send customers elsewhere.
    """

    def __init__(
        self,
        surroundings: Surroundings,
        delivery: Delivery,
        closing: Sequence[PaymentRunner | VaultService | RateLimiter],
    ) -> None:
        self._surroundings = surroundings
        self._delivery = delivery
        self._closing = closing
        self._ticker: Ticker | None = None
        self._messenger: Ticker | None = None
        self._collector: Ticker | None = None

    @asynccontextmanager
    async def lifespan(self, application: Starlette) -> AsyncIterator[None]:
        """Start the tickers, and at the end stop them before the database closes."""
        around, seconds = self._surroundings, self._surroundings.settings.ticker_seconds
        closing = closing_round(around.services)
        telling = message_round(delivery=self._delivery, operator_address=around.settings.operator_mail)
        self._ticker = Ticker(closing, interval_seconds=seconds)
        self._messenger = Ticker(telling, interval_seconds=seconds, name="messages")
        self._collector = Ticker(payments_round(around.services), interval_seconds=seconds, name="payments")
        self._ticker.start()
        self._messenger.start()
        self._collector.start()
        _keep_what_is_loaded()
        try:
            with before_stopping(application.state.streams.stop):
                yield
        finally:
            await self._messenger.stop()
            await self._ticker.stop()
            await self._collector.stop()
            for each in self._closing:
                await each.close()
            await around.close()

    @property
    def probe(self) -> Probe:
        """The probe of /health/ready."""
        return self._probe

    async def _probe(self) -> Readiness:
        lag = _lag(self._ticker)
        found = partial(
            Readiness,
            ticker_lag_seconds=lag,
            message_lag_seconds=_lag(self._messenger),
            payment_lag_seconds=_lag(self._collector),
        )
        try:
            await self._surroundings.database.check()
            month = await self._oldest_unclosed_period()
        except DatabaseProblem as error:
            return found(problem=str(error))
        problem = None
        if lag is not None and lag > LONGEST_LAG_SECONDS:
            problem = f"The ticker has not finished a round for {lag:.0f} seconds. The log says what fails."
        return found(problem=problem, oldest_unclosed_period=month)

    async def _oldest_unclosed_period(self) -> str | None:
        due_at = await next_due_at(self._surroundings.database)
        if due_at is None or due_at > self._surroundings.clock.now():
            return None
        return Period.containing(billing_date(due_at)).shifted(-1).month


def _keep_what_is_loaded() -> None:
    """Take what is loaded by now, the schema above all, out of garbage collection: a full one stops every request."""
    gc.collect()
    gc.freeze()


def _lag(ticker: Ticker | None) -> float | None:
    return None if ticker is None else round(ticker.lag_seconds, 1)


def _message_routes(surroundings: Surroundings, delivery: Delivery, renderer: Renderer) -> Sequence[BaseRoute]:
    """Return what belongs to messages: reports and figures, the links in mails, and the sandbox's pages."""
    services = surroundings.services
    routes = [
        *operator_routes(services, mail_notifications=make_mail_notifications(surroundings.settings)),
        *unsubscribe_routes(services, links=delivery.links, renderer=renderer),
        *confirmation_routes(services, links=delivery.confirmation_links, renderer=renderer),
    ]
    if not surroundings.settings.is_sandbox:
        return routes
    from app.sandbox.clock import OffsetClock
    from app.sandbox.clock_routes import clock_routes
    from app.sandbox.message_pages import message_pages
    from app.sandbox.personas import read_personas
    from app.sandbox.portal_page import portal_routes
    from app.sandbox.reference_page import reference_routes

    pages = message_pages(folder=surroundings.settings.data, composer=delivery.composer, renderer=renderer)
    return [
        *routes,
        *pages,
        *reference_routes(),
        *clock_routes(OffsetClock(surroundings.settings.data)),
        *portal_routes(read_personas(surroundings.settings.data)),
    ]


def _developer_page(settings: Settings, contract: Contract) -> ASGIApp:
    if not settings.is_sandbox:
        return graphiql_page(contract=contract)
    from app.sandbox.personas import read_personas

    return graphiql_page(contract=contract, personas=read_personas(settings.data), is_sandbox=True)
