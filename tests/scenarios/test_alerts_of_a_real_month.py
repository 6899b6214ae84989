"""A month of calls day by day under the test clock, with upgrades and forecasts: what each account hears, and when.

`pytest -s` prints it. Whatever is told agrees with the daily sums, nothing is missed, and nothing is told twice.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from app.domain.accounts import Role
from app.domain.alerts import FORECAST_KINDS, AlertKind, usage_thresholds
from app.domain.periods import Period, billing_date
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.repositories import unit_of_work
from app.sandbox.sample_calls import write_sample_calls
from app.services.cycle.forecast_alerts import forecast_alerts
from app.services.plans.upgrade_plans import upgrade_plans
from app.services.usage.call_items import Unreadable
from app.services.usage.import_calls import read_items
from app.services.usage.put_account import AccountParticulars, Member, put_account
from app.services.usage.record_calls import BATCH_SIZE, Item, record_calls
from tests.world import World, pacific

REAL_FILE = Path(__file__).parents[2].parent / "shared" / "data" / "calls-1999-01.tsv.gz"
JANUARY = Period.parse("1999-01")

MESSAGES = """
SELECT external_id, notification.kind, notification.created_at, address FROM notification
JOIN account ON account.id = account_id ORDER BY external_id, notification.id
"""
CROSSINGS = """
SELECT account_id, kind, level, arming_no, crossed_at, used_seconds, rearmed_at FROM alert_crossing
ORDER BY account_id, kind, level, arming_no
"""
DAYS = "SELECT account_id, on_date, live_seconds FROM usage_day ORDER BY account_id, on_date"
PLANS = "SELECT account_id, plan_version_id FROM billing_cycle WHERE period_on = '1999-01-01'"


@pytest.fixture(params=["made", pytest.param("real", marks=pytest.mark.real_data)])
def call_file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    if request.param == "made":
        path = tmp_path / "made.tsv.gz"
        write_sample_calls(path, month=JANUARY, lines=4, seed=3)
        return path
    if not REAL_FILE.is_file():
        pytest.skip(f"needs the real month of calls, {REAL_FILE}")
    return REAL_FILE


def by_day(items: Iterable[Item]) -> dict[date, list[Item]]:
    days: defaultdict[date, list[Item]] = defaultdict(list)
    for item in items:
        if not isinstance(item.call, Unreadable):
            days[item.call.on].append(item)
    return dict(sorted(days.items()))


async def live_through(world: World, days: dict[date, list[Item]]) -> None:
    """Open January, then take every day's calls a little after midnight, as the ticker would go on from there."""
    world.clock.instant = pacific(1999, 1, 1, 5)
    accounts = sorted({item.call.account for items in days.values() for item in items})
    for name in accounts:
        admin = Member(f"admin of {name}", f"admin@{name.lower()}.example", "Administrator", Role.ADMIN)
        particulars = AccountParticulars(name, name, "100", None, JANUARY.starts_on, (admin,))
        await put_account(world.services, particulars=particulars, actor="test")
    world.clock.instant = pacific(1999, 1, 1, 6)
    await world.close_now()
    for on, items in days.items():
        world.clock.instant = max(world.clock.instant, pacific(on.year, on.month, on.day, 8, 30))
        await forecast_alerts(world.services)
        world.clock.instant = pacific(on.year, on.month, on.day, 23, 59) + timedelta(minutes=10)
        for start in range(0, len(items), BATCH_SIZE):
            await record_calls(
                world.services, source="call-file", items=items[start : start + BATCH_SIZE], actor="test"
            )
        await upgrade_plans(world.services)


async def rows(world: World, statement: str) -> list[tuple]:
    async def work(uow):
        return [tuple(row) for row in await uow.session.exec(text(statement))]

    return await unit_of_work.read(world.database, work)


def instant(stored: str) -> datetime:
    return datetime.fromisoformat(f"{stored}+00:00")


def show(told: list[tuple]) -> None:
    by_account: defaultdict[str, list[str]] = defaultdict(list)
    for account, kind, created_at, _ in told:
        by_account[account].append(f"{billing_date(instant(created_at) - timedelta(hours=1)):%d} {kind}")
    for account, what in by_account.items():
        sys.stdout.write(f"{account}: {', '.join(what)}\n")


class TestMonth:
    async def test_what_is_told_agrees_with_the_daily_sums(self, world, call_file):
        await live_through(world, by_day(read_items(call_file, "call-file")))
        told = await rows(world, MESSAGES)
        show(told)
        assert {address for *_, address in told} == {f"admin@{account.lower()}.example" for account, *_ in told}

        sums: defaultdict[str, dict[date, int]] = defaultdict(dict)
        for account_id, on, seconds in await rows(world, DAYS):
            sums[account_id][date.fromisoformat(on)] = seconds
        crossings = await rows(world, CROSSINGS)
        for account_id, kind, _, _, crossed_at, used, _ in crossings:
            if kind in FORECAST_KINDS:
                continue
            # Calls are taken ten minutes after midnight, so that the day before is whole.
            day = billing_date(instant(crossed_at) - timedelta(hours=1))
            before = sum(seconds for on, seconds in sums[account_id].items() if on < day)
            assert before < used <= before + sums[account_id][day]

        plans = {plan.id: plan for plan in SEED_CATALOGUE.versions}
        for account_id, plan_id in await rows(world, PLANS):
            limits = usage_thresholds(
                plan=plans[plan_id], period=JANUARY, paid_starts_on=JANUARY.starts_on, catalogue=SEED_CATALOGUE
            )
            total = sum(sums[account_id].values())
            passed = {(limit.kind, limit.level) for limit in limits if total >= limit.from_seconds}
            snapshot = [
                (AlertKind(kind), level)
                for owner, kind, level, _, _, _, rearmed_at in crossings
                if owner == account_id and kind not in FORECAST_KINDS and rearmed_at is None
            ]
            assert passed <= set(snapshot)
            assert len(snapshot) == len(set(snapshot))
        assert len({(account, kind, at) for account, kind, at, _ in told if kind == AlertKind.UPGRADE_DONE}) == len(
            [kind for _, kind, *_ in told if kind == AlertKind.UPGRADE_DONE]
        )

    async def test_a_closed_month_tells_nothing(self, world, call_file):
        days = by_day(read_items(call_file, "call-file"))
        await live_through(world, {})
        accounts = sorted({item.call.account for items in days.values() for item in items})[:2]
        for name in accounts:
            await world.add_account(name, paid_since_on=JANUARY.starts_on)
        await world.advance_to(pacific(1999, 2, 1, 7))
        late = [item for items in days.values() for item in items if item.call.account in accounts]
        for start in range(0, len(late), BATCH_SIZE):
            await record_calls(world.services, source="call-file", items=late[start : start + BATCH_SIZE], actor="test")
        assert {kind for _, kind, *_ in await rows(world, MESSAGES)} == {"INVOICE_READY"}
