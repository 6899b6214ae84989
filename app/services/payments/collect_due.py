"""Collecting everything that is due: each invoice by itself, so that what fails for one holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import structlog

from app.domain.collection import CollectionStatus, request_collection_attempt
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION
from app.services.common.failures import contained
from app.services.payments.collect_invoice import collect_invoice

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

log = structlog.get_logger("collection")

PAGE_SIZE = 200
AT_ONCE = 8
"""As many as the gateway is asked at the same time."""


async def collect_due(services: Services, *, on_progress: Callable[[int], None] | None = None) -> int:
    """Do everything about every invoice whose collecting is due, and return how many were looked at.

    Running it again does nothing until something falls due; under a hold it does nothing at all.
    """
    seen: set[str] = set()
    while True:
        due = [invoice_id for invoice_id in await _find_due(services) if invoice_id not in seen]
        if not due:
            return len(seen)
        seen.update(due)
        await _collect_all(services, due)
        if on_progress is not None:
            on_progress(len(due))


async def _find_due(services: Services) -> list[str]:
    async def find(uow: UnitOfWork) -> list[str]:
        if await uow.holds.find(COLLECTION) is not None:
            return []
        return await uow.collections.due(services.clock.now(), services.real_now(), PAGE_SIZE)

    return await unit_of_work.read(services.database, find)


async def _collect_all(services: Services, invoice_ids: list[str]) -> None:
    limiter = anyio.CapacityLimiter(AT_ONCE)

    async def collect(invoice_id: str) -> None:
        async with limiter:
            with contained(log, "collecting failed", invoice=invoice_id):
                await collect_invoice(services, invoice_id)

    async with anyio.create_task_group() as group:
        for invoice_id in invoice_ids:
            group.start_soon(collect, invoice_id)


async def next_collection_at(services: Services) -> datetime | None:
    """Return when the next collecting falls due; None under a hold, or when nothing is to be collected."""

    async def find(uow: UnitOfWork) -> datetime | None:
        return None if await uow.holds.find(COLLECTION) is not None else await uow.collections.oldest_due_at()

    return await unit_of_work.read(services.database, find)


async def request_collection(uow: UnitOfWork, account_id: str, now: datetime) -> list[str]:
    """Ask for a round at once for every open invoice of an account that waits for one (rule 30).

    A new card or a new default is a reason, but not for what is charged by hand alone. The caller is the account's only
    writer; returns the invoices.
    """
    requested = []
    for collection in await uow.collections.list_for_account(account_id):
        waits = collection.status in {CollectionStatus.WAITING, CollectionStatus.IDLE, CollectionStatus.PARKED}
        if waits and not collection.is_by_hand:
            await uow.collections.save(None, collection, request_collection_attempt(now))
            requested.append(collection.invoice_id)
    return requested
