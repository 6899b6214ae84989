"""What a resolver may reach: the caller, the services, the clock, and reads that all travel in one trip."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import strawberry

from app.domain.agreements import PAYMENT_AGREEMENT, PaymentAgreement
from app.domain.payment_gateway import GatewayUnavailable
from app.graphql.errors import Forbidden
from app.ports import Claims, Clock, Origin
from app.repositories.pages.viewer import VIEWER
from app.repositories.reader import OperationReader, Page, Reader
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.invoices.document_links import DocumentLinks
from app.services.payment_methods.vault_service import VaultService
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.quotes import QuoteSigner
from app.views.viewer import Viewer

V = TypeVar("V")

ACCOUNT = "account"

MEMBERSHIP_GONE = (
    "You are signed in, but you are not a member of this account any more. "
    "Ask an administrator of the account to invite you again, or choose another account."
)


@dataclass(frozen=True, slots=True)
class GraphQLOptions:
    """What the settings decide about answers; plain values, for the settings are not seen from here."""

    largest_page: int = 100


@dataclass(frozen=True, slots=True)
class Writes:
    """What a mutation works with; reads never touch it.

    Without a payment runner no charge is waited for, and without a vault no payment method is added.
    """

    services: Services
    signer: QuoteSigner
    payment_runner: PaymentRunner | None = None
    vault: VaultService | None = None

    @property
    def required_payment_runner(self) -> PaymentRunner:
        """The payment runner, for a mutation that does nothing but charge.

        :raises RuntimeError: where there is none.
        """
        if self.payment_runner is None:
            raise RuntimeError("This server was put together without a payment gateway.")
        return self.payment_runner

    @property
    def required_vault(self) -> VaultService:
        """The vault.

        :raises GatewayUnavailable: when this server has no gateway.
        """
        if self.vault is None:
            raise GatewayUnavailable("this server has no payment gateway")
        return self.vault


@dataclass(frozen=True, slots=True)
class Asked:
    """Who sent an operation: the request's id for both logs, the verified token, and where it came from."""

    request_id: str
    claims: Claims
    origin: Origin = field(default_factory=Origin)


@dataclass(slots=True)
class Context:
    """One operation's surroundings. Make it with `Context.open`; resolvers only read it."""

    asked: Asked
    clock: Clock
    reads: OperationReader[Viewer | None]
    options: GraphQLOptions = field(default_factory=GraphQLOptions)
    links: DocumentLinks | None = None
    given_writes: Writes | None = None
    _viewer: Viewer | None = None

    @classmethod
    def open(
        cls,
        asked: Asked,
        *,
        clock: Clock,
        reader: Reader,
        options: GraphQLOptions,
        links: DocumentLinks | None = None,
        writes: Writes | None = None,
    ) -> "Context":
        """Return the surroundings of a new operation, whose first trip also looks up the membership."""
        look_up = VIEWER.request(subject=asked.claims.subject, account=asked.claims.account)
        return cls(asked, clock, OperationReader(reader, look_up), options, links, writes)

    @property
    def request_id(self) -> str:
        """The id of the request."""
        return self.asked.request_id

    @property
    def claims(self) -> Claims:
        """What the verified token says."""
        return self.asked.claims

    @property
    def services(self) -> Services:
        """What every use case works with."""
        return self.writes.services

    async def caller(self) -> Caller:
        """Return who acts on which account, for the use case behind a mutation.

        :raises Forbidden: as `viewer`.
        """
        viewer = await self.viewer()
        return Caller(
            account=self.claims.account,
            actor=f"user:{viewer.user_id}",
            request_id=self.request_id,
            address=self.asked.origin.address,
            user_agent=self.asked.origin.user_agent,
        )

    @property
    def is_member(self) -> bool:
        """Tell whether the operation has found the membership that the token speaks of."""
        return self._viewer is not None

    async def load(self, page: Page[V], **parameters: object) -> V:
        """Return the view of a page about the caller's own account.

        A page with a bind called `account` gets the external id of the verified token; no resolver names an account.
        """
        return await self.reads.load(page, **self._own(page, parameters))

    async def load_together(self, *asked: tuple[Page[Any], Mapping[str, object]]) -> list[Any]:
        """As `load`, for several pages with the parameters of each: they take the same trip."""
        return await self.reads.load_together(*(page.request(**self._own(page, given)) for page, given in asked))

    def _own(self, page: Page[Any], parameters: Mapping[str, object]) -> Mapping[str, object]:
        return {**parameters, ACCOUNT: self.claims.account} if ACCOUNT in page.parameters else parameters

    async def viewer(self) -> Viewer:
        """Return the caller as the database has them now, from the operation's first trip.

        :raises Forbidden: when the membership that the token speaks of is gone.
        """
        if self._viewer is None:
            self._viewer = await self.reads.session()
        if self._viewer is None:
            raise Forbidden(MEMBERSHIP_GONE)
        return self._viewer

    @property
    def agreement(self) -> PaymentAgreement:
        """What is agreed to by adding a payment method."""
        vault = None if self.given_writes is None else self.given_writes.vault
        return PAYMENT_AGREEMENT if vault is None else vault.agreement

    @property
    def writes(self) -> Writes:
        """What a mutation works with.

        :raises RuntimeError: where the server was put together for reads alone.
        """
        if self.given_writes is None:
            raise RuntimeError("This server was put together for reads alone.")
        return self.given_writes

    @property
    def seen_viewer(self) -> Viewer:
        """The caller, for fields below a root field, which has waited for the session already.

        :raises RuntimeError: when no root field did.
        """
        if self._viewer is None:
            raise RuntimeError("A field below the root was resolved before the session was known.")
        return self._viewer


Info = strawberry.Info[Context, None]
