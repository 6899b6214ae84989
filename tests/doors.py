"""Every address of the server, with a request for each that it answers: the whole application, put together as it runs.

doors = await Doors.open(till, tmp_path)
for name, request in doors.requests.items():
    answer = await doors.send(request)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson
from starlette.applications import Starlette
from starlette.routing import Match, Mount, Route

from app.domain.accounts import KeyPurpose, Role
from app.domain.alerts import AlertKind
from app.domain.confirmations import CONFIRMATION
from app.domain.contacts import Channel
from app.http.documents import document_kinds
from app.main import build, make_confirmation_links, make_links, make_unsubscribe_links
from app.repositories.notifications import Message
from app.sandbox.tokens import SandboxTokens
from app.services.operations.access_keys import create_key
from app.settings import Settings
from app.surroundings import Surroundings
from tests.till import Till
from tests.world import ACCOUNT, World, pacific

BASE = "http://127.0.0.1:8000"
JSON, NDJSON, FORM = "application/json", "application/x-ndjson", "application/x-www-form-urlencoded"

SWITCH = """mutation Switch($isOn: Boolean!) {
  updateAlertSubscriptions(input: {changes: [{kind: INVOICE_READY, isOn: $isOn}]}) { __typename } }"""


@dataclass(frozen=True)
class Request:
    """One request, the status that it is answered with, and whether it needs the database for that."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes = b""
    status: int = 200
    needs_database: bool = True

    def with_headers(self, **headers: str) -> Request:
        """The same request with other headers; underscores are dashes."""
        changed = {name.replace("_", "-"): value for name, value in headers.items()}
        return replace(self, headers={**self.headers, **changed})


