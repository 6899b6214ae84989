"""The ticker: it works when something is due, outlives its failures, says how late it is, and stops."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from app.gateways.ids import RandomIds
from app.jobs.ticker import LONGEST_PAUSE_SECONDS, Ticker, closing_round, next_due_at
from app.migrations.upgrade import upgrade
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.plans.load_catalogue import load_catalogue
from app.services.usage.put_account import AccountParticulars, put_account


class Time:
    def __init__(self):
        self.seconds = 100.0

    def __call__(self):
        return self.seconds


class FixedClock:
    def __init__(self, at=datetime(2026, 9, 1, 12, 59, tzinfo=UTC)):
        self.at = at

    def now(self):
        return self.at


def failing_with(*errors):
    waiting = list(errors)

    async def round_(_mark_alive):
        error = waiting.pop(0)
        if error is not None:
            raise error

    return round_


async def nothing(_mark_alive):
    pass


class TestRounds:
    async def test_waits_the_interval_after_a_good_round(self):
        assert await Ticker(nothing, interval_seconds=2.0).tick() == 2.0

    async def test_pauses_double_with_each_failure_up_to_a_minute_and_a_good_round_ends_them(self):
        ticker = Ticker(failing_with(*[OSError("no")] * 7, None), interval_seconds=2.0)
        assert [await ticker.tick() for _ in range(8)] == [4.0, 8.0, 16.0, 32.0, 60.0, 60.0, LONGEST_PAUSE_SECONDS, 2.0]

    async def test_a_failure_is_logged_once_and_so_is_the_recovery(self):
        ticker = Ticker(failing_with(OSError("a"), OSError("b"), ValueError("c"), None, None), interval_seconds=2.0)
        with capture_logs() as logs:
            for _ in range(5):
                await ticker.tick()
        assert [(entry["event"], entry.get("error_type"), entry.get("failed_rounds")) for entry in logs] == [
            ("ticker round failed", "builtins.OSError", None),
            ("ticker round failed", "builtins.ValueError", None),
            ("ticker well again", None, 3),
        ]


class TestLag:
    async def test_is_zero_within_the_interval_and_grows_when_rounds_fail(self):
        now = Time()
        ticker = Ticker(failing_with(None, OSError("no"), None), interval_seconds=2.0, real_time=now)
        await ticker.tick()
        now.seconds += 2.0
        assert ticker.lag_seconds == 0.0
        now.seconds += 30.0
        await ticker.tick()
        assert ticker.lag_seconds == 30.0
        await ticker.tick()
        assert ticker.lag_seconds == 0.0

    async def test_a_long_round_that_gets_on_is_not_late(self):
        now = Time()

        async def long(mark_alive):
            now.seconds += 50.0
            mark_alive()
            now.seconds += 1.0
            raise OSError("in the end")

        ticker = Ticker(long, interval_seconds=2.0, real_time=now)
        await ticker.tick()
        assert ticker.lag_seconds == 0.0


class TestStopping:
    async def test_ends_after_the_round_that_is_under_way(self):
        begun, ended = asyncio.Event(), []

        async def round_(_mark_alive):
            begun.set()
            await asyncio.sleep(0.05)
            ended.append(True)

        ticker = Ticker(round_, interval_seconds=60.0)
        ticker.start()
        await begun.wait()
        await ticker.stop()
        assert ended == [True]

    async def test_cuts_a_round_off_that_takes_too_long(self, monkeypatch):
        monkeypatch.setattr("app.jobs.ticker.STOPS_WITHIN_SECONDS", 0.01)
        begun, cancelled = asyncio.Event(), []

        async def endless(_mark_alive):
            begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.append(True)
                raise

        ticker = Ticker(endless, interval_seconds=60.0)
        ticker.start()
        await begun.wait()
        await ticker.stop()
        assert cancelled == [True]

    async def test_one_that_never_began_stops_too(self):
        await Ticker(nothing, interval_seconds=1.0).stop()


@pytest.fixture
async def database(tmp_path):
    url = f"sqlite:///{tmp_path}/flex.db"
    upgrade(url)
    database = Database.open(url)
    yield database
    await database.close()


class TestClosingRound:
    async def test_closes_what_is_due_and_nothing_before(self, database):
        services = Services(database, FixedClock(), RandomIds())
        assert await next_due_at(database) is None
        await load_catalogue(services, actor="test")
        particulars = AccountParticulars("AA0101", "Harbor Dental", "100", None, date(2026, 9, 1))
        await put_account(services, particulars=particulars, actor="test")
        round_, alive = closing_round(services), []
        account = await unit_of_work.read(database, lambda uow: uow.accounts.get_by_external_id("AA0101"))

        async def invoices():
            return await unit_of_work.read(database, lambda uow: uow.invoices.list_for_account(account.id))

        await round_(lambda: alive.append(True))
        assert (await invoices(), alive) == ([], [])
        services.clock.at += timedelta(minutes=1)  # 06:00 Pacific, rule 12
        await round_(lambda: alive.append(True))
        await round_(lambda: alive.append(True))
        assert ([invoice.total_cents for invoice in await invoices()], alive) == ([139_00], [True])
        assert await next_due_at(database) == datetime(2026, 10, 1, 13, 0, tzinfo=UTC)
