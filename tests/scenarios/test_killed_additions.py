"""Killed with -9 at every step of adding a card: afterwards the vault has what is on file, and no more (rules 29, 42).

The gateway lives on. Whoever comes next goes on from the rows, and the same press of the button gets one answer.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from app.domain.payment_gateway import GatewayUnavailable
from app.repositories.database import Database
from app.services.payment_methods.add_payment_method import VerificationExpired
from app.services.payment_methods.payment_method_changes import PaymentMethodNotFound
from app.services.payment_methods.settle_vault import next_vault_task_at
from tests.database import copied_database
from tests.scenarios import vault_run
from tests.till import AMEX, VISA, Till
from tests.wallet import Wallet
from tests.world import World

MOST_STEPS = 60
PRESSES = {"one step": vault_run.renew, "two steps": vault_run.verify_and_renew}

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([vault_run.__name__])


async def live_on(wallet: Wallet) -> None:
    """Two hours go by, each task at its time."""
    clock, end = wallet.world.clock, wallet.world.clock.now() + timedelta(hours=2)
    while (due_at := await next_vault_task_at(wallet.world.services)) is not None and due_at <= end:
        clock.instant = max(clock.instant, due_at)
        await wallet.sweep()
    clock.instant = end


async def told(wallet: Wallet, first: str, press) -> None:
    """What must be true however it ended, also after the button is pressed again."""
    for _ in range(2):
        on_file = await wallet.on_file()
        assert len(on_file) == 1
        assert await wallet.in_vault() == {on_file[0]: True}
        assert await next_vault_task_at(wallet.world.services) is None
        consents = {row["method_id"]: row["revoked_at"] is None for row in await wallet.rows("payment_consent")}
        assert [method for method, is_good in consents.items() if is_good] == on_file
        try:
            added = await press(wallet.world.services, first)
            assert await wallet.on_file() == [added.method.id]
        except (GatewayUnavailable, PaymentMethodNotFound, VerificationExpired):
            assert await wallet.on_file() == on_file
        await live_on(wallet)


@pytest.mark.parametrize("story", PRESSES)
async def test_killed_at_every_step(migrated_file: Path, tmp_path: Path, gateway, story):
    outcomes = set()
    for dies_at in range(1, MOST_STEPS):
        gateway.server.gateway.reset()
        folder = tmp_path / str(dies_at)
        folder.mkdir()
        async with copied_database(migrated_file, folder) as database:
            wallet = Wallet(Till(await World.create(database, payments=gateway.payments()), gateway))
            await wallet.world.add_account()
            first = await wallet.add(VISA)
            await wallet.sweep()
            if story == "two steps":
                await wallet.verify(AMEX)
            steps = await asyncio.to_thread(tell, database, gateway, wallet.world.clock.now(), (story, first), dies_at)
            await live_on(wallet)
            outcomes.add(await wallet.on_file() == [first])
            await told(wallet, first, PRESSES[story])
        if steps is not None:
            assert dies_at == steps + 1
            assert outcomes == {True, False}
            return
    pytest.fail("the story never came to its end")


def tell(database: Database, gateway, now, story: tuple[str, str], dies_at: int) -> int | None:
    """Tell the story in a process of its own; the number of its steps, or None when it was killed."""
    ours, theirs = PROCESSES.Pipe()
    url = f"sqlite+aiosqlite:///{database._url.database}"
    arguments = (url, now, gateway.config(), story, dies_at, theirs)
    process = PROCESSES.Process(target=vault_run.run, args=arguments)
    process.start()
    theirs.close()
    process.join()
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return ours.recv()
