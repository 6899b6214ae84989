"""Something with money in it as a process of its own that kills itself with -9 at one of its steps.

A step is the moment before or after a transaction, and before or after a call of the payment gateway.
"""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime
from multiprocessing.connection import Connection
from typing import Any

from app.domain.plan_changes import When
from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.clock import SystemClock
from app.gateways.ids import RandomIds
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.payments.collect_due import collect_due
from app.services.payments.pay_invoice import pay_open_balance
from app.services.payments.payment_runner import PaymentRunner
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner
from tests.world import ACCOUNT, SECRET, SettableClock

CALLS = {"charge", "vault", "find_by_order", "find_method", "make_default", "remove_method", "void", "refund"}


class Steps:
    """Counts steps, and ends the process at the one that was chosen: the way a power cut does."""

    def __init__(self, dies_at: int) -> None:
        self.dies_at = dies_at
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, work):
        async def counted(*args: Any, **options: Any) -> Any:
            self.step()
            result = await work(*args, **options)
            self.step()
            return result

        return counted


class Stepping:
    """A payment gateway whose calls are steps."""

    def __init__(self, payments: BraintreePayments, steps: Steps) -> None:
        self._payments = payments
        self._steps = steps

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._payments, name)
        return self._steps.around(found) if name in CALLS else found


async def collect(around: Services) -> None:
    """Collect what is due."""
    await collect_due(around)


async def upgrade(around: Services) -> None:
    """Change the plan to 220 at once."""
    signer = QuoteSigner(SECRET.decode(), around.clock, around.ids)
    snapshot = await unit_of_work.read(around.database, lambda uow: load_snapshot(uow, ACCOUNT, around.clock.now()))
    target = snapshot.catalogue.get("220", snapshot.today)
    quote = preview_plan_change(snapshot, target.id, When.NOW, signer).quote
    await change_plan(
        around,
        Caller(ACCOUNT, "user:test"),
        signer=signer,
        payment_runner=PaymentRunner(around),
        quote_token=quote.token,
        idempotency_key="press-1",
    )


async def pay(around: Services) -> None:
    """Pay all that is open."""
    await pay_open_balance(
        around, Caller(ACCOUNT, "user:test"), payment_runner=PaymentRunner(around), idempotency_key="press-1"
    )


STORIES = {"collect": collect, "upgrade": upgrade, "pay": pay}


def run(url: str, now: datetime, config: BraintreeConfig, story: str, dies_at: int, parent: Connection) -> None:
    """Tell a story, and the parent how many steps it had, unless it ends before."""
    parent.send(asyncio.run(_run(url, now, config, story, dies_at)))


async def _run(url: str, now: datetime, config: BraintreeConfig, story: str, dies_at: int) -> int:
    steps = Steps(dies_at)
    database = Database.open(url)
    database.run_tx = steps.around(database.run_tx)
    payments = BraintreePayments(config)
    try:
        around = Services(database, SettableClock(now), RandomIds(), Stepping(payments, steps), SystemClock())
        await STORIES[story](around)
        return steps.count
    finally:
        await payments.aclose()
        await database.close()
