"""The sandbox's clock over HTTP: told, and moved forward by days and months of the billing zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from starlette.applications import Starlette

from app.gateways.ids import RandomIds
from app.http.request_scope import RequestScope
from app.sandbox.clock import OffsetClock
from app.sandbox.clock_routes import ClockStep, clock_routes
from tests.fakes.edge import client


@pytest.fixture
def clock(tmp_path):
    clock = OffsetClock(tmp_path, lambda: datetime(2026, 8, 20, 17, tzinfo=UTC))
    clock.start(datetime(2026, 10, 30, 20, 15, tzinfo=UTC))
    return clock


async def ask(clock, method="GET", **sent):
    application = RequestScope(Starlette(routes=clock_routes(clock)), RandomIds())
    async with client(application) as opened:
        return await opened.request(method, "/sandbox/clock", **sent)


async def test_it_tells_the_time(clock):
    assert (await ask(clock)).json() == {"now": "2026-10-30T20:15:00+00:00", "written": "2026-10-30 13:15:00 PDT"}


async def test_days_and_months_go_by_the_wall_clock(clock):
    """Summer time ends on the first of November, in the night after the first step."""
    steps = [(await ask(clock, "POST", json={"step": step})).json()["written"] for step in ("DAY", "DAY", "MONTH")]
    assert steps == ["2026-10-31 13:15:00 PDT", "2026-11-01 13:15:00 PST", "2026-12-01 06:00:00 PST"]


@pytest.mark.parametrize("sent", [{"json": {"step": "YEAR"}}, {"json": {}}, {"json": {"step": "DAY", "more": 1}}])
async def test_another_step_is_refused(clock, sent):
    before = clock.now()
    answer = await ask(clock, "POST", **sent)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"
    assert clock.now() == before


async def test_a_foreign_page_cannot_move_it(clock):
    before = clock.now()
    answer = await ask(clock, "POST", content=b'{"step": "DAY"}', headers={"content-type": "text/plain"})
    assert (answer.status_code, clock.now()) == (415, before)


def test_a_step_leads_forward_on_the_last_day_of_a_month_too():
    assert ClockStep.MONTH.after(datetime(2026, 12, 31, 23, tzinfo=UTC)) == datetime(2027, 1, 1, 14, tzinfo=UTC)