class Doors:
    """Make it with `open`."""

    def __init__(self, world: World, application: Starlette) -> None:
        self.world = world
        self.application = application
        self.secrets: dict[KeyPurpose, str] = {}
        self.requests: dict[str, Request] = {}
        self._tokens: SandboxTokens | None = None

    @classmethod
    async def open(cls, till: Till, folder: Path) -> Doors:
        """An account with an invoice, at noon of 14 July 2026, a key of each purpose, and a token of each role."""
        world = till.world
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 14, 12))
        settings = Settings(data=folder, rate_limits_url="off")
        payments: Any = world.services.payments
        doors = cls(world, build(Surroundings(settings, world.database, world.clock, world.ids, payments)))
        doors._tokens = SandboxTokens.open(folder)
        for purpose in KeyPurpose:
            new = await create_key(world.services, purpose=purpose, name=purpose.lower(), source=None, actor="test")
            doors.secrets[purpose] = new.secret
        doors.requests = {**doors._for_people(), **doors._for_systems(), **doors._for_the_gateway(till)}
        doors.requests |= await doors._by_link(settings)
        return doors

    def bearer(self, role: Role | str = Role.ADMIN, account: str = ACCOUNT) -> dict[str, str]:
        """The header of a person's token; a role is the subject of who has it on every account."""
        assert self._tokens is not None
        return {"authorization": f"Bearer {self._tokens.sign(subject=str(role), account=account)}"}

    def key(self, purpose: KeyPurpose) -> dict[str, str]:
        """The header of a key."""
        return {"authorization": f"Bearer {self.secrets[purpose]}"}

    def graphql(self, query: str, role: Role | str = Role.ADMIN, **variables: Any) -> Request:
        """An operation of a person."""
        content = orjson.dumps({"query": query, "variables": variables})
        return Request("POST", "/graphql", {**self.bearer(role), "content-type": JSON}, content)

    def ingest(self, *event_ids: str) -> Request:
        """Calls of a minute, one for each event id."""
        calls = [
            {"eventId": event_id, "account": ACCOUNT, "startedAt": "2026-07-13T09:30:00-07:00", "scriptSeconds": 60}
            for event_id in event_ids
        ]
        headers = {**self.key(KeyPurpose.INGEST), "content-type": JSON}
        return Request("POST", "/ingest/calls", headers, orjson.dumps(calls))

    async def send(self, request: Request) -> httpx2.Response:
        """Send a request, and let nothing of ours fall through to the one who asks."""
        transport = httpx2.ASGITransport(app=self.application, raise_app_exceptions=True)
        async with httpx2.AsyncClient(transport=transport, base_url=BASE) as http:
            headers = [(name.encode(), value.encode("latin-1")) for name, value in request.headers.items()]
            return await http.request(request.method, request.path, headers=headers, content=request.content)

    def routes(self) -> set[str]:
        """The paths of the application."""
        return {route.path for route in self._routes()}

    def route_of(self, request: Request) -> str:
        """The path of the route that a request is for."""
        scope = {"type": "http", "method": request.method, "path": request.path.partition("?")[0], "headers": []}
        return next(route.path for route in self._routes() if route.matches(scope)[0] is Match.FULL)

    def _routes(self) -> list[Route | Mount]:
        return [route for route in self.application.router.routes if isinstance(route, Route | Mount)]

    def _for_people(self) -> dict[str, Request]:
        query = "{ viewer { role } billingSummary { id } }"
        by_get = Request("GET", f"/graphql?{urlencode({'query': query})}", self.bearer())
        open_to_all = {"needs_database": False}
        return {
            "query": self.graphql(query),
            "query by GET": by_get,
            "mutation": self.graphql(SWITCH, isOn=False),
            "live": Request("GET", "/health/live", **open_to_all),
            "ready": Request("GET", "/health/ready"),
            "messages": Request("GET", "/sandbox/messages", **open_to_all),
            "one message": Request("GET", "/sandbox/messages/none", status=404, **open_to_all),
            "gallery": Request("GET", "/sandbox/gallery", **open_to_all),
            "sample": Request("GET", "/sandbox/gallery/INVOICE_READY/text", **open_to_all),
            "clock": Request("GET", "/sandbox/clock", **open_to_all),
            "clock forward": Request(
                "POST", "/sandbox/clock", {"content-type": JSON}, b'{"step":"DAY"}', **open_to_all
            ),
            "reference": Request("GET", "/docs", **open_to_all),
            "style": Request("GET", "/static/document.css", **open_to_all),
            "portal": Request("GET", "/", status=307, **open_to_all),
            "screen": Request("GET", "/billing/summary", **open_to_all),
            "settings screen": Request("GET", "/settings/alerts", **open_to_all),
            "portal's library": Request("GET", "/portal/vendor/none.mjs", status=404, **open_to_all),
            "portal's file": Request("GET", "/portal/main.js", **open_to_all),
        }

    def _for_systems(self) -> dict[str, Request]:
        service = {**self.key(KeyPurpose.SERVICE), "content-type": JSON}
        lines = replace(self.ingest("line-1"), content=self.ingest("line-1").content.strip(b"[]"))

        def put(path: str, body: Any, status: int) -> Request:
            return Request("PUT", f"/internal/accounts/{path}", service, orjson.dumps(body), status)

        def post(path: str, body: Any, status: int = 200) -> Request:
            return Request("POST", f"/internal/{path}", service, orjson.dumps(body), status)

        tax = {"name": "County tax", "percent": 2}
        return {
            "ingest": self.ingest("array-1"),
            "ingest of lines": lines.with_headers(content_type=NDJSON),
            "account": put("BB0202", {"name": "Elm Plumbing", "plan": "100", "trialEndsOn": "2026-07-20"}, 201),
            "tax": put(f"{ACCOUNT}/tax", {**tax, "validFrom": "2026-08-01"}, 201),
            "taxes": put(f"{ACCOUNT}/taxes", {"taxes": [tax], "validFrom": "2026-09-01"}, 201),
            "entitlements": Request("GET", f"/internal/accounts/{ACCOUNT}/entitlements", service),
            "report of a call": post("calls/ntf_nobody/report", {"outcome": "BUSY"}, 404),
            "bounce": post("mail/bounces", {"address": "gone@example.com", "reason": "Mailbox closed"}),
            "metrics": Request("GET", "/internal/metrics", service),
        }

    def _for_the_gateway(self, till: Till) -> dict[str, Request]:
        signature, payload = till.gateway.signed(till.gateway.webhook("check"))
        form = urlencode({"bt_signature": signature, "bt_payload": payload}).encode()
        challenge = "/webhooks/braintree?bt_challenge=0123456789abcdef0123"
        return {
            "webhook": Request("POST", "/webhooks/braintree", {"content-type": FORM}, form),
            "challenge": Request("GET", challenge, needs_database=False),
        }

    async def _by_link(self, settings: Settings) -> dict[str, Request]:
        (invoice,) = await self.world.issued()
        documents, now = make_links(settings), self.world.clock.now()
        links = {
            kind: documents.make(ACCOUNT, invoice.id, kind, documents.expires_at()) or "" for kind in document_kinds()
        }
        message = Message(
            id="ntf_1",
            account_id=invoice.account_id,
            kind=AlertKind.INVOICE_READY,
            channel=Channel.EMAIL,
            user_id="usr_1",
            contact_id=None,
            recipient="Ann",
            address="ann@example.com",
            dedupe_key="1",
            facts={},
            created_at=now,
            next_action_at=now,
        )
        unsubscribe = make_unsubscribe_links(settings).link(message) or ""
        confirm = make_confirmation_links(settings).link(replace(message, kind=CONFIRMATION)) or ""
        return {
            "look at confirming": Request("GET", confirm.removeprefix(BASE)),
            "confirm": Request("POST", f"{confirm.removeprefix(BASE)}?answer=confirm"),
            **{f"document {kind}": Request("GET", link.removeprefix(BASE)) for kind, link in links.items()},
            "look at unsubscribing": Request("GET", unsubscribe.removeprefix(BASE), needs_database=False),
            "unsubscribe": Request("POST", unsubscribe.removeprefix(BASE)),
        }
