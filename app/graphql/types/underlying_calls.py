"""Reads below a list of lines: what is asked for side by side travels in one more trip, however many lines it has."""

import asyncio
from collections.abc import Sequence

from app.graphql.connections import Connection, open_window
from app.graphql.context import Context, Info
from app.graphql.types.call import CURSOR_KEYS, Call, call_connection, read_position
from app.repositories.pages.calls import UNDERLYING_USAGE, underlying_calls_page
from app.views.calls import UnderlyingCalls, UsageOfDay

UNDERLYING_CALLS = "underlying calls of a line"


class MonthUsage:
    """The usage of a month behind the lines of one invoice; read once, whichever of its lines asks."""

    def __init__(self, behind: UnderlyingCalls) -> None:
        self._behind = behind
        self._reading: asyncio.Future[Sequence[UsageOfDay]] | None = None

    async def load(self, context: Context) -> Sequence[UsageOfDay]:
        """Return the sums by day."""
        if self._reading is not None:
            return await asyncio.shield(self._reading)
        # The first to ask reads in its own step, not in a task of its own, so that the read joins this tick's batch.
        reading: asyncio.Future[Sequence[UsageOfDay]] = asyncio.get_running_loop().create_future()
        self._reading = reading
        try:
            reading.set_result(await self._read(context))
        except asyncio.CancelledError:
            reading.cancel()
            raise
        except Exception as error:  # noqa: BLE001 -- handed to everyone who waits
            reading.set_exception(error)
        return reading.result()

    async def _read(self, context: Context) -> Sequence[UsageOfDay]:
        behind = self._behind
        return await context.load(
            UNDERLYING_USAGE, since_at=behind.since_at, before_at=behind.before_at, watermark=behind.watermark
        )


async def load_underlying_calls(info: Info, behind: UnderlyingCalls, first: int, after: str | None) -> Connection[Call]:
    """Return a page of the underlying calls of a line.

    :raises BadInput: when `first` or `after` cannot be used.
    """
    window = open_window(info, kind=UNDERLYING_CALLS, first=first, after=after, keys=CURSOR_KEYS)
    after_at, after_seq = read_position(window.after) or (behind.since_at, 0)
    page = underlying_calls_page(behind.kind, is_counted=window.is_counted)
    binds = {
        "since_at": behind.since_at,
        "before_at": behind.before_at,
        "watermark": behind.watermark,
        "earlier_watermark": behind.earlier_watermark,
        "after_at": after_at,
        "after_seq": after_seq,
        "fetch": window.fetch,
    }
    found = await info.context.load(page, **{name: bind for name, bind in binds.items() if name in page.parameters})
    return call_connection(found.calls, found.total, window)
