"""A server as a process of its own, and somebody who follows its event streams over a socket."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx2
import uvicorn

from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.ids import RandomIds
from app.graphql.contract import read_contract
from app.main import build
from app.repositories.database import Database
from app.sandbox.tokens import LIFETIME, SandboxTokens
from app.settings import Settings
from app.surroundings import Surroundings
from tests.fakes.event_stream import ANSWERS_WITHIN_SECONDS, COMMENT, Event, read_event
from tests.world import ACCOUNT, SettableClock

STOPS_WITHIN_SECONDS = 1
NEVER_SECONDS = 3600.0
NOWHERE = BraintreeConfig(environment="local", port=1, merchant_id="m", public_key="p", private_key="k")

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])


def serve(folder: Path, url: str, now: datetime, parent: Connection) -> None:
    """Serve a database until a signal comes; tell the parent the port."""
    settings = Settings(data=folder, database_url=url, ticker_seconds=NEVER_SECONDS)
    around = Surroundings(settings, Database.open(url), SettableClock(now), RandomIds(), BraintreePayments(NOWHERE))
    config = uvicorn.Config(
        build(around), log_config=None, lifespan="on", timeout_graceful_shutdown=STOPS_WITHIN_SECONDS
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        parent.send(listener.getsockname()[1])
        uvicorn.Server(config).run(sockets=[listener])


class Served:
    """A server that runs."""

    def __init__(self, folder: Path, port: int, process: Any) -> None:
        self.tokens = SandboxTokens.open(folder)
        self.address = f"http://127.0.0.1:{port}"
        self.process = process

    def stop(self) -> None:
        """Ask it to stop, as whoever runs it does."""
        os.kill(self.process.pid, signal.SIGTERM)

    def exit_code(self) -> int:
        """How it ended, once it has."""
        self.process.join(ANSWERS_WITHIN_SECONDS)
        return int(self.process.exitcode)

    @asynccontextmanager
    async def follow(self, *, subject: str, account: str = ACCOUNT) -> AsyncIterator[AsyncIterator[Event]]:
        """The events of a SummaryWatch, without comments."""
        operation = read_contract().find("SummaryWatch")
        token = self.tokens.sign(subject=subject, account=account, lifetime=LIFETIME)
        headers = {"authorization": f"Bearer {token}", "accept": "text/event-stream"}
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(httpx2.AsyncClient(timeout=ANSWERS_WITHIN_SECONDS))
            asked = client.stream(
                "POST", f"{self.address}/graphql", headers=headers, json={"query": operation.document}
            )
            response = await stack.enter_async_context(asked)
            assert response.status_code == 200
            yield _events(response)


async def _events(response: httpx2.Response) -> AsyncIterator[Event]:
    lines: list[str] = []
    async for line in response.aiter_lines():
        if line:
            lines.append(line)
            continue
        event, lines = read_event("\n".join(lines)), []
        if event != COMMENT:
            yield event


@contextmanager
def served(folder: Path, url: str, now: datetime) -> Iterator[Served]:
    """Run a server; it is ended at the end."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=serve, args=(folder, url, now, theirs))
    process.start()
    theirs.close()
    try:
        yield Served(folder, ours.recv(), process)
    finally:
        process.kill()
        process.join()
