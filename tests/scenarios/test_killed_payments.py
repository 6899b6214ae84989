"""Killed with -9 at every step of a charge: afterwards invoices, attempts and the gateway's ledger agree (rule 31).

The gateway lives on. Whoever comes next, when the lease is over, goes on from the rows.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import shutil
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.gateways.ids import RandomIds
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.operations.verify import verify
from app.services.payments.collect_due import collect_due, next_collection_at
from tests.database import copied_database
from tests.scenarios import payment_run
from tests.till import MASTERCARD, VISA, Till, compare
from tests.world import ACCOUNT, SettableClock, World, pacific

NOW = pacific(2026, 7, 10, 12)
MOST_STEPS = 60

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([payment_run.__name__])


async def prepare(till: Till, story: str) -> None:
    """July's invoice: paid before an upgrade, open otherwise; the default declines for good, and a back-up pays."""
    await till.world.add_account()
    visa = await till.add_card(VISA)
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    if story == "upgrade":
        await till.collect()
    till.world.clock.instant = NOW
    till.gateway.force(visa, "2005")


async def live_on(database: Database, gateway, now: datetime) -> None:
    """The next process: the leases of the dead one are over, and half an hour goes by."""
    clock = SettableClock(now)
    after_leases = SettableClock(datetime.now(UTC) + timedelta(minutes=10))
    around = Services(database, clock, RandomIds(), gateway.payments(), after_leases)
    while (due_at := await next_collection_at(around)) is not None and due_at <= now + timedelta(minutes=30):
        clock.instant = max(clock.instant, due_at)
        await collect_due(around)


async def told(database: Database, gateway, story: str, seen: set[str]) -> None:
    """What must be true however the story ended."""
    ledger = {order: entry for order, entry in gateway.ledger().items() if order not in seen}
    assert await compare(database, ledger) == []
    assert [difference async for difference in verify(database=database)] == []

    async def read(uow):
        owner = await uow.accounts.get_by_external_id(ACCOUNT)
        plans = await uow.cycles.plans(owner.id)
        return owner, await uow.invoices.list_for_account(owner.id), next(iter(plans.values())).code

    owner, invoices, plan = await unit_of_work.read(database, read)
    captured = sum(entry["captured_cents"] for entry in ledger.values())
    if story == "upgrade":
        changes = [invoice for invoice in invoices if invoice.kind is InvoiceKind.PLAN_CHANGE]
        assert [invoice.status for invoice in changes] == [InvoiceStatus.PAID] * len(changes)
        assert (captured, plan) in {(139_00, "100"), (239_00, "220")}
        assert (owner.plan_version_id == "plan_220_2020") == (plan == "220") == bool(changes)
    else:
        assert [invoice.status for invoice in invoices] == [InvoiceStatus.PAID]
        assert captured == 139_00


@pytest.mark.parametrize("story", payment_run.STORIES)
async def test_killed_at_every_step(migrated_file: Path, tmp_path: Path, gateway, story):
    async with copied_database(migrated_file, tmp_path) as database:
        till = Till(await World.create(database, payments=gateway.payments()), gateway)
        await prepare(till, story)
        path = Path(str(database._url.database))
    at_first, of_other_copies = set(gateway.ledger()), set()
    for dies_at in range(1, MOST_STEPS):
        copy = tmp_path / f"{dies_at}.db"
        shutil.copyfile(path, copy)
        url = f"sqlite+aiosqlite:///{copy}"
        steps = await asyncio.to_thread(tell, url, gateway, story, dies_at)
        database = Database.open(url)
        try:
            await live_on(database, gateway, NOW)
            await told(database, gateway, story, of_other_copies)
        finally:
            await database.close()
        of_other_copies |= set(gateway.ledger()) - at_first
        if steps is not None:
            assert dies_at == steps + 1
            return
    pytest.fail("the story never came to its end")


def tell(url: str, gateway, story: str, dies_at: int) -> int | None:
    """Tell the story in a process of its own; the number of its steps, or None when it was killed."""
    ours, theirs = PROCESSES.Pipe()
    process = PROCESSES.Process(target=payment_run.run, args=(url, NOW, gateway.config(), story, dies_at, theirs))
    process.start()
    theirs.close()
    process.join()
    if process.exitcode == -signal.SIGKILL:
        return None
    assert process.exitcode == 0
    return ours.recv()
