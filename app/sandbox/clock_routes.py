"""The sandbox's clock over HTTP, for the bars of its pages: what time it is, and a step forward."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from starlette.routing import Route

from app.domain.periods import BILLING_ZONE, Period, billing_date, billing_instant
from app.http import answers
from app.http.answers import header, send_json, send_refusal
from app.http.application import guarded
from app.http.body import read_body
from app.http.json_body import read_as
from app.http.negotiation import require_json
from app.sandbox.clock import written

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.routing import BaseRoute
    from starlette.types import Receive, Scope, Send

    from app.domain.json_values import JsonObject
    from app.sandbox.clock import OffsetClock

ADDRESS = "/sandbox/clock"
LARGEST_BODY, BODY_SECONDS = 1_000, 5.0
MORNING = time(6)


class ClockStep(StrEnum):
    """A way forward: the same time of the next day, or six in the morning of the first day of the next month."""

    DAY = "DAY"
    MONTH = "MONTH"

    def after(self, now: datetime) -> datetime:
        """Return the instant to which the step leads, by the wall clock of the billing zone."""
        today = billing_date(now)
        if self is ClockStep.DAY:
            return billing_instant(today + timedelta(days=1), now.astimezone(BILLING_ZONE).time())
        return billing_instant(Period.containing(today).shifted(1).starts_on, MORNING)


class _Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")

    step: ClockStep


def clock_routes(clock: OffsetClock) -> Sequence[BaseRoute]:
    """Return the route; whoever can reach the sandbox may move its clock, as by the command line."""
    endpoint = guarded(ClockEndpoint(clock), largest_body=LARGEST_BODY, seconds=BODY_SECONDS)
    return [Route(ADDRESS, endpoint, methods=["GET", "POST"])]


class ClockEndpoint:
    """Tells the time by GET, and moves it forward by POST of `{"step": "DAY"}` or `{"step": "MONTH"}`."""

    def __init__(self, clock: OffsetClock) -> None:
        self._clock = clock

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await send_json(send, answers.OK, await self._answer(scope, receive))
        except answers.Refused as refused:
            await send_refusal(scope, send, refused)

    async def _answer(self, scope: Scope, receive: Receive) -> JsonObject:
        if scope["method"] == "POST":
            require_json(header(scope, b"content-type"))  # no foreign web form
            step = read_as(_Advance, await read_body(receive)).step
            self._clock.advance(step.after(self._clock.now()))
        now = self._clock.now()
        return {"now": now.isoformat(), "written": written(now)}
