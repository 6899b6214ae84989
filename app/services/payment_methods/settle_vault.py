"""What the vault is still to be told or asked: the outcome of a method, which one is the default, which is gone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio
import structlog

from app.domain.collection import GATEWAY_DEADLINE, pause_after
from app.domain.payment_gateway import GatewayUnavailable
from app.domain.payment_methods import AddFailure, MethodStatus, VaultTask, can_be_added
from app.repositories import unit_of_work
from app.services.common.failures import contained
from app.services.payment_methods.record_vaulting import give_up, load_locked, record_vaulted

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime

    from app.domain.payment_gateway import VaultedMethod
    from app.repositories.payment_methods import StoredMethod
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

log = structlog.get_logger("vault")

PAGE_SIZE = 200
AT_ONCE = 4
"""As many as the gateway is asked at the same time; collecting has the rest."""

SETTLES_WITHIN = 2 * GATEWAY_DEADLINE
"""After this long a method that the vault does not have will not come: it was never sent, or was refused."""


async def run_vault_tasks(services: Services, *, on_progress: Callable[[int], None] | None = None) -> int:
    """Do everything that is due at the vault, and return how many methods were looked at.

    What cannot be done is tried again after pauses that double; doing it twice changes nothing.
    """
    seen: set[str] = set()
    while True:
        due = [stored for stored in await _find_due(services) if stored.method.id not in seen]
        if not due:
            return len(seen)
        seen.update(stored.method.id for stored in due)
        limiter = anyio.CapacityLimiter(AT_ONCE)
        async with anyio.create_task_group() as group:
            for stored in due:
                group.start_soon(_attend, services, stored, limiter)
        if on_progress is not None:
            on_progress(len(due))


async def next_vault_task_at(services: Services) -> datetime | None:
    """Return when the next task at the vault falls due, or the longest overdue one did; None without any."""
    return await unit_of_work.read(services.database, lambda uow: uow.vault_tasks.oldest_at())


async def _find_due(services: Services) -> list[StoredMethod]:
    now = services.clock.now()
    return await unit_of_work.read(services.database, lambda uow: uow.vault_tasks.due(now, PAGE_SIZE))


async def _attend(services: Services, due: StoredMethod, limiter: anyio.CapacityLimiter) -> None:
    async with limiter:
        with contained(log, "vault task failed", method=due.method.id):
            try:
                claimed = await unit_of_work.write(services.database, lambda uow: _claim(uow, services, due))
                if claimed is not None and claimed.vault_task is not None:
                    await TASKS[claimed.vault_task](services, claimed)
            except GatewayUnavailable as error:
                log.warning("vault not reached", method=due.method.id, task=due.vault_task, reason=error.reason)


async def _claim(uow: UnitOfWork, services: Services, due: StoredMethod) -> StoredMethod | None:
    """Put the next try off before this one, so that neither another process nor a crash repeats it at once."""
    stored, now = await load_locked(uow, due.method.id), services.clock.now()
    if stored.vault_task is not due.vault_task or stored.next_action_at is None or stored.next_action_at > now:
        return None
    if stored.vault_task is VaultTask.MAKE_DEFAULT and not stored.method.is_default:
        await uow.vault_tasks.plan(stored.method.id, None, at=None)
        return None
    failures = stored.failures + 1
    await uow.vault_tasks.plan(
        stored.method.id, stored.vault_task, at=now + pause_after(stored.failures), failures=failures
    )
    if stored.vault_task is VaultTask.DELETE and await uow.attempts.has_open(
        stored.method.account_id, stored.method.id
    ):
        # A charge without an outcome may have to be sent again, to this method.
        return None
    return stored


async def _settle(services: Services, stored: StoredMethod) -> None:
    """Find out whether the vault has a method, and put it on file or give it up; a verified one is given up."""
    if stored.method.status is MethodStatus.VERIFIED:
        await unit_of_work.write(services.database, lambda uow: _expire(uow, services, stored.method.id))
        return
    found = await services.payments.find_method(stored.method.id)
    await unit_of_work.write(services.database, lambda uow: _record_found(uow, services, stored, found))


async def _record_found(
    uow: UnitOfWork, services: Services, claimed: StoredMethod, found: VaultedMethod | None
) -> None:
    stored, now = await load_locked(uow, claimed.method.id), services.clock.now()
    if stored.method.status is not MethodStatus.PENDING:
        return
    if found is not None and found.customer_id == stored.method.account_id:
        await record_vaulted(uow, services.ids, stored, found, found.verification, now)
    elif now >= stored.draft.created_at + SETTLES_WITHIN:
        await give_up(uow, services.ids, stored, AddFailure.NOT_THERE, now)


async def _expire(uow: UnitOfWork, services: Services, method_id: str) -> None:
    """Give up a verified method that nobody has added, unless somebody has at the last moment (rule 42)."""
    stored, now = await load_locked(uow, method_id), services.clock.now()
    if stored.method.status is MethodStatus.VERIFIED and not can_be_added(
        stored.method.status, stored.draft.held_until, now
    ):
        await give_up(uow, services.ids, stored, AddFailure.NOT_ADDED, now)


async def _make_default(services: Services, stored: StoredMethod) -> None:
    if not await services.payments.make_default(stored.method.id):
        log.error("the vault lacks a method", method=stored.method.id)
    await _is_done(services, stored)


async def _delete(services: Services, stored: StoredMethod) -> None:
    await services.payments.remove_method(stored.method.id)
    await _is_done(services, stored)


async def _is_done(services: Services, claimed: StoredMethod) -> None:
    async def clear(uow: UnitOfWork) -> None:
        stored = await load_locked(uow, claimed.method.id)
        if stored.vault_task is claimed.vault_task:
            await uow.vault_tasks.plan(stored.method.id, None, at=None)

    await unit_of_work.write(services.database, clear)


TASKS: dict[VaultTask, Callable[[Services, StoredMethod], Awaitable[None]]] = {
    VaultTask.SETTLE: _settle,
    VaultTask.MAKE_DEFAULT: _make_default,
    VaultTask.DELETE: _delete,
}
