"""The process behind the gateway bench: a page is asked for while the payment gateway is idle, and while it hangs.

Prints the 99th percentile of both in milliseconds, as JSON. Charges of every kind hang meanwhile: more than the gateway
has slots for, started by the collection of due invoices and by a customer who waits.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from app.domain.accounts import Role
from app.domain.payment_gateway import AnswerKind, Customer, VaultRequest
from app.domain.periods import billing_date
from app.main import build
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.sandbox.braintree_gateway.process import ask_gateway, stop_gateway
from app.sandbox.tokens import SandboxTokens
from app.services.cycle.close_periods import close_periods
from app.services.payments.collect_due import collect_due
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.settings import read_settings
from app.surroundings import open_surroundings
from scripts.bench.cards import put_on_file

if TYPE_CHECKING:
    from app.surroundings import Surroundings

ACCOUNTS = 24
HANGS_SECONDS = 60
QUERY = "{ billingSummary { openBalance { amount } nextInvoice { total { amount } } currentPlan { code } } }"
WARM_UP = 50


def main(folder: str, asks: str) -> None:
    """Run both phases and print what they took."""
    data = Path(folder)
    try:
        print(json.dumps(asyncio.run(_run(data, int(asks)))))
        sys.stdout.flush()
    finally:
        stop_gateway(data)
    os._exit(0)  # the charges still hang, and nobody waits for them


async def _run(data: Path, asks: int) -> tuple[float, float]:
    settings = read_settings(data=data, allowed_hosts=("bench.test",), rate_limits_url="off")
    await asyncio.to_thread(upgrade, settings.database)
    around = open_surroundings(settings)
    await _prepare(around)
    token = SandboxTokens.open(data).sign(subject="user", account="GG0000")
    transport = httpx2.ASGITransport(app=build(around))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(transport=transport, base_url="http://bench.test", headers=headers) as client:
        await _percentile(client, WARM_UP)
        idle = await _percentile(client, asks)
        fault = {"match": "sale", "when": "before", "action": "hang", "seconds": HANGS_SECONDS, "times": 1_000}
        ask_gateway(data, "faults", faults=[fault])
        hanging = asyncio.create_task(collect_due(around.services))
        await asyncio.sleep(1)
        hung = await _percentile(client, asks)
        if hanging.done():
            raise RuntimeError("The charges did not hang.")
    return idle, hung


async def _percentile(client: httpx2.AsyncClient, asks: int) -> float:
    taken = []
    for _ in range(asks):
        began = time.perf_counter()
        answer = await client.post("/graphql", json={"query": QUERY})
        taken.append(time.perf_counter() - began)
        if answer.json().get("errors"):
            raise RuntimeError(answer.text)
    return sorted(taken)[int(len(taken) * 0.99)] * 1_000


async def _prepare(around: Surroundings) -> None:
    """Accounts with an open invoice and a card each."""
    await load_catalogue(around.services, actor="bench")
    member = Member("user", "user@example.com", "User", Role.ADMIN)
    today = billing_date(datetime.now(UTC))
    for number in range(ACCOUNTS):
        name = f"GG{number:04d}"
        since = date(today.year, today.month, 1)
        await put_account(
            around.services, particulars=AccountParticulars(name, name, "100", None, since, (member,)), actor="bench"
        )
        await _add_card(around, name)
    await close_periods(around.services)


async def _add_card(around: Surroundings, account: str) -> None:
    owner = await unit_of_work.read(around.database, lambda uow: uow.accounts.get_by_external_id(account))
    method_id = around.ids.new("pm")
    request = VaultRequest(Customer(owner.id, owner.name), method_id, "fake-valid-visa-nonce")
    answer = await around.payments.vault(request)
    if answer.kind is not AnswerKind.DONE or answer.method is None:
        raise RuntimeError(f"The card was not kept: {answer.reason}")
    await put_on_file(around.services, owner.id, method_id, answer.method)


if __name__ == "__main__":
    main(*sys.argv[1:])
