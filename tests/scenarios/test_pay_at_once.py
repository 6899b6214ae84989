"""Fifty presses of one button at two servers at once: one capture, and everybody is told the truth (rule 31)."""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
from pathlib import Path
from typing import Any

from app.domain.invoice_drafts import InvoiceStatus
from tests.scenarios import server_run
from tests.scenarios.server_run import Caller
from tests.till import VISA, Till

PRESSES = 25

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([server_run.__name__])


async def test_fifty_payments_of_one_invoice_are_one_capture(till: Till, tmp_path: Path):
    """The servers do not collect by themselves now: the invoice was declined and waits for another day."""
    await till.world.add_account()
    till.gateway.force(await till.add_card(VISA), "2001", times=1)
    await till.world.close_now()
    await till.collect()
    (invoice,) = await till.world.issued()
    assert invoice.status is InvoiceStatus.OPEN
    processes, ports = serve_from_two(tmp_path, till)
    try:
        answers = await press(tmp_path, ports, invoice.id)
    finally:
        codes = await asyncio.to_thread(server_run.ended, processes)
    assert codes == [-signal.SIGTERM] * 2
    kinds = [answer["__typename"] for answer in answers]
    assert len(kinds) == 2 * PRESSES
    assert set(kinds) <= {"InvoicePaid", "NothingToPay"}
    assert "InvoicePaid" in kinds
    assert (await till.world.issued())[0].status is InvoiceStatus.PAID
    assert sorted(order["captures"] for order in till.gateway.ledger().values()) == [0, 1]
    assert await till.disagreements() == []
    assert await till.world.differences() == []


def serve_from_two(folder: Path, till: Till) -> tuple[list[Any], list[int]]:
    """Two servers of one database, and their ports."""
    processes, pipes = [], []
    for _ in range(2):
        ours, theirs = PROCESSES.Pipe()
        config = till.gateway.config(money_timeout=(5.0, 5.0))
        arguments = (folder, till.world.clock.now(), config, server_run.NEVER, theirs)
        processes.append(PROCESSES.Process(target=server_run.run, args=arguments))
        processes[-1].start()
        theirs.close()
        pipes.append(ours)
    return processes, [pipe.recv() for pipe in pipes]


async def press(folder: Path, ports: list[int], invoice_id: str) -> list[dict[str, Any]]:
    """Press as often at each server, all at once, with a key for each press."""
    async with Caller(folder, ports[0]) as one, Caller(folder, ports[1]) as other:
        return await asyncio.gather(
            *(
                portal.ask("InvoicePay", invoiceId=invoice_id, idempotencyKey=f"{name}/{number}")
                for name, portal in (("one", one), ("other", other))
                for number in range(PRESSES)
            )
        )
