"""The payment service's side of webhooks in a test: what it has signed is posted to the product's own address."""

from __future__ import annotations

import httpx2

from app.http.webhooks import webhook_routes
from app.services.operations.process_webhook_events import process_webhook_events
from tests.fakes.edge import client
from tests.services.books import rows
from tests.till import Till

ADDRESS = "/webhooks/braintree"


class Inbox:
    """Make it with a till whose payments go to the local gateway."""

    def __init__(self, till: Till) -> None:
        self.till = till
        self.world = till.world
        around = self.world.services
        self.world.application.router.routes.extend(webhook_routes(around))

    async def send(self, method: str = "POST", path: str = ADDRESS, **content) -> httpx2.Response:
        async with client(self.world.application) as http:
            return await http.request(method, path, **content)

    async def post(self, *webhook_ids: str) -> list[int]:
        """Deliver webhooks in the order given, and return the statuses."""
        statuses = []
        for webhook_id in webhook_ids:
            signature, payload = self.till.gateway.signed(webhook_id)
            answer = await self.send(data={"bt_signature": signature, "bt_payload": payload})
            statuses.append(answer.status_code)
        return statuses

    async def take(self, *webhook_ids: str) -> list[tuple[str, str]]:
        """Deliver webhooks, process them, and return name and state of everything in the inbox."""
        assert set(await self.post(*webhook_ids)) == {200}
        await process_webhook_events(self.world.services)
        return self.kept()

    def kept(self) -> list[tuple[str, str]]:
        return rows(self.world.database, "SELECT name, state FROM gateway_notice ORDER BY id")
