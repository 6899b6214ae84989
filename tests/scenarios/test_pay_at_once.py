"""Fifty presses of one button from two processes at once: one capture, and everybody is told the truth (rule 31)."""

from __future__ import annotations

import asyncio
import multiprocessing
from pathlib import Path

from app.domain.invoices import InvoiceStatus
from tests.scenarios import payment_run
from tests.till import Till

PRESSES = 25

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([payment_run.__name__])


async def test_fifty_payments_of_one_invoice_are_one_capture(till: Till):
    await till.world.add_account()
    await till.add_card()
    await till.world.close_now()
    (invoice,) = await till.world.issued()
    url = f"sqlite+aiosqlite:///{Path(str(till.world.database._url.database))}"
    now, config = till.world.clock.now(), till.gateway.config(money_timeout=(5.0, 5.0))

    def press_from_two() -> list[str]:
        pipes, processes = [], []
        for _ in range(2):
            ours, theirs = PROCESSES.Pipe()
            arguments = (url, now, config, invoice.id, PRESSES, theirs)
            processes.append(PROCESSES.Process(target=payment_run.run_presses, args=arguments))
            processes[-1].start()
            pipes.append(ours)
        assert [pipe.recv() for pipe in pipes] == ["ready"] * 2
        for pipe in pipes:
            pipe.send("go")
        outcomes = [outcome for pipe in pipes for outcome in pipe.recv()]
        for process in processes:
            process.join()
        return outcomes

    outcomes = await asyncio.to_thread(press_from_two)
    assert len(outcomes) == 2 * PRESSES
    assert set(outcomes) <= {"APPLIED", "PAID_BEFORE", "PAYMENT_PENDING"}
    assert "APPLIED" in outcomes
    assert (await till.world.issued())[0].status is InvoiceStatus.PAID
    assert [order["captures"] for order in till.gateway.ledger().values()] == [1]
    assert await till.disagreements() == []
    assert await till.world.differences() == []
