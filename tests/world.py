"""A small world to tell stories in: a database, a clock that a test sets, and the whole product in between.

await world.add_account(paid_since_on=date(2026, 7, 1))
await world.advance_to(pacific(2026, 8, 14, 12))                    # every invoice due by then is issued on its day
await world.add_calls(a_call(started_at=pacific(2026, 8, 10, 9), script_seconds=90))
data = await world.data("{ billingSummary { openBalance { amount } } }", by=Role.BILLING)
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx2

from app.domain.accounts import Account, Role
from app.domain.ledger import PaymentKind
from app.domain.metering import MeteringResult
from app.domain.periods import billing_instant
from app.domain.plans import Catalogue
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.domain.usage import CallReport
from app.gateways.clock import SystemClock
from app.gateways.identity import JwtVerifier
from app.gateways.signing_keys import FixedKeys
from app.graphql.context import Writes
from app.http.application import EdgeOptions, EdgeServices, build_application
from app.http.documents import document_kinds, document_routes
from app.http.guard import GuardOptions
from app.http.health import Readiness
from app.messages.render import Renderer
from app.ports import UNLIMITED, PaymentGateway, RateLimiter
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.repositories.events import StoredEvent
from app.repositories.invoices import StoredInvoice
from app.repositories.unit_of_work import UnitOfWork
from app.sandbox.tokens import LIFETIME, SANDBOX_RULES, SandboxTokens
from app.services.adjustments.record_payment import RecordedPayment, record_payment
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from app.services.invoices.document_links import DocumentLinks
from app.services.operations.verify import verify
from app.services.operations.verify_ledger import Difference
from app.services.payment_methods.vault_service import VaultService
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.quotes import QuoteSigner
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.services.usage.record_calls import Item, record_calls
from tests.fakes.edge import CountingIds, client

ACCOUNT = "AA0101"
SECRET = b"a secret of the tests, 32 bytes long or more"


def pacific(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """The UTC instant of a wall-clock time in the billing zone."""
    return billing_instant(date(year, month, day), time(hour, minute))


BEGINNING = pacific(2026, 7, 1, 12)
USUAL_EDGE = {"is_sandbox": True, "allowed_hosts": ["flex.test"], "guard": GuardOptions(cost=1_000_000)}
"""Tests look at more at once than one operation may."""


class SettableClock:
    """Stands still until a test sets it."""

    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


class World:
    """Make it with `World.create`; by default it is noon of 1 July 2026. `real_clock` is what document links go by.

    Without `payments` nothing is charged while one waits, and a change takes effect when it is confirmed. `edge` are
    options of the edge that differ from the usual ones.
    """

    def __init__(
        self,
        database: Database,
        now: datetime,
        payments: PaymentGateway | None = None,
        rate_limiter: RateLimiter = UNLIMITED,
        **edge: Any,
    ) -> None:
        self.database = database
        self.clock = SettableClock(now)
        self.ids = CountingIds()
        self.real_clock = SettableClock(now)
        self.services = Services(database, self.clock, self.ids, payments, SystemClock())
        # Outcomes are compared, so a busy machine is waited for.
        self.payment_runner = None if payments is None else PaymentRunner(self.services, answers_within_seconds=60)
        self.vault = None if payments is None else VaultService(self.services)
        links = DocumentLinks(secret=SECRET, base_url="http://flex.test", clock=self.real_clock, kinds=document_kinds())
        self.application = build_application(
            services=EdgeServices(
                verifier=JwtVerifier(FixedKeys(_tokens().public_keys()), SANDBOX_RULES),
                clock=self.clock,
                ids=self.ids,
                reader=database.reader,
                probe=_ready,
                links=links,
                changes=database.changes,
                rate_limiter=rate_limiter,
                writes=Writes(
                    self.services, QuoteSigner(SECRET.decode(), self.clock, self.ids), self.payment_runner, self.vault
                ),
            ),
            options=EdgeOptions(**USUAL_EDGE | edge),
            routes=document_routes(reader=database.reader, links=links, renderer=_renderer()),
        )

    @classmethod
    async def create(
        cls,
        database: Database,
        *,
        now: datetime = BEGINNING,
        catalogue: Catalogue = SEED_CATALOGUE,
        payments: PaymentGateway | None = None,
    ) -> World:
        async def load(uow: UnitOfWork) -> None:
            await uow.plans.add_all(catalogue.versions)
            await uow.add_ons.add_versions(SEED_ADD_ONS)

        await unit_of_work.write(database, load)
        return cls(database, now, payments)

    async def add_account(
        self,
        external_id: str = ACCOUNT,
        *,
        plan: str = "100",
        paid_since_on: date | None = None,
        trial_ends_on: date | None = None,
        name: str = "Harbor Dental",
    ) -> Account:
        """An account with one person of each role, whose subject is the role's name on every account.

        Without dates it pays since 1 July 2026.
        """
        if paid_since_on is None and trial_ends_on is None:
            paid_since_on = date(2026, 7, 1)
        members = tuple(Member(role, f"{role.lower()}@example.com", role.title(), role) for role in Role)
        particulars = AccountParticulars(external_id, name, plan, trial_ends_on, paid_since_on, members)
        put = await put_account(self.services, particulars=particulars, actor="test")
        return put.account

    async def add_calls(self, *calls: CallReport) -> list[MeteringResult]:
        """Record calls now, as their sources' batches; the calls of a batch keep their order."""
        results = []
        for source in dict.fromkeys(call.source for call in calls):
            items = [Item(at, call) for at, call in enumerate(calls) if call.source == source]
            results += await record_calls(self.services, source=source, items=items, actor="test")
        return results

    async def advance_to(self, instant: datetime) -> int:
        """Let time pass: every invoice that falls due on the way is issued at its own instant. Returns how many."""
        issued = 0
        while (due_at := await self.next_due_at()) is not None and due_at <= instant:
            self.clock.instant = max(due_at, self.clock.instant)
            issued += await self.close_now()
        self.clock.instant = instant
        return issued

    async def close_now(self) -> int:
        """Issue what is due at this instant."""
        return await close_periods(self.services)

    async def issued(self, account: str = ACCOUNT) -> list[StoredInvoice]:
        """The account's invoices, oldest first."""

        async def find(uow: UnitOfWork) -> list[StoredInvoice]:
            owner = await uow.accounts.get_by_external_id(account)
            return await uow.invoices.list_for_account(owner.id)

        return await unit_of_work.read(self.database, find)

    async def differences(self) -> list[Difference]:
        """What the books say against themselves; nothing when they agree."""
        return [difference async for difference in verify(database=self.database)]

    async def trail(self, account: str = ACCOUNT) -> list[StoredEvent]:
        """What happened to the account, oldest first."""

        async def find(uow: UnitOfWork) -> list[StoredEvent]:
            owner = await uow.accounts.get_by_external_id(account)
            return await uow.events.list_for_account(owner.id)

        return await unit_of_work.read(self.database, find)

    async def pay(self, amount_cents: int, *, account: str = ACCOUNT, reference: str | None = None) -> RecordedPayment:
        """Record a check received today."""
        return await record_payment(
            self.services,
            Caller(account, "test"),
            kind=PaymentKind.CHECK,
            amount_cents=amount_cents,
            reference=reference or self.ids.new("check"),
            received_on=self.clock.now().date(),
            reason="A check came in.",
        )

    async def graphql(
        self, query: str, *, by: Role | str = Role.ADMIN, account: str = ACCOUNT, variables: Any = None
    ) -> dict[str, Any]:
        """The whole answer to a query sent over HTTP by a person (a role of `add_account`, or any other subject)."""
        async with self.client(by=by, account=account) as http:
            answer = await http.post("/graphql", json={"query": query, "variables": variables or {}})
        return answer.json()

    async def data(self, query: str, **options: Any) -> dict[str, Any]:
        """As `graphql`, for a query that has to succeed."""
        body = await self.graphql(query, **options)
        assert "errors" not in body, body["errors"]
        return body["data"]

    def client(self, *, by: Role | str = Role.ADMIN, account: str = ACCOUNT) -> httpx2.AsyncClient:
        return client(self.application, bearer(by, account))

    async def next_due_at(self) -> datetime | None:
        """When the next cycle invoice of any account falls due."""
        return await unit_of_work.read(self.database, lambda uow: uow.cycles.oldest_due_at())


def calls_of(calls: Iterable[CallReport], account: str) -> list[CallReport]:
    """The same calls, of an account, under event ids of its own."""
    return [call._replace(account=account, event_id=f"{account}/{at}") for at, call in enumerate(calls)]


@cache
def _renderer() -> Renderer:
    return Renderer()


@cache
def _tokens() -> SandboxTokens:
    with tempfile.TemporaryDirectory() as folder:
        return SandboxTokens.open(Path(folder))


@cache
def _token(subject: str, account: str, lifetime: timedelta) -> str:
    return _tokens().sign(subject=subject, account=account, lifetime=lifetime)


def bearer(by: Role | str = Role.ADMIN, account: str = ACCOUNT, lifetime: timedelta = LIFETIME) -> dict[str, str]:
    """The header of a person's token."""
    return {"authorization": f"Bearer {_token(str(by), account, lifetime)}"}


async def _ready() -> Readiness:
    return Readiness(problem=None, ticker_lag_seconds=0.0)
