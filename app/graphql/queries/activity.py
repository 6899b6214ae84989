"""What happened to the account, and to its plan."""

import strawberry

from app.graphql.connections import (
    DEFAULT_PAGE,
    AfterArgument,
    Connection,
    FirstArgument,
    Keys,
    open_window,
    page_of,
)
from app.graphql.context import Info
from app.graphql.cost import PAGED, cost
from app.graphql.permissions import Permission, root_field
from app.graphql.types.activity import Activity
from app.repositories.pages.activity import LAST_ID, activity_page
from app.services.operations.activity import activity
from app.views.activity import ActivityEntry

ACTIVITY = "activity"
PLAN_HISTORY = "planHistory"
PLAN_EVENTS = "plan."


async def load_activity(info: Info, kind: str, first: int, after: str | None, prefix: str = "") -> Connection[Activity]:
    """Return a page of the account's audit log.

    :raises BadInput: when `first` is out of bounds, or `after` is no cursor of this list.
    """
    window = open_window(info, kind=kind, first=first, after=after, keys=(str,))
    page = activity_page(prefix=prefix, is_counted=window.is_counted)
    after_id = LAST_ID if window.after is None else str(window.after[0])
    facts = await info.context.load(page, after_id=after_id, fetch=window.fetch)
    return page_of(activity(facts), window, node=Activity.of, keys=_keys, total=facts.total)


async def load_entry(info: Info, id: str) -> Activity | None:
    """Return one entry of the account's audit log: the list, begun right behind its id."""
    facts = await info.context.load(activity_page(), after_id=f"{id}{LAST_ID}", fetch=1)
    return next((Activity.of(entry) for entry in activity(facts) if entry.event.id == id), None)


def _keys(entry: ActivityEntry) -> Keys:
    return (entry.event.id,)


@strawberry.type
class ActivityQueries:
    """Root fields of the audit log."""

    @root_field(
        costs=[cost(150), PAGED],
        permission=Permission.VIEW_ACTIVITY,
        description=(
            "The account's audit log, newest first: who did what, and what it changed. Calls have a list of their own."
        ),
    )
    async def activity(
        self, info: Info, first: FirstArgument = DEFAULT_PAGE, after: AfterArgument = None
    ) -> Connection[Activity] | None:
        """Resolve `activity`."""
        return await load_activity(info, ACTIVITY, first, after)

    @root_field(
        costs=[cost(150), PAGED],
        permission=Permission.VIEW_PLANS,
        description="Plan changes, newest first: changes, scheduled and cancelled changes, and automatic upgrades.",
    )
    async def plan_history(
        self, info: Info, first: FirstArgument = DEFAULT_PAGE, after: AfterArgument = None
    ) -> Connection[Activity] | None:
        """Resolve `planHistory`."""
        return await load_activity(info, PLAN_HISTORY, first, after, PLAN_EVENTS)
