"""The server, with its edge and its tickers, as a process of its own that kills itself with -9 at a step of a request.

Steps are counted from the first request for GraphQL on; what a step is, `payment_run` says.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import httpx2
import uvicorn

from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.ids import RandomIds
from app.graphql.contract import read_contract
from app.main import build
from app.repositories.database import Database
from app.sandbox.tokens import SandboxTokens
from app.settings import Settings
from app.surroundings import Surroundings
from tests.scenarios.payment_run import Stepping, Steps
from tests.world import ACCOUNT, SettableClock

ADMIN = "ADMIN"
NEVER = 0
ONE_ROUND_SECONDS = 3600.0
ANSWER_SECONDS = 60.0


class Armed(Steps):
    """Steps that count once a request for GraphQL is there."""

    def __init__(self, dies_at: int) -> None:
        super().__init__(dies_at)
        self.is_armed = False

    def step(self) -> None:
        if self.is_armed:
            super().step()


def run(folder: Path, now: datetime, config: BraintreeConfig, dies_at: int, parent: Connection) -> None:
    """Serve the database of the folder until a signal comes, or the step; tell the parent the port."""
    steps = Armed(dies_at)
    settings = Settings(data=folder, ticker_seconds=ONE_ROUND_SECONDS)
    database = Database.open(settings.database)
    database.run_tx = steps.around(database.run_tx)
    payments: Any = Stepping(BraintreePayments(config), steps)
    application = build(Surroundings(settings, database, SettableClock(now), RandomIds(), payments))

    async def edge(scope: Any, receive: Any, send: Any) -> None:
        steps.is_armed = steps.is_armed or scope.get("path") == "/graphql"
        await application(scope, receive, send)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        parent.send(listener.getsockname()[1])
        uvicorn.Server(uvicorn.Config(edge, log_config=None, lifespan="on")).run(sockets=[listener])


class Caller:
    """The portal of a person, an administrator unless told, at a server's port."""

    def __init__(self, folder: Path, port: int, *, subject: str = ADMIN, account: str = ACCOUNT) -> None:
        token = SandboxTokens.open(folder).sign(subject=subject, account=account)
        self._http = httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {token}"},
            timeout=ANSWER_SECONDS,
            limits=httpx2.Limits(max_connections=None),
        )
        self._documents = {operation.name: operation.document for operation in read_contract().operations}

    async def ask(self, operation: str, **variables: Any) -> dict[str, Any]:
        """The one field of an operation's answer."""
        body = {"query": self._documents[operation], "operationName": operation, "variables": variables}
        answer = (await self._http.post("/graphql", json=body)).json()
        assert "errors" not in answer, answer
        return next(iter(answer["data"].values()))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._http.aclose()


def ended(processes: Iterable[Any]) -> list[int]:
    """End the servers that still run; how each ended."""
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()
    return [process.exitcode for process in processes]
