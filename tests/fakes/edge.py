"""An edge to send requests to: real layers, real tokens, and a database that is a dictionary."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from app.domain.accounts import AccountStatus, Role
from app.gateways.identity import JwtVerifier
from app.gateways.signing_keys import FixedKeys
from app.http.application import EdgeOptions, EdgeServices, build_application
from app.http.health import Readiness
from app.ports import UNLIMITED
from app.repositories.reader import Page, PageRequest
from app.sandbox.tokens import SANDBOX_RULES, SandboxTokens
from app.views.viewer import Viewer

VIEWER_QUERY = "{ viewer { role } }"

A_VIEWER = Viewer(
    user_id="usr_01",
    user_email="ann@example.com",
    user_name="Ann Ames",
    role=Role.ADMIN,
    account_id="acc_01",
    account_external_id="AA0101",
    account_name="Harbor Dental",
    account_status=AccountStatus.ACTIVE,
)


def a_viewer(**changes: Any) -> Viewer:
    return dataclasses.replace(A_VIEWER, **changes)


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 8, 31, 7, 0, tzinfo=UTC)


class CountingIds:
    def __init__(self) -> None:
        self.count = 0

    def new(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}_{self.count:026d}"


class FakeReader:
    """Answers pages by name and remembers each trip; an exception in the place of a view is raised for it."""

    def __init__(self, **views: Any) -> None:
        self.views = views
        self.trips: list[list[str]] = []
        self.parameters: dict[str, Any] = {}

    async def load_each(self, requests: Sequence[PageRequest[Any]]) -> list[Any]:
        self.trips.append([request.page.name for request in requests])
        self.parameters |= {request.page.name: dict(request.parameters) for request in requests}
        return [self.views[request.page.name] for request in requests]


def a_page(name: str) -> Page[Any]:
    """A page without parts: the fake reader answers it by its name."""
    return Page(name, {}, lambda: None)


async def _ready() -> Readiness:
    return Readiness(problem=None, ticker_lag_seconds=0.0)


class Edge:
    """The application with what it was built of."""

    def __init__(self, folder: Path, *, viewer: Viewer | None = A_VIEWER, probe: Any = _ready, **options: Any) -> None:
        self.reader = FakeReader(viewer=viewer)
        self.tokens = SandboxTokens.open(folder)
        rate_limiter = options.pop("rate_limiter", UNLIMITED)
        names = ("own_documents", "persisted_documents", "developer_page", "routes")
        build = {name: options.pop(name) for name in names if name in options}
        self.application = build_application(
            services=EdgeServices(
                verifier=JwtVerifier(FixedKeys(self.tokens.public_keys()), SANDBOX_RULES),
                clock=FixedClock(),
                ids=CountingIds(),
                reader=self.reader,
                probe=probe,
                rate_limiter=rate_limiter,
            ),
            options=EdgeOptions(**{"is_sandbox": True, "allowed_hosts": ["flex.test"], **options}),
            **build,
        )

    @property
    def bearer(self) -> dict[str, str]:
        return self.bearer_of("user-1")

    def bearer_of(self, subject: str, account: str = "AA0101") -> dict[str, str]:
        return {"authorization": f"Bearer {self.tokens.sign(subject=subject, account=account)}"}

    def client(self, *, has_token: bool = True) -> httpx2.AsyncClient:
        return client(self.application, headers=self.bearer if has_token else {})


def client(application: Any, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=application)
    return httpx2.AsyncClient(transport=transport, base_url="http://flex.test", headers=headers)
