"""What could not be used waits here until a person releases it to another try, or discards it with a reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.metering import REFUSALS
from app.domain.usage import Resolution
from app.repositories import unit_of_work
from app.services.usage.call_items import Unreadable
from app.services.usage.record_calls import RECORDED, Item, record_within, resolve

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.metering import MeteringResult
    from app.domain.usage import CallReport
    from app.repositories.calls import QuarantinedCall
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services

    Parse = Callable[[str, str], CallReport | Unreadable]
    """Reads a payload of a source again, in whatever format it came."""


class NotInQuarantine(LookupError):
    """Nothing of that id waits in quarantine."""

    def __init__(self, quarantined_id: str) -> None:
        super().__init__(f"Nothing waits in quarantine as {quarantined_id!r}. List what does.")
        self.quarantined_id = quarantined_id


@dataclass(frozen=True, slots=True)
class Released:
    """What another try came to; when it failed again the call stays in quarantine.

    `problem` says what of a mended text cannot be read.
    """

    call: QuarantinedCall
    metered: MeteringResult
    problem: str = ""

    @property
    def is_released(self) -> bool:
        """Tell whether the call is recorded now."""
        return self.metered.outcome in RECORDED

    @property
    def message(self) -> str:
        """Why it stays, in words; empty when it does not."""
        return self.problem or ("" if self.metered.reason is None else REFUSALS[self.metered.reason])


class _StillRefused(Exception):
    """The mended text is refused too: nothing of this try is to be kept."""

    def __init__(self, released: Released) -> None:
        super().__init__(released.message)
        self.released = released


async def release(
    services: Services, *, quarantined_id: str, parse: Parse, actor: str, reason: str, mended: str | None = None
) -> Released:
    """Try to record a quarantined call again under today's accounts and rules, as it came or `mended` by a person.

    A mended text that is refused too leaves everything as it was.
    :raises NotInQuarantine: when nothing of that id waits.
    """

    async def work(uow: UnitOfWork) -> Released:
        call = await _get(uow, quarantined_id)
        text = call.payload if mended is None else mended
        read = parse(call.source, text)
        (metered,) = await record_within(
            uow, services.clock, services.ids, call.source, [Item(call.position, read, text)], actor
        )
        problem = read.message if mended is not None and isinstance(read, Unreadable) else ""
        released = Released(call, metered, problem)
        if released.is_released:
            await resolve(uow, services.clock, services.ids, call, Resolution.RELEASED, actor, reason)
        elif mended is not None:
            raise _StillRefused(released)
        return released

    try:
        return await unit_of_work.write(services.database, work)
    except _StillRefused as refused:
        return refused.released


async def discard(services: Services, *, quarantined_id: str, actor: str, reason: str) -> QuarantinedCall:
    """Decide that a quarantined call is never to be billed; it is kept with the reason.

    :raises NotInQuarantine: when nothing of that id waits.
    """

    async def work(uow: UnitOfWork) -> QuarantinedCall:
        call = await _get(uow, quarantined_id)
        await resolve(uow, services.clock, services.ids, call, Resolution.DISCARDED, actor, reason)
        return call

    return await unit_of_work.write(services.database, work)


async def _get(uow: UnitOfWork, quarantined_id: str) -> QuarantinedCall:
    call = await uow.quarantine.find(quarantined_id)
    if call is None or call.resolution is not None:
        raise NotInQuarantine(quarantined_id)
    return call
