"""The processes behind the streams bench: a server, and this one, which holds streams open and sends calls.

`main` prints as JSON: the server's processor time in per cent of a core without a stream, and with idle
ones (500 in full); and the milliseconds from the answer to a call until the event that told of it, in the middle and at
most. With a database's URL as its last argument it uses that database, which has to be empty.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING

import httpx2
import orjson
import uvicorn

from app.domain.accounts import KeyPurpose, Role
from app.domain.periods import billing_date
from app.graphql.contract import read_contract
from app.http.logs import configure_logging
from app.main import build
from app.migrations.upgrade import upgrade
from app.sandbox.tokens import SandboxTokens
from app.services.cycle.close_periods import close_periods
from app.services.operations.access_keys import create_key
from app.services.payments.collect_due import collect_due
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.settings import Settings, read_settings
from app.surroundings import open_surroundings
from scripts.bench.guard_side import processor_seconds, read_address

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

CALLS, BACKLOG = 20, 500
SETTLED_PERCENT = 10.0
SETTLES_WITHIN_SECONDS = 120
"""The server first sends what the first invoices have brought about."""


def main(folder: str, seconds: str, streams: str, url: str = "") -> None:
    """Run all phases and print what they took."""
    data = Path(folder)
    settings = _settings(data, url)
    accounts = [f"LIVE{number:03d}" for number in range(int(streams))]
    secret = asyncio.run(_prepare(settings, accounts))
    command = [sys.executable, "-m", "scripts.bench.streams_side", "serve", folder, url]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        print(json.dumps(asyncio.run(_measure(server, data, float(seconds), secret, accounts))))
    finally:
        server.send_signal(signal.SIGKILL)
        server.communicate()


def serve(folder: str, url: str) -> None:
    """Serve until a signal comes, and print the address."""
    configure_logging(50)
    application = build(open_surroundings(_settings(Path(folder), url)))
    with socket.create_server(("127.0.0.1", 0), backlog=BACKLOG) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="on")
        uvicorn.Server(config).run(sockets=[listener])


async def _measure(
    server: subprocess.Popen[str], data: Path, seconds: float, secret: str, accounts: Sequence[str]
) -> list[float]:
    address = await asyncio.to_thread(read_address, server)
    await _settle(server.pid)
    without = await _percent(server.pid, seconds)
    operation, tokens = read_contract().find("SummaryWatch"), SandboxTokens.open(data)
    body = orjson.dumps({"query": operation.document if operation else ""})
    async with AsyncExitStack() as stack:
        streams = []
        for account in accounts:
            token = tokens.sign(subject=account, account=account)
            streams.append(await stack.enter_async_context(_stream(address, token, body)))
            await _next_event(streams[-1])
        await _settle(server.pid)
        idle = await _percent(server.pid, seconds)
        client = await stack.enter_async_context(httpx2.AsyncClient(base_url=address, timeout=60))
        delays = [
            await _delay(client, secret, accounts[0], streams[0], number) for number in range(min(CALLS, len(accounts)))
        ]
    return [without, idle, median(delays), max(delays)]


async def _settle(process: int) -> None:
    """Wait until what is done once, at the start of the server or of a stream, is over."""
    async with asyncio.timeout(SETTLES_WITHIN_SECONDS):
        while await _percent(process, 2) > SETTLED_PERCENT:
            pass


async def _percent(process: int, seconds: float) -> float:
    began, spent = time.perf_counter(), processor_seconds(process)
    await asyncio.sleep(seconds)
    return (processor_seconds(process) - spent) / (time.perf_counter() - began) * 100


async def _delay(
    client: httpx2.AsyncClient, secret: str, account: str, events: asyncio.StreamReader, number: int
) -> float:
    """Send a call, and return how many milliseconds after its answer the event came."""
    call = {
        "eventId": f"e-{number}",
        "account": account,
        "startedAt": (datetime.now(UTC) - timedelta(seconds=1)).isoformat(timespec="seconds"),
        "scriptSeconds": 60,
        "recordingSeconds": 90,
    }
    answer = await client.post("/ingest/calls", json=[call], headers={"authorization": f"Bearer {secret}"})
    if answer.status_code != httpx2.codes.OK or answer.json()["results"][0]["outcome"] != "ACCEPTED":
        raise RuntimeError(answer.text)
    began = time.perf_counter()
    await _next_event(events)
    delay = (time.perf_counter() - began) * 1_000
    await asyncio.sleep(1)
    return delay


@asynccontextmanager
async def _stream(address: str, token: str, body: bytes) -> AsyncIterator[asyncio.StreamReader]:
    """Open a stream over a plain socket: 500 clients of a library would take the processor from the server."""
    host, port = address.removeprefix("http://").split(":")
    lines = (
        "POST /graphql HTTP/1.1",
        f"host: {host}:{port}",
        "accept: text/event-stream",
        "content-type: application/json",
        f"authorization: Bearer {token}",
        f"content-length: {len(body)}",
        "",
        "",
    )
    reader, writer = await asyncio.open_connection(host, int(port), limit=2**20)
    writer.write("\r\n".join(lines).encode() + body)
    try:
        yield reader
    finally:
        writer.close()


async def _next_event(reader: asyncio.StreamReader) -> None:
    async with asyncio.timeout(60):
        while not (line := await reader.readline()).startswith(b"data: "):
            if not line:
                raise RuntimeError("a stream has ended")
    if b'"errors"' in line:
        raise RuntimeError(line.decode())


def _settings(data: Path, url: str) -> Settings:
    return read_settings(data=data, allowed_hosts=("127.0.0.1",), database_url=url or None)


async def _prepare(settings: Settings, accounts: Sequence[str]) -> str:
    """Make the accounts, each with a first invoice and one person, and return an ingest key."""
    await asyncio.to_thread(upgrade, settings.database)
    around = open_surroundings(settings)
    await load_catalogue(around.services, actor="bench")
    first = billing_date(datetime.now(UTC)).replace(day=1)
    for name in accounts:
        member = Member(name, f"{name.lower()}@example.com", "User", Role.ADMIN)
        particulars = AccountParticulars(name, name, "100", None, first, (member,))
        await put_account(around.services, particulars=particulars, actor="bench")
    await close_periods(around.services)
    await collect_due(around.services)
    key = await create_key(around.services, purpose=KeyPurpose.INGEST, name="bench", source="bench", actor="bench")
    await around.close()
    return key.secret


if __name__ == "__main__":
    {"serve": serve}.get(sys.argv[1], main)(*sys.argv[2 if sys.argv[1] == "serve" else 1 :])
