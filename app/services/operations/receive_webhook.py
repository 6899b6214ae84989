"""A webhook of the payment gateway is checked, kept once and answered; what it means is found out later."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import anyio.to_thread

from app.repositories import unit_of_work

if TYPE_CHECKING:
    from app.services.common.services import Services


async def receive_webhook(services: Services, *, signature: str, payload: str) -> bool:
    """Keep a notice that the payment gateway signed; False when the same one is there already.

    :raises WebhookForged: when it is not signed, or cannot be read; nothing is kept.
    """
    # The first notice may have to wait until the gateway's library is loaded.
    notice = await anyio.to_thread.run_sync(services.payments.read_webhook, signature, payload)
    payload_hash = hashlib.sha256("".join(payload.split()).encode()).hexdigest()
    return await unit_of_work.write(
        services.database,
        lambda uow: uow.webhook_events.add(
            services.ids.new("ntc"), notice, payload_hash=payload_hash, received_at=services.clock.now()
        ),
    )
