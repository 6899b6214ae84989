"""Calls, down to the single record."""

from datetime import UTC, date, datetime, timedelta
from typing import Annotated

import strawberry

from app.domain.periods import day_starts_at
from app.graphql.connections import DEFAULT_PAGE, AfterArgument, Connection, FirstArgument, Window, open_window
from app.graphql.context import Info
from app.graphql.cost import PAGED
from app.graphql.errors import BadInput
from app.graphql.permissions import Permission, root_field
from app.graphql.queries.invoices import read_month
from app.graphql.types.call import CURSOR_KEYS, Call, call_connection, read_position
from app.repositories.pages.calls import calls_page
from app.repositories.reader import Page
from app.views.calls import CallPage

CALLS = "calls"

EARLIEST_AT = datetime(1, 1, 1, tzinfo=UTC)
LATEST_AT = datetime(9999, 12, 31, tzinfo=UTC)
FIRST_YEAR, LAST_YEAR = 1900, 9998


@strawberry.input(description="Filters the list of calls. Fields that are left out do not filter.")
class CallFilter:
    """What calls can be narrowed by."""

    month: str | None = strawberry.field(
        default=None, description="Only calls in this billing month, as `YYYY-MM`. Cannot be combined with dates."
    )
    since: date | None = strawberry.field(
        name="from", default=None, description="Only calls on or after this billing date."
    )
    until: date | None = strawberry.field(
        name="to", default=None, description="Only calls on or before this billing date."
    )
    disposition: str | None = strawberry.field(default=None, description="Only calls with exactly this disposition.")
    billed: bool | None = strawberry.field(
        default=None, description="True for billed calls, false for calls that are not billed."
    )


CallFilterArgument = Annotated[CallFilter | None, strawberry.argument(description="Filters the list.")]


def time_asked_for(narrowed: CallFilter) -> tuple[datetime, datetime]:
    """Return the instants that a filter's calls begin between, the second one not included.

    :raises BadInput: when month and dates contradict each other, or cannot be used.
    """
    if narrowed.month is not None:
        if narrowed.since is not None or narrowed.until is not None:
            raise BadInput("Give either `month`, or `from` and `to`.")
        month = read_month(narrowed.month)
        return _starts_at(month.starts_on), _starts_at(month.ends_before)
    if narrowed.since is not None and narrowed.until is not None and narrowed.since > narrowed.until:
        raise BadInput(f"`from` is {narrowed.since}, which is after `to`, {narrowed.until}. Exchange them.")
    since_at = EARLIEST_AT if narrowed.since is None else _starts_at(narrowed.since)
    before_at = LATEST_AT if narrowed.until is None else _ends_at(narrowed.until)
    return since_at, before_at


def list_page(window: Window, narrowed: CallFilter) -> tuple[Page[CallPage], dict[str, object]]:
    """Return the page of a list of calls with its binds; it begins at the cursor, or at the end of the time asked for.

    :raises BadInput: when the filter or the cursor cannot be used.
    """
    since_at, before_at = time_asked_for(narrowed)
    end = (before_at, 0)
    after_at, after_seq = min(read_position(window.after) or end, end)
    page = calls_page(
        has_disposition=narrowed.disposition is not None, is_billed=narrowed.billed, is_counted=window.is_counted
    )
    binds: dict[str, object] = {
        "since_at": since_at,
        "before_at": before_at,
        "disposition": narrowed.disposition,
        "after_at": after_at,
        "after_seq": after_seq,
        "fetch": window.fetch,
    }
    return page, {name: bind for name, bind in binds.items() if name in page.parameters}


def _starts_at(on: date) -> datetime:
    """A date as far off as the calendar goes has no midnight in every zone, so it counts as before or after all."""
    if on.year < FIRST_YEAR:
        return EARLIEST_AT
    return LATEST_AT if on.year > LAST_YEAR else day_starts_at(on)


def _ends_at(on: date) -> datetime:
    return LATEST_AT if on.year > LAST_YEAR else _starts_at(on + timedelta(days=1))


@strawberry.type
class CallQueries:
    """Root fields about calls."""

    @root_field(
        costs=[PAGED],
        permission=Permission.VIEW_USAGE,
        description="The account's calls, newest first: billed calls, free calls and corrections.",
    )
    async def calls(
        self,
        info: Info,
        filter: CallFilterArgument = None,
        first: FirstArgument = DEFAULT_PAGE,
        after: AfterArgument = None,
    ) -> Connection[Call] | None:
        """Resolve `calls`."""
        window = open_window(info, kind=CALLS, first=first, after=after, keys=CURSOR_KEYS)
        page, binds = list_page(window, filter or CallFilter())
        found = await info.context.load(page, **binds)
        return call_connection(found.calls, found.total, window)
