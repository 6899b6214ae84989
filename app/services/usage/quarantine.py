"""What could not be used waits here until a person releases it to another try, or discards it with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.events.operations import QuarantinedCallDiscarded, QuarantinedCallReleased
from app.domain.metering import REFUSALS, Outcome
from app.domain.usage import Resolution
from app.repositories import unit_of_work
from app.services.usage.record_calls import Item, record_within

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.metering import MeteringResult
    from app.domain.usage import CallReport
    from app.ports import Clock, Ids
    from app.repositories.calls import QuarantinedCall
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services
    from app.services.usage.call_items import Unreadable

    Parse = Callable[[str, str], CallReport | Unreadable]
    """Reads a payload of a source again, in whatever format it came."""


class NotInQuarantine(LookupError):
    """Nothing of that id waits in quarantine."""

    def __init__(self, quarantined_id: str) -> None:
        super().__init__(f"Nothing waits in quarantine as {quarantined_id!r}. List what does.")
        self.quarantined_id = quarantined_id


@dataclass(frozen=True, slots=True)
class Released:
    """What another try came to; when it failed again the call stays in quarantine."""

    call: QuarantinedCall
    metered: MeteringResult

    @property
    def is_released(self) -> bool:
        """Tell whether the call is recorded now."""
        return self.metered.outcome in {Outcome.ACCEPTED, Outcome.DUPLICATE}

    @property
    def message(self) -> str:
        """Why it stays, in words; empty when it does not."""
        return "" if self.metered.reason is None else REFUSALS[self.metered.reason]


async def release(services: Services, *, quarantined_id: str, parse: Parse, actor: str, reason: str) -> Released:
    """Try to record a quarantined call again under today's accounts and rules.

    :raises NotInQuarantine: when nothing of that id waits.
    """

    async def work(uow: UnitOfWork) -> Released:
        call = await _get(uow, quarantined_id)
        item = Item(call.position, parse(call.source, call.payload), call.payload)
        (metered,) = await record_within(uow, services.clock, services.ids, call.source, [item], actor)
        released = Released(call, metered)
        if released.is_released:
            await _resolve(uow, services.clock, services.ids, call, Resolution.RELEASED, actor, reason)
        return released

    return await unit_of_work.write(services.database, work)


async def discard(services: Services, *, quarantined_id: str, actor: str, reason: str) -> QuarantinedCall:
    """Decide that a quarantined call is never to be billed; it is kept with the reason.

    :raises NotInQuarantine: when nothing of that id waits.
    """

    async def work(uow: UnitOfWork) -> QuarantinedCall:
        call = await _get(uow, quarantined_id)
        await _resolve(uow, services.clock, services.ids, call, Resolution.DISCARDED, actor, reason)
        return call

    return await unit_of_work.write(services.database, work)


async def _get(uow: UnitOfWork, quarantined_id: str) -> QuarantinedCall:
    call = await uow.quarantine.find(quarantined_id)
    if call is None or call.resolution is not None:
        raise NotInQuarantine(quarantined_id)
    return call


async def _resolve(
    uow: UnitOfWork, clock: Clock, ids: Ids, call: QuarantinedCall, resolution: Resolution, actor: str, reason: str
) -> None:
    now = clock.now()
    await uow.quarantine.resolve(call.id, resolution, at=now, by=actor, note=reason)
    kind = QuarantinedCallReleased if resolution is Resolution.RELEASED else QuarantinedCallDiscarded
    await uow.events.record(kind(reason=reason), ids=ids, actor=actor, at=now, subject_id=call.id)
