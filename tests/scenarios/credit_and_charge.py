"""Credit that arises while an invoice is charged: one process collects, another gives credit at a random moment.

Sometimes the gateway is slow, declines or loses its answer, sometimes the collecting process is killed with -9; then
everything is run to its end, and the books have to be right. The database itself notes, by triggers of the test, what
was owed when a charge was planned, and whether one was under way when credit arose.

`python -m tests.scenarios.credit_and_charge --runs 200 --seed 1` is the long run; `--postgres` takes place there.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, Self

import typer
from rich.console import Console
from rich.progress import Progress
from sqlalchemy import text

from app.domain.collection import CollectionStatus
from app.gateways.ids import RandomIds
from app.migrations.upgrade import upgrade
from app.repositories.database import Database
from app.sandbox.braintree_gateway.server import GatewayServer
from app.services.common.services import Services
from app.services.cycle.close_periods import close_periods
from app.services.operations.verify import verify
from app.services.payment_methods.settle_vault import run_vault_tasks
from app.services.payments.collect_due import collect_due, next_collection_at
from app.services.plans.upgrade_plans import upgrade_plans
from tests.gateway import GatewayClock, LocalGateway
from tests.postgres import fresh_database, running_server
from tests.scenarios import charge_run
from tests.scenarios.charge_run import DONE, UNDER_WAY, Job
from tests.till import MASTERCARD, VISA, Till, compare
from tests.world import SettableClock, World, pacific

BEGINNING = pacific(2026, 8, 5, 12)
BETWEEN_RUNS = timedelta(minutes=40)
BASE, ECONOMY = 499_00, 39_00
JULY, AUGUST = 0, 1
SOFT = "2001"
FEWEST_MET = 0.3

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([charge_run.__name__])

MOVED = "coalesce(sum(CASE '{book}' WHEN debit THEN amount_cents WHEN credit THEN -amount_cents ELSE 0 END), 0)"
OPEN = "'PLANNED', 'SENT', 'UNKNOWN'"
SEE_CHARGE = f"""INSERT INTO seen_charge SELECT NEW.account_id, NEW.amount_cents,
    (SELECT {MOVED.format(book="RECEIVABLE")} FROM ledger_posting WHERE invoice_id = NEW.invoice_id),
    (SELECT -{MOVED.format(book="CUSTOMER_CREDIT")} FROM ledger_posting WHERE account_id = NEW.account_id);"""
SEE_CREDIT = f"""INSERT INTO seen_credit SELECT NEW.account_id, count(*) FROM payment_attempt
    WHERE account_id = NEW.account_id AND state IN ({OPEN}) AND NEW.kind = 'CREDIT_GRANTED' HAVING count(*) > 0;"""
SEEN = (
    "CREATE TABLE seen_charge (account_id TEXT, amount_cents INTEGER, balance_cents INTEGER, credit_cents INTEGER)",
    "CREATE TABLE seen_credit (account_id TEXT, under_way INTEGER)",
)
WATCHES = {"payment_attempt": SEE_CHARGE, "ledger_posting": SEE_CREDIT}


def watching(is_sqlite: bool) -> Iterator[str]:
    """The statements that let the database note what the test wants to know."""
    yield from SEEN
    for table, body in WATCHES.items():
        trigger = f"CREATE TRIGGER see_{table} AFTER INSERT ON {table} FOR EACH ROW"
        if is_sqlite:
            yield f"{trigger} BEGIN {body} END"
        else:
            function = f"CREATE FUNCTION see_{table}() RETURNS trigger LANGUAGE plpgsql AS"
            yield f"{function} $$ BEGIN {body} RETURN NULL; END $$"
            yield f"{trigger} EXECUTE FUNCTION see_{table}()"


class Worker:
    """A process that does jobs, and can be killed."""

    def __init__(self, url: str, gateway: LocalGateway) -> None:
        self.is_warm = False
        self._ours, theirs = PROCESSES.Pipe()
        self._process = PROCESSES.Process(target=charge_run.run, args=(url, gateway.config(), theirs))
        self._process.start()
        theirs.close()

    def give(self, job: Job) -> None:
        self._ours.send(job)

    async def result(self) -> str | None:
        """What became of the job; None when the process was killed."""
        try:
            said = await asyncio.to_thread(self._ours.recv)
        except (EOFError, ConnectionResetError):
            self._process.join()
            assert self._process.exitcode == -signal.SIGKILL
            return None
        self.is_warm = True
        return said

    def kill(self) -> None:
        os.kill(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        with suppress(OSError):  # it was killed
            self._ours.send(None)
        self._process.join()
        self._ours.close()


@dataclass(frozen=True)
class Weather:
    """What the gateway does with the next sale, for how many seconds it holds it up, and whether a bank declines."""

    name: str
    fault: dict[str, Any] | None = None
    seconds: float = 0.0
    declines: bool = False

    @classmethod
    def random(cls, random: Random) -> Weather:
        seconds = random.uniform(0.1, 0.6)
        slow = {"match": "sale", "action": "slow", "seconds": seconds}
        return random.choice(
            [
                cls("quick"),
                cls("slow to charge", {**slow, "when": "before"}, seconds),
                cls("slow to charge", {**slow, "when": "before"}, seconds),
                cls("slow to answer", {**slow, "when": "after"}, seconds),
                cls("slow to answer", {**slow, "when": "after"}, seconds),
                cls("declined, slowly", {**slow, "when": "after"}, seconds, declines=True),
                cls("declined, slowly", {**slow, "when": "after"}, seconds, declines=True),
                cls("answer lost", {"match": "sale", "action": "reset", "when": "after"}),
            ]
        )


@dataclass
class Race:
    """All runs in one database; each has an account of its own."""

    till: Till
    url: str
    seed: str
    told: Counter[str] = field(default_factory=Counter)
    takes: dict[bool, float] = field(default_factory=lambda: {True: 0.1, False: 0.5})

    def __post_init__(self) -> None:
        self.world = self.till.world
        self.database, self.gateway = self.world.database, self.till.gateway
        self.collector, self.clerk = self.worker(), self.worker()

    @classmethod
    @asynccontextmanager
    async def begin(cls, url: str, gateway: LocalGateway, seed: str) -> AsyncIterator[Self]:
        """A race in a migrated database without rows."""
        database = Database.open(url)
        try:

            async def watch(session: Any) -> None:
                connection = await session.connection()
                for statement in watching(connection.dialect.name == "sqlite"):
                    await connection.exec_driver_sql(statement)

            await database.run_tx(watch)
            world = await World.create(database, now=BEGINNING, payments=gateway.payments())
            race = cls(Till(world, gateway), url, seed)
            with closing(race.clerk), closing(race):
                yield race
        finally:
            await database.close()

    def close(self) -> None:
        self.collector.close()

    def worker(self) -> Worker:
        return Worker(self.url, self.gateway)

    async def run(self, number: int) -> None:
        """Let credit and charge of one more account meet, or miss each other, and check the books afterwards."""
        random = Random(f"{self.seed}/{number}")
        account = f"RC{number:04d}"
        self.world.clock.instant = now = BEGINNING + number * BETWEEN_RUNS
        numbers, card = await self.prepare(account)
        weather = Weather.random(random)
        self.gateway.faults(*filter(None, [weather.fault]))
        if weather.declines:
            self.gateway.force(card, SOFT, times=1)
        job = self.credit_job(random, account, numbers)

        outcome = await self.meet(random, weather, job)

        self.gateway.faults()
        if outcome == UNDER_WAY:
            await self.run_to_the_end(now)
            assert await charge_run.note(self.world.services, job._replace(moment=0.0)) == DONE
        await self.run_to_the_end(now)
        self.told[weather.name] += 1
        self.told[job.what if job.invoice != numbers[JULY] else "note over what is paid"] += 1
        self.told["met"] += outcome == UNDER_WAY or await self.was_under_way(account)
        await self.check(account, job, numbers)

    async def prepare(self, account: str) -> tuple[list[int], str]:
        """An account with a card and a back-up; July was paid by check, August is open and due to be charged."""
        await self.world.add_account(account, plan="500", paid_since_on=date(2026, 7, 1))
        await self.world.close_now()
        await self.world.pay(BASE, account=account)
        card = await self.till.add_card(VISA, account=account)
        await self.till.add_card(MASTERCARD, account=account)
        return [invoice.number for invoice in await self.world.issued(account)], card

    def credit_job(self, random: Random, account: str, numbers: list[int]) -> Job:
        """A downgrade; or a note over what is being charged, or over what was paid long ago."""
        job = Job("downgrade", account, self.world.clock.now())
        if random.random() < 0.5:
            return job
        cents = random.choice([BASE, random.randrange(1, BASE)])
        return job._replace(what="note", invoice=random.choice(numbers), cents=cents)

    async def meet(self, random: Random, weather: Weather, job: Job) -> str:
        """Collect, and give credit at a random moment meanwhile; now and then the collector is killed at another."""
        lasts = self.takes[self.collector.is_warm] + weather.seconds
        moment, dies_after = random.uniform(0, lasts), random.uniform(0, lasts) if random.random() < 0.3 else None
        begins_at, was_warm = time.monotonic() + 0.02, self.collector.is_warm
        self.clerk.give(job._replace(moment=begins_at + moment))
        self.collector.give(Job("collect", job.account, job.now, begins_at))
        if dies_after is not None:
            await asyncio.sleep(begins_at + dies_after - time.monotonic())
            self.collector.kill()
        await self.collector.result()
        if dies_after is not None:
            self.collector.close()
            self.collector = self.worker()
            self.told["killed"] += 1
            self.told["killed with a charge under way"] += await self.is_under_way(job.account)
        else:
            took = time.monotonic() - begins_at - weather.seconds
            self.takes[was_warm] = (self.takes[was_warm] + took) / 2
        outcome = await self.clerk.result()
        assert outcome is not None
        return outcome

    async def run_to_the_end(self, now: datetime) -> None:
        """What `run-due` does, again and again for half an hour; leases of the dead are over."""
        clock = SettableClock(now)
        after_leases = SettableClock(datetime.now(UTC) + timedelta(minutes=10))
        around = Services(self.database, clock, RandomIds(), self.world.services.payments, after_leases)
        await close_periods(around)
        await upgrade_plans(around)
        await run_vault_tasks(around)
        while (due_at := await next_collection_at(around)) is not None and due_at <= now + timedelta(minutes=30):
            clock.instant = max(clock.instant, due_at)
            await collect_due(around)
        self.world.clock.instant = clock.instant

    async def check(self, account: str, job: Job, numbers: list[int]) -> None:
        """No charge was planned above what was owed then, and money, what is billed and credit agree to the cent."""
        owner = await self.till.read(lambda uow: uow.accounts.get_by_external_id(account))
        charges = "SELECT amount_cents, balance_cents, credit_cents FROM seen_charge WHERE account_id = :account"
        for amount, balance, credit in await self.rows(charges, owner.id):
            assert 0 < amount <= balance - credit, (account, amount, balance, credit)
        attempts = "SELECT id FROM payment_attempt WHERE account_id = :account"
        orders = self.gateway.ledger()
        own = {order: orders[order] for (order,) in await self.rows(attempts, owner.id) if order in orders}
        captured = sum(order["captured_cents"] for order in own.values())
        given = BASE - ECONOMY if job.what == "downgrade" else job.cents
        billed = 2 * BASE - given
        moved = await self.moved(owner.id)
        assert moved["CASH"] == BASE + captured, account
        assert -moved["REVENUE"] == billed, account
        assert moved["RECEIVABLE"] == 0, account
        assert -moved["CUSTOMER_CREDIT"] == BASE + captured - billed, account
        statuses = "SELECT DISTINCT status FROM invoice WHERE account_id = :account"
        assert await self.rows(statuses, owner.id) == [("PAID",)]
        collections = "SELECT DISTINCT status FROM collection WHERE account_id = :account"
        assert await self.rows(collections, owner.id) == [(CollectionStatus.DONE,)]
        assert [each async for each in verify(database=self.database, account=account)] == []

    async def check_all(self) -> None:
        """The books of all accounts, and every order of the gateway's ledger."""
        assert await self.world.differences() == []
        assert await compare(self.database, self.gateway.ledger()) == []

    async def was_under_way(self, account: str) -> bool:
        """Whether a charge had no outcome yet when the credit arose."""
        return await self._count("SELECT count(*) FROM seen_credit WHERE account_id = :account", account)

    async def is_under_way(self, account: str) -> bool:
        counted = f"SELECT count(*) FROM payment_attempt WHERE account_id = :account AND state IN ({OPEN})"
        return await self._count(counted, account)

    async def _count(self, statement: str, account: str) -> bool:
        owner = await self.till.read(lambda uow: uow.accounts.get_by_external_id(account))
        ((count,),) = await self.rows(statement, owner.id)
        return count > 0

    async def moved(self, account_id: str) -> Counter[str]:
        """What stands in each book of the account."""
        moved: Counter[str] = Counter()
        statement = "SELECT debit, credit, amount_cents FROM ledger_posting WHERE account_id = :account"
        for debit, credit, cents in await self.rows(statement, account_id):
            moved[debit] += cents
            moved[credit] -= cents
        return moved

    async def rows(self, statement: str, account_id: str) -> list[tuple[Any, ...]]:
        async def find(session: Any) -> list[tuple[Any, ...]]:
            found = await (await session.connection()).execute(text(statement), {"account": account_id})
            return [tuple(row) for row in found]

        return await self.database.read_tx(find)


