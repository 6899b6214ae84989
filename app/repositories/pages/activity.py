"""An account's audit log, newest first, a page at a time."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, func, select
from sqlmodel import col

from app.domain.events.operations import UsageRecorded
from app.models.accounts import UserRow
from app.models.add_ons import AddOnVersionRow
from app.models.events import EventRow
from app.models.plans import PlanVersionRow
from app.repositories.conditions import beyond
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.activity import ActivityEvent, ActivityFacts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.repositories.conditions import Sql
    from app.repositories.sql_json import Rows

_ID = col(EventRow.id)
_USER = "user:"

_EVENTS = select(
    _ID,
    col(EventRow.kind),
    col(EventRow.actor),
    col(UserRow.name).label("actor_name"),
    col(EventRow.occurred_at),
    col(EventRow.request_id),
    col(EventRow.data),
    col(EventRow.origin),
).outerjoin(UserRow, col(UserRow.id) == func.substr(col(EventRow.actor), len(_USER) + 1))

_PLANS = select(col(PlanVersionRow.id), col(PlanVersionRow.name))
_ADD_ONS = select(col(AddOnVersionRow.code), col(AddOnVersionRow.name)).order_by(col(AddOnVersionRow.valid_from))

LAST_ID = "~"
"""Behind every id of an event."""


@cache
def activity_page(*, prefix: str = "", is_counted: bool = False) -> Page[ActivityFacts]:
    """Return the page of the events whose kind begins with a prefix; calls that came in have a list of their own.

    Binds: `after_id` (`LAST_ID` at first) and `fetch`.
    """
    shown = [own(col(EventRow.account_id)), col(EventRow.kind) != UsageRecorded.kind]
    if prefix:
        shown.append(col(EventRow.kind).startswith(prefix, autoescape=True))
    newest = _EVENTS.where(*shown, beyond((_ID,), ("after_id",), descending=True)).order_by(_ID.desc())
    parts: dict[str, Sql] = {"events": newest.limit(bindparam("fetch")), "plans": _PLANS, "add_ons": _ADD_ONS}
    if is_counted:
        parts["count"] = select(func.count()).select_from(EventRow).where(*shown)
    return Page(f"activity {prefix}", parts, _assemble)


def _assemble(
    events: Rows, plans: Sequence[tuple[str, str]], add_ons: Sequence[tuple[str, str]], count: Sequence[tuple[int]] = ()
) -> ActivityFacts:
    return ActivityFacts(
        events=[ActivityEvent(*row) for row in events],
        total=count[0][0] if count else None,
        plan_names=dict(plans),
        add_on_names=dict(add_ons),
    )
