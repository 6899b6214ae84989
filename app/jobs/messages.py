"""The round of messages: forecasts once a day, calls and mails as they fall due, and what a person must hear of.

It has a ticker of its own: a slow mail server holds up no invoice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import structlog

from app.repositories import unit_of_work
from app.repositories.webhook_events import MESSAGES
from app.services.cycle.forecast_alerts import forecast_alerts
from app.services.notifications.deliver_messages import deliver_messages
from app.services.operations.operations_alerts import notify_operators
from app.services.payment_methods.warn_of_expiry import warn_of_expiry

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from app.services.notifications.deliver_messages import Delivery

log = structlog.get_logger("messages")

WATCH_SECONDS = 60.0


def message_round(
    *,
    delivery: Delivery,
    operator_address: str | None,
    real_time: Callable[[], float] = time.monotonic,
) -> Callable[[Callable[[], None]], Awaitable[None]]:
    """Return the round that tells people what is to be told; a look that finds nothing writes nothing.

    Under a hold nothing is delivered: everything waits, and goes out when the hold is lifted.
    """
    services = delivery.services
    watched_at: float | None = None

    async def run(mark_alive: Callable[[], None]) -> None:
        nonlocal watched_at
        await forecast_alerts(services)
        await warn_of_expiry(services)
        mark_alive()
        if operator_address is not None and (watched_at is None or real_time() - watched_at >= WATCH_SECONDS):
            watched_at = real_time()
            await notify_operators(services, address=operator_address)
        if await unit_of_work.read(services.database, lambda uow: uow.holds.find(MESSAGES)) is not None:
            return
        settled = await deliver_messages(delivery, on_progress=mark_alive)
        if settled:
            log.info("messages settled", count=settled)

    return run
