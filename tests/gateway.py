"""A local gateway for tests: one server for the whole session, in memory, empty before each test.

The fixture is `gateway`; conftest.py makes it known everywhere.
"""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.sandbox.braintree_gateway.server import GatewayServer
from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY

PATIENCE = (30.0, 30.0)
"""Deadlines that no machine misses, however busy: a test that expects an answer gets one."""

HASTE = (30.0, 0.3)
"""Deadlines for the one request whose answer is not to come in time; anything else may miss them by chance."""

START = datetime(2026, 7, 1, 17, 0, tzinfo=UTC)


class GatewayClock:
    """A clock that stands still until it is moved, or goes by another."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._now: Callable[[], datetime] = lambda: START

    def now(self) -> datetime:
        return self._now()

    def set(self, instant: datetime) -> None:
        self._now = lambda: instant

    def advance(self, **by: float) -> None:
        self.set(self.now() + timedelta(**by))

    def follow(self, now: Callable[[], datetime]) -> None:
        """Go by another clock from now on, such as that of the test's own world."""
        self._now = now


class LocalGateway:
    """The gateway as a test sees it: an adapter to it, and what staff of the sandbox can do."""

    def __init__(self, server: GatewayServer, clock: GatewayClock) -> None:
        self.server = server
        self.clock = clock
        self.url = server.url
        self.port = server.server_port

    def config(self, **changes: Any) -> BraintreeConfig:
        fields = {
            "environment": "local",
            "port": self.port,
            "merchant_id": MERCHANT_ID,
            "public_key": PUBLIC_KEY,
            "private_key": PRIVATE_KEY,
            "money_timeout": PATIENCE,
            "read_timeout": PATIENCE,
        }
        return BraintreeConfig(**{**fields, **changes})

    def payments(self, **changes: Any) -> BraintreePayments:
        """A new adapter, patient unless told."""
        return BraintreePayments(self.config(**changes))

    def hasty_payments(self) -> BraintreePayments:
        """A new adapter that does not wait for money to move; it waits for what it reads."""
        return self.payments(money_timeout=HASTE)

    async def until_idle(self) -> None:
        """Wait until it has done everything it was asked for, late requests and abandoned ones included."""
        assert await asyncio.to_thread(self.server.gateway.wait_until_idle, 30.0)

    def ask(self, name: str, **body: Any) -> Any:
        """Call an admin route."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            headers = {"Content-Type": "application/json"}
            connection.request("POST", f"/__emulator/{name}", json.dumps(body), headers)
            response = connection.getresponse()
            content = json.loads(response.read())
        finally:
            connection.close()
        assert response.status == 200, content
        return content

    def faults(self, *faults: dict[str, Any]) -> None:
        """Replace the faults to come, such as `{"match": "sale", "when": "after", "action": "reset"}`."""
        self.ask("faults", faults=list(faults))

    def settings(self, **changes: Any) -> dict[str, Any]:
        return self.ask("settings", **changes)

    def force(self, on: str, code: str | None, times: int | None = None) -> None:
        """Decline sales on a token, on a card's last four digits or on everything (`*`); no code lifts it."""
        self.ask("force", on=on, code=code, times=times)

    def nonce(self, number: str, **card: Any) -> str:
        """A nonce for a documented test number, good for one use."""
        return self.ask("nonces", **{"number": number, "expiration_date": "12/2030", **card})["nonce"]

    def ledger(self) -> dict[str, dict[str, Any]]:
        """Money by order id: captured_cents, refunded_cents, lost_cents, captures, transactions."""
        return self.ask("ledger")["orders"]

    def captured(self, order_id: str) -> tuple[int, int]:
        """How often money was taken for an order, and how many cents in all."""
        order = self.ledger().get(order_id, {"captures": 0, "captured_cents": 0})
        return order["captures"], order["captured_cents"]

    def settle(self, transaction_id: str | None = None, status: str = "settled", tells: bool = False) -> list[str]:
        chosen = {} if transaction_id is None else {"transaction_id": transaction_id}
        return self.ask("settle", status=status, tells=tells, **chosen)["transactions"]

    def dispute(self, **body: Any) -> dict[str, str]:
        """`transaction_id` opens a dispute (`status`, `amount_cents`); `dispute_id` and `status` change one."""
        return self.ask("dispute", **body)

    def revoke(self, token: str) -> str:
        return self.ask("revoke", token=token)["webhook_id"]

    def update_card(self, token: str, **changes: Any) -> str | None:
        return self.ask("update-card", token=token, **changes)["webhook_id"]

    def webhook(self, kind: str, **body: Any) -> str:
        """Write a webhook of any kind and return its id."""
        return self.ask("webhooks", kind=kind, **body)["webhook_id"]

    def webhooks(self) -> list[dict[str, Any]]:
        return self.ask("webhooks")["webhooks"]

    def signed(self, webhook_id: str) -> tuple[str, str]:
        """The signature and the payload of a webhook, as they are posted."""
        found = self.ask("webhooks", id=webhook_id)
        return found["bt_signature"], found["bt_payload"]

    def deliver_webhook(self, *ids: str, **body: Any) -> list[int]:
        """Post webhooks to `url` now, all without ids: `copies`, `reversed`, `tamper`; returns the statuses."""
        return self.ask("deliver", **({"ids": list(ids)} if ids else {}), **body)["statuses"]


@pytest.fixture(scope="session")
def gateway_server() -> Iterator[LocalGateway]:
    clock = GatewayClock()
    server = GatewayServer(0, clock.now)
    server.start()
    yield LocalGateway(server, clock)
    server.close()


@pytest.fixture
def gateway(gateway_server: LocalGateway) -> Iterator[LocalGateway]:
    """An empty gateway whose clock stands at START."""
    gateway_server.clock.reset()
    gateway_server.server.gateway.reset()
    yield gateway_server
    gateway_server.faults()
