"""Another system that talks to us: its keys, the requests it sends, and what it reads in an answer."""

from __future__ import annotations

from typing import Any

import httpx2
import orjson

from app.domain.accounts import KeyPurpose
from app.http.account_routes import account_routes
from app.http.ingest_routes import ingest_routes
from app.services.operations.access_keys import create_key
from tests.fakes.edge import client
from tests.world import ACCOUNT, World, pacific

JSON = {"content-type": "application/json"}
NDJSON = {"content-type": "application/x-ndjson"}
INGEST = "/ingest/calls"
ACCOUNTS = "/internal/accounts"

CALL = {
    "eventId": "e-1",
    "account": ACCOUNT,
    "startedAt": "2026-07-13T09:30:00-07:00",
    "scriptSeconds": 90,
    "recordingSeconds": 120,
}
PARTICULARS = {
    "name": "Harbor Dental",
    "plan": "100",
    "paidSinceOn": "2026-08-01",
    "users": [{"id": "user-1", "email": "ann@example.com", "name": "Ann Ames", "role": "ADMIN"}],
}


class Service:
    """Another system, with a key of each purpose."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.secrets: dict[str, str] = {}
        routes = [*account_routes(world.services), *ingest_routes(world.services)]
        world.application.router.routes.extend(routes)

    async def add_key(self, name: str, purpose: KeyPurpose, source: str | None = None) -> None:
        new = await create_key(self.world.services, purpose=purpose, name=name, source=source, actor="test")
        self.secrets[name] = new.secret

    def bearer(self, key: str) -> dict[str, str]:
        return {"authorization": f"Bearer {self.secrets[key]}"}

    async def send(
        self, body: Any, *, key: str = "east", headers: dict[str, str] = JSON, path: str = INGEST, method: str = "POST"
    ) -> httpx2.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        async with client(self.world.application) as http:
            return await http.request(method, path, content=content, headers={**headers, **self.bearer(key)})

    async def put(
        self, account: str = ACCOUNT, *, key: str = "flex", body: Any = None, **changes: Any
    ) -> httpx2.Response:
        given = {**PARTICULARS, **changes} if body is None else body
        return await self.send(given, key=key, path=f"{ACCOUNTS}/{account}", method="PUT")


async def a_service(world: World) -> Service:
    service = Service(world)
    await service.add_key("east", KeyPurpose.INGEST)
    await service.add_key("west", KeyPurpose.INGEST)
    await service.add_key("flex", KeyPurpose.SERVICE)
    return service


async def a_service_at_noon(world: World) -> Service:
    """An account that pays since 1 July, at noon of 14 July 2026, and the keys `east`, `west` and `flex`."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 14, 12))
    return await a_service(world)


def refusal(answer: httpx2.Response) -> tuple[int, str, str]:
    """Status, code and message of an answer with one error, in JSON."""
    assert answer.headers["content-type"].startswith("application/json")
    (error,) = answer.json()["errors"]
    assert error["extensions"]["requestId"] == answer.headers["x-request-id"]
    return answer.status_code, error["extensions"]["code"], error["message"]


def outcomes(answer: httpx2.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [result["outcome"] for result in answer.json()["results"]]