@contextmanager
def migrated(*, postgres: bool) -> Iterator[str]:
    """The URL of a database of its own."""
    with ExitStack() as stack:
        if postgres:
            url = stack.enter_context(fresh_database(stack.enter_context(running_server())))
        else:
            shared = Path("/dev/shm")  # noqa: S108 -- memory, where there is such a place: it outlives nothing
            folder = tempfile.mkdtemp(dir=shared if shared.is_dir() else None)
            stack.callback(shutil.rmtree, folder)
            url = f"sqlite+aiosqlite:///{folder}/race.db"
        upgrade(url)
        yield url


async def tell(url: str, runs: int, seed: str, console: Console) -> Counter[str]:
    """Run the race so many times."""
    clock = GatewayClock()
    server = GatewayServer(0, clock.now)
    server.start()
    try:
        async with Race.begin(url, LocalGateway(server, clock), seed) as race:
            with Progress(console=console) as progress:
                task = progress.add_task("Racing", total=runs)
                for number in range(runs):
                    await race.run(number)
                    met = race.told["met"]
                    progress.update(task, advance=1, description=f"{met} of {number + 1} met the charge in flight")
            await race.check_all()
            return race.told
    finally:
        server.close()


def main(runs: int = 200, seed: str = "1", *, postgres: bool = False) -> None:
    """Let credit race charges, and say how often they met: in fewer than three of ten runs, that is a failure."""
    console, begun = Console(), time.monotonic()
    with migrated(postgres=postgres) as url:
        told = asyncio.run(tell(url, runs, seed, console))
    share = told["met"] / runs
    console.print(f"{runs} runs in {time.monotonic() - begun:.0f} s: no charge above what was owed, all sums right.")
    console.print(f"{told['met']} of them ({share:.0%}) met the charge in flight.")
    for what, times in sorted(told.items()):
        console.print(f"  {times:>5,}  {what}")
    raise typer.Exit(share < FEWEST_MET)


if __name__ == "__main__":
    typer.run(main)
