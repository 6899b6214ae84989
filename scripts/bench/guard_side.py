"""The processes behind the guard bench: a server, those who ask it for Summaries in turn, and one account that presses.

`main` prints as JSON, in milliseconds: the slowest Summary while nobody else asks, and while the account presses with
all that it may; and the server's processor time for a Summary with the guards on, and off.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import uvicorn

from app.domain.accounts import Role
from app.domain.periods import billing_date
from app.graphql.contract import read_contract
from app.http.logs import configure_logging
from app.main import build
from app.migrations.upgrade import upgrade
from app.sandbox.tokens import SandboxTokens
from app.services.cycle.close_periods import close_periods
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage.call_items import read_call_item
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.services.usage.record_calls import Item, record_calls
from app.settings import RATE_LIMITS_OFF, Settings, read_settings
from app.surroundings import open_surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CALM = tuple(f"CALM{number:03d}" for number in range(100))
"""They ask in turn, so that none of them meets a limit."""

PRESSING = "PRESSING"
CONNECTIONS = 16
SUMMARIES = 200
"""As many are asked for of which the slowest counts."""

CALLS = 200
TURNS = 5
"""So often the servers with and without limits are asked in turn."""

WARM_UP = 30
STARTS_WITHIN_SECONDS = 60
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def main(folder: str, asks: str) -> None:
    """Run all phases and print what they took."""
    data, count = Path(folder), int(asks)
    calm_accounts = CALM[: max(count // 2, 1)]
    asyncio.run(_prepare(_settings(data), calm_accounts))
    tokens = [_bearer(data, account) for account in calm_accounts]
    with _process("serve", folder, "memory://") as server, _process("serve", folder, RATE_LIMITS_OFF) as unguarded:
        address, other = read_address(server), read_address(unguarded)
        calm = max(asyncio.run(_ask(address, tokens, min(count, SUMMARIES))))
        with _process("press", folder, address):
            time.sleep(1)
            pressed = max(asyncio.run(_ask(address, tokens, min(count, SUMMARIES))))
        on = off = 0.0
        for _ in range(TURNS):
            on += _processor_time(server, address, tokens, count // TURNS)
            off += _processor_time(unguarded, other, tokens, count // TURNS)
    print(json.dumps([calm, pressed, on / TURNS, off / TURNS]))


def serve(folder: str, rate_limits_url: str) -> None:
    """Serve until a signal comes, and print the address."""
    configure_logging(50)
    application = build(open_surroundings(_settings(Path(folder), rate_limits_url)))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        config = uvicorn.Config(application, log_config=None, access_log=False, lifespan="on")
        uvicorn.Server(config).run(sockets=[listener])


def press(folder: str, address: str) -> None:
    """Ask for the dearest documents that are allowed from many connections, without a pause."""
    headers = _bearer(Path(folder), PRESSING)

    async def one(number: int) -> None:
        async with httpx2.AsyncClient(base_url=address, timeout=60, headers=headers) as client:
            for count in range(1_000_000):
                # Each document is new, so that the server remembers none of them.
                fields = " ".join(f"a{place}: calls(first: 100) {{ nodes {{ id startedAt }} }}" for place in range(10))
                await client.post("/graphql", json={"query": f"query Press{number}n{count} {{ {fields} }}"})

    async def all_at_once() -> None:
        await asyncio.gather(*(one(number) for number in range(CONNECTIONS)))

    asyncio.run(all_at_once())


def _settings(data: Path, rate_limits_url: str = RATE_LIMITS_OFF) -> Settings:
    return read_settings(data=data, allowed_hosts=("127.0.0.1",), rate_limits_url=rate_limits_url)


@contextmanager
def _process(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "scripts.bench.guard_side", *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()


def read_address(server: subprocess.Popen[str]) -> str:
    """Return the address that a server has printed."""
    if server.stdout is None:
        raise RuntimeError("the server says no address")
    return server.stdout.readline().strip()


def _processor_time(server: subprocess.Popen[str], address: str, tokens: Sequence[dict[str, str]], asks: int) -> float:
    began = processor_seconds(server.pid)
    asyncio.run(_ask(address, tokens, asks))
    return (processor_seconds(server.pid) - began) / (asks + WARM_UP) * 1_000


def processor_seconds(process: int) -> float:
    """Return the processor time that a process has taken so far, as the system counts it."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_A_SECOND


async def _ask(address: str, tokens: Sequence[dict[str, str]], asks: int) -> list[float]:
    operation, taken = read_contract().find("SummaryShow"), []
    body = {"query": operation.document if operation else ""}
    async with httpx2.AsyncClient(base_url=address, timeout=60) as client:
        for number in range(WARM_UP + asks):
            began = time.perf_counter()
            answer = await client.post("/graphql", json=body, headers=tokens[number % len(tokens)])
            taken.append((time.perf_counter() - began) * 1_000)
            if answer.status_code != 200 or answer.json().get("errors"):
                raise RuntimeError(answer.text)
    return taken[WARM_UP:]


def _bearer(data: Path, account: str) -> dict[str, str]:
    return {"authorization": f"Bearer {SandboxTokens.open(data).sign(subject='user', account=account)}"}


async def _prepare(settings: Settings, calm_accounts: Sequence[str]) -> None:
    await asyncio.to_thread(upgrade, settings.database)
    around = open_surroundings(settings)
    await load_catalogue(around.services, actor="bench")
    member = Member("user", "user@example.com", "User", Role.ADMIN)
    today = billing_date(datetime.now(UTC))
    for name in (*calm_accounts, PRESSING):
        particulars = AccountParticulars(name, name, "100", None, date(today.year, today.month, 1), (member,))
        await put_account(around.services, particulars=particulars, actor="bench")
    await close_periods(around.services)
    items = [Item(number, read_call_item(_call(number), "bench"), None) for number in range(CALLS)]
    await record_calls(around.services, source="bench", items=items, actor="bench")
    await around.close()


def _call(number: int) -> dict[str, str | int]:
    return {
        "eventId": f"e-{number}",
        "account": PRESSING,
        "startedAt": (datetime.now(UTC) - timedelta(seconds=1 + number)).isoformat(timespec="seconds"),
        "scriptSeconds": 60,
        "recordingSeconds": 90,
    }


if __name__ == "__main__":
    {"serve": serve, "press": press}.get(sys.argv[1], main)(*sys.argv[2 if sys.argv[1] in {"serve", "press"} else 1 :])
