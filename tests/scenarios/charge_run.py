"""Whoever collects, and whoever gives credit, as processes of their own: each does what it is told at a moment told."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime
from multiprocessing.connection import Connection
from typing import NamedTuple

from app.domain.plan_changes import When
from app.gateways.braintree import BraintreePayments
from app.gateways.braintree_config import BraintreeConfig
from app.gateways.clock import SystemClock
from app.gateways.ids import RandomIds
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.adjustments.credit_note import issue_credit_note
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.common.services import Services
from app.services.common.staff_actions import ChargeUnderWay
from app.services.payments.collect_due import collect_due
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import Quote, QuoteSigner, QuoteStale
from tests.services.staff import WHY, by_ann
from tests.world import SECRET, SettableClock

DONE, UNDER_WAY = "done", "under way"


class Job(NamedTuple):
    """What to do for an account, at which moment of the machine's own clock, and what time it is in the story.

    `cents` of line 1 of an invoice are what a note gives back.
    """

    what: str
    account: str
    now: datetime
    moment: float = 0.0
    invoice: int = 0
    cents: int = 0


async def collect(around: Services, job: Job) -> str:
    """Collect what is due."""
    await until(job)
    await collect_due(around)
    return DONE


async def downgrade(around: Services, job: Job) -> str:
    """Move the month to Economy, as it was shown before."""
    signer = QuoteSigner(SECRET.decode(), around.clock, around.ids)
    quote = await show_economy(around, job, signer)
    await until(job)
    while True:
        try:
            await change_plan(
                around,
                Caller(job.account, "user:test"),
                signer=signer,
                quote_token=quote.token,
                idempotency_key=f"press/{job.account}",
            )
        except QuoteStale:
            quote = await show_economy(around, job, signer)
        else:
            return DONE


async def show_economy(around: Services, job: Job, signer: QuoteSigner) -> Quote:
    snapshot = await unit_of_work.read(around.database, lambda uow: load_snapshot(uow, job.account, job.now))
    economy = snapshot.catalogue.get("economy", snapshot.today)
    return preview_plan_change(snapshot, economy.id, When.NOW, signer).quote


async def note(around: Services, job: Job) -> str:
    """Write a credit note; it is refused while the invoice is being charged."""
    await until(job)
    try:
        await issue_credit_note(
            around,
            by_ann(job.account),
            invoice_number=job.invoice,
            cents_by_line={1: job.cents},
            reference=f"note/{job.account}",
            **WHY,
        )
    except ChargeUnderWay:
        return UNDER_WAY
    return DONE


WORK = {"collect": collect, "downgrade": downgrade, "note": note}


async def until(job: Job) -> None:
    await asyncio.sleep(max(0.0, job.moment - time.monotonic()))


async def do(around: Services, job: Job) -> str:
    """Do one job, at its time in the story."""
    around.clock.instant = job.now
    return await WORK[job.what](around, job)


def run(url: str, config: BraintreeConfig, jobs: Connection) -> None:
    """Do one job after the other until there are no more, and say what became of each."""
    asyncio.run(_run(url, config, jobs))


async def _run(url: str, config: BraintreeConfig, jobs: Connection) -> None:
    database, payments = Database.open(url), BraintreePayments(config)
    clock = SettableClock(datetime.min)  # noqa: DTZ901  (each job brings its own time)
    around = Services(database, clock, RandomIds(), payments, SystemClock())
    try:
        while (job := await asyncio.to_thread(jobs.recv)) is not None:
            jobs.send(await do(around, job))
    finally:
        await payments.aclose()
        await database.close()
