"""Is the process alive, and can it do its work? For load balancers and for whoever is called at night."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.http.answers import OK, RETRY_SECONDS, SERVICE_UNAVAILABLE, send_json

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from app.domain.json_values import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the probe found. `problem` says what to do about the database, and is None when that is well.

    `ticker_lag_seconds` is how late the work of the clock is, `message_lag_seconds` that of the messages and
    `payment_lag_seconds` that of collecting;
    `oldest_unclosed_period` is a month that is due to be closed, as `YYYY-MM`.
    """

    problem: str | None
    ticker_lag_seconds: float | None = None
    oldest_unclosed_period: str | None = None
    message_lag_seconds: float | None = None
    payment_lag_seconds: float | None = None


Probe = Callable[[], Awaitable[Readiness]]


class Live:
    """Answers as long as the event loop turns."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del scope, receive
        await send_json(send, OK, {"status": "live"})


class Ready:
    """Asks the probe, and answers 503 while the database cannot be worked with."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        del scope, receive
        found = await self._probe()
        body: JsonObject = {
            "status": "ready" if found.problem is None else "unavailable",
            "problem": found.problem,
            "tickerLagSeconds": found.ticker_lag_seconds,
            "messageLagSeconds": found.message_lag_seconds,
            "paymentLagSeconds": found.payment_lag_seconds,
            "oldestUnclosedPeriod": found.oldest_unclosed_period,
        }
        if found.problem is None:
            await send_json(send, OK, body)
        else:
            again = (b"retry-after", str(RETRY_SECONDS).encode())
            await send_json(send, SERVICE_UNAVAILABLE, body, headers=[again])
