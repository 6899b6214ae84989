"""The embedded ticker: loops in the server that close months and collect invoices as soon as they are due, whatever
went wrong before.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from app.graphql.failures import log_unexpected
from app.repositories import unit_of_work
from app.services.adjustments.refund_steps import settle_refunds
from app.services.cycle.close_periods import close_periods
from app.services.invoices.settle_credit import settle_waiting_credit
from app.services.operations.process_webhook_events import process_webhook_events
from app.services.operations.sweep_gateway import sweep_if_due
from app.services.payment_methods.settle_vault import next_vault_task_at, run_vault_tasks
from app.services.payments.collect_due import collect_due, next_collection_at
from app.services.plans.upgrade_plans import upgrade_plans

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.repositories.database import Database
    from app.services.common.services import Services

log = structlog.get_logger("ticker")

LONGEST_PAUSE_SECONDS = 60.0
STOPS_WITHIN_SECONDS = 1.0


class Ticker:
    """Runs a round again and again: at once while there is work, else every `interval_seconds`.

    A round that fails is logged once, until the ticker is well again or fails differently, and is tried again after
    pauses that double up to a minute. Everything here goes by real time; what is due goes by the clock of the round.
    """

    def __init__(
        self,
        round_: Callable[[Callable[[], None]], Awaitable[None]],
        *,
        interval_seconds: float,
        name: str = "ticker",
        real_time: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._round = round_
        self._interval = interval_seconds
        self._real_time = real_time
        self._alive_at = real_time()
        self._failures = 0
        self._failed_as: str | None = None
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def lag_seconds(self) -> float:
        """How long ago the ticker should have finished a round, or a part of one; zero when it is in time."""
        return max(0.0, self._real_time() - self._alive_at - self._interval)

    def start(self) -> None:
        """Begin, in the running event loop."""
        self._mark_alive()
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """End after the round that is under way, or in the midst of it when that takes longer than a second: a
        transaction that is cut off has not happened, and the next start goes on from there.
        """
        self._stopping.set()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=STOPS_WITHIN_SECONDS)
        if late:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def tick(self) -> float:
        """Run one round and return how many seconds to wait until the next."""
        try:
            await self._round(self._mark_alive)
        except Exception as error:  # noqa: BLE001  the loop outlives whatever a round dies of
            return self._failed(error)
        if self._failures:
            log.info("ticker well again", ticker=self._name, failed_rounds=self._failures)
        self._failures, self._failed_as = 0, None
        self._mark_alive()
        return self._interval

    async def _run(self) -> None:
        while not self._stopping.is_set():
            pause = await self.tick()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)

    def _failed(self, error: Exception) -> float:
        kind = f"{type(error).__module__}.{type(error).__qualname__}"
        if kind != self._failed_as:
            log_unexpected(f"{self._name} round failed", error)
        self._failed_as = kind
        self._failures += 1
        return float(min(self._interval * 2 ** min(self._failures, 16), LONGEST_PAUSE_SECONDS))

    def _mark_alive(self) -> None:
        self._alive_at = self._real_time()


def closing_round(services: Services) -> Callable[[Callable[[], None]], Awaitable[None]]:
    """Return the round that issues what is due, and upgrades what has outgrown its plan (rules 12, 19).

    The first round also lets credit pay that an earlier release left beside open invoices. A look that finds nothing
    to do writes nothing.
    """
    is_first = True

    async def run(mark_alive: Callable[[], None]) -> None:
        nonlocal is_first
        if is_first:
            await settle_waiting_credit(services)
            is_first = False
        due_at = await next_due_at(services.database)
        if due_at is not None and due_at <= services.clock.now():
            issued = await close_periods(services, on_progress=lambda _count: mark_alive())
            if issued:
                log.info("invoices issued", count=issued)
        if await unit_of_work.read(services.database, lambda uow: uow.cycles.has_unchecked()):
            upgraded = await upgrade_plans(services)
            if upgraded:
                log.info("plans upgraded", count=upgraded)

    return run


def payments_round(services: Services) -> Callable[[Callable[[], None]], Awaitable[None]]:
    """Return the round of everything between us and the payment gateway: methods, charges, refunds, notices, the sweep.

    It waits for the gateway, so it ticks by itself. A look that finds nothing to do writes nothing.
    """

    async def run(mark_alive: Callable[[], None]) -> None:
        def on_progress(_count: int) -> None:
            mark_alive()

        for next_at, work, what in (
            (next_vault_task_at, run_vault_tasks, "methods settled at the vault"),
            (next_collection_at, collect_due, "invoices collected"),
        ):
            due_at = await next_at(services)
            if due_at is not None and due_at <= services.clock.now():
                log.info(what, count=await work(services, on_progress=on_progress))
        for tidy, what in ((settle_refunds, "refunds settled"), (process_webhook_events, "notices dealt with")):
            if count := await tidy(services):
                log.info(what, count=count)
            mark_alive()
        await sweep_if_due(services)

    return run


async def next_due_at(database: Database) -> datetime | None:
    """Return when the next cycle invoice falls due, or the longest overdue one did; None without accounts."""
    return await unit_of_work.read(database, lambda uow: uow.cycles.oldest_due_at())
