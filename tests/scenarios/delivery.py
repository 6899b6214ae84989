"""Delivering as a process of its own, that kills itself with -9 between handing over and remembering it."""

from __future__ import annotations

import asyncio
import os
import signal
from datetime import datetime
from typing import Any

from app.gateways.calls_webhook import WebhookCaller
from app.gateways.ids import RandomIds
from app.gateways.smtp import MailServer, SmtpMailer
from app.messages.compose import Composer
from app.repositories.database import Database
from app.services.common.services import Services
from app.services.notifications import deliver_messages as service
from app.services.notifications.confirmation_links import ConfirmationLinks
from app.services.notifications.deliver_messages import Delivery
from app.services.notifications.unsubscribe_links import UnsubscribeLinks
from tests.scenarios.cycle_run import StandingClock

SECRET = "a secret of the tests, 32 bytes long or more"


def delivery(database: Database, now: datetime, real_now: datetime, mail_port: int, call_port: int) -> Delivery:
    server = MailServer("127.0.0.1", mail_port, needs_start_tls=False)
    return Delivery(
        services=Services(database, StandingClock(now), RandomIds(), real_clock=StandingClock(real_now)),
        mailer=SmtpMailer(server, sender="notifications@sasdesk.com", sender_name="Answering Service"),
        caller=WebhookCaller(f"http://127.0.0.1:{call_port}/", SECRET),
        composer=Composer("https://portal.example"),
        links=UnsubscribeLinks(secret=SECRET.encode(), base_url="https://flex.example"),
        confirmation_links=ConfirmationLinks(secret=SECRET.encode(), base_url="https://flex.example"),
    )


def run_and_die(step: str, after: int, url: str, *rest: Any) -> None:
    """Deliver until `step` of the service has been called `after` times, then die before its next call begins."""
    original, calls = getattr(service, step), 0

    async def dying(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        if calls == after:
            os.kill(os.getpid(), signal.SIGKILL)
        calls += 1
        return await original(*args, **kwargs)

    setattr(service, step, dying)
    asyncio.run(_run(url, *rest))


async def _run(url: str, now: datetime, real_now: datetime, mail_port: int, call_port: int) -> None:
    database = Database.open(url)
    await service.deliver_messages(delivery(database, now, real_now, mail_port, call_port))
