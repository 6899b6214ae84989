"""The server itself killed with -9 at every step of a request with money in it; the gateway lives on (rules 29 and 31).

Whoever comes next goes on from the rows, and invoices, attempts, cards on file and the gateway's ledger agree.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

from app.domain.agreements import PAYMENT_AGREEMENT
from tests.database import copied_database
from tests.scenarios import server_run
from tests.scenarios.server_run import Caller
from tests.scenarios.test_killed_additions import live_on as live_on_with_vault
from tests.scenarios.test_killed_payments import NOW, live_on, prepare, told
from tests.till import MASTERCARD, VISA, Till
from tests.wallet import Wallet
from tests.world import World

FEWEST_STEPS, MOST_STEPS = 6, 60

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([server_run.__name__])


async def change_plan(portal: Caller) -> dict[str, Any]:
    quote = await portal.ask("PlanChangePreview", planId="plan_220_2020", when="NOW")
    return await portal.ask("PlanChangeConfirm", quoteId=quote["id"], idempotencyKey="press-1")


async def add_method(portal: Caller) -> dict[str, Any]:
    return await portal.ask(
        "PaymentMethodAdd",
        idempotencyKey="another-card",
        nonce=MASTERCARD,
        authorize=True,
        agreementVersion=PAYMENT_AGREEMENT.version,
        makeDefault=True,
    )


async def test_killed_at_every_step_of_a_charge(migrated_file: Path, tmp_path: Path, gateway):
    for dies_at in range(1, MOST_STEPS):
        gateway.server.gateway.reset()
        folder = tmp_path / str(dies_at)
        folder.mkdir()
        async with copied_database(migrated_file, folder) as database:
            till = Till(await World.create(database, payments=gateway.payments()), gateway)
            await prepare(till, "upgrade")
            before = set(gateway.ledger())
            answer = await serve(folder, till, dies_at, change_plan)
            await live_on(database, gateway, NOW)
            await told(database, gateway, "upgrade", set())
            if answer is not None:
                assert answer["__typename"] == "PlanChanged"
                assert set(gateway.ledger()) > before
                assert dies_at > FEWEST_STEPS
                return
    pytest.fail("the request never came to its end")


async def test_killed_at_every_step_of_adding_a_card(migrated_file: Path, tmp_path: Path, gateway):
    for dies_at in range(1, MOST_STEPS):
        gateway.server.gateway.reset()
        folder = tmp_path / str(dies_at)
        folder.mkdir()
        async with copied_database(migrated_file, folder) as database:
            wallet = Wallet(Till(await World.create(database, payments=gateway.payments()), gateway))
            await wallet.world.add_account()
            first = await wallet.add(VISA)
            await wallet.sweep()
            answer = await serve(folder, wallet.till, dies_at, add_method)
            await live_on_with_vault(wallet)
            on_file = await wallet.on_file()
            assert await wallet.in_vault() == {method: method == on_file[0] for method in on_file}
            assert len(on_file) <= 2
            assert first in on_file
            if answer is not None:
                assert answer["__typename"] == "PaymentMethodAdded"
                assert on_file == [answer["paymentMethod"]["id"], first]
                assert dies_at > FEWEST_STEPS
                return
    pytest.fail("the request never came to its end")


async def serve(
    folder: Path, till: Till, dies_at: int, story: Callable[[Caller], Awaitable[dict[str, Any]]]
) -> dict[str, Any] | None:
    """Tell a story to a server of its own; the last answer, or None when the server was killed."""
    ours, theirs = PROCESSES.Pipe()
    arguments = (folder, till.world.clock.now(), till.gateway.config(), dies_at, theirs)
    process = PROCESSES.Process(target=server_run.run, args=arguments)
    process.start()
    theirs.close()
    answer = None
    async with Caller(folder, await asyncio.to_thread(ours.recv)) as portal:
        with suppress(httpx2.TransportError):
            answer = await story(portal)
    (code,) = await asyncio.to_thread(server_run.ended, [process])
    assert code in {-signal.SIGKILL, -signal.SIGTERM}
    return None if code == -signal.SIGKILL else answer
