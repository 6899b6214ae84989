"""The audit log: who did what to the account, when, and what it changed."""

from datetime import datetime

import strawberry

from app.graphql.cost import holds
from app.graphql.types.node import Node
from app.views import activity as views


@strawberry.type(description="One value that was changed, recorded or issued.")
class ActivityDetail:
    """A name and a value."""

    name: str = strawberry.field(description="The name of the value, such as `Amount`.")
    value: str = strawberry.field(
        description="The new value. If there was an earlier one, it comes first, followed by an arrow."
    )


@strawberry.type(description="One entry of the account's audit log. Entries are only ever added.")
class Activity(Node):
    """Built from an entry's view with `Activity.of`."""

    id: strawberry.ID = strawberry.field(description="Identifies the entry.")
    kind: str = strawberry.field(description="The kind of event, for programs, such as `plan.changed`.")
    who: str = strawberry.field(description="Who caused the event: a person's name, our staff, or the billing system.")
    what: str = strawberry.field(description="The event in one sentence.")
    details: list[ActivityDetail] = strawberry.field(directives=[holds(4)], description="The individual changes.")
    occurred_at: datetime = strawberry.field(description="When the event happened.")
    origin: str | None = strawberry.field(
        description=(
            "Where the event came from: the IP address of the device, or `command line` for our "
            "staff. Null for automatic events and those from another of our systems."
        )
    )
    request_id: str | None = strawberry.field(
        description=(
            "The id of the API request that caused the event, as returned in `x-request-id`. Null if no app caused it."
        )
    )

    @classmethod
    def of(cls, entry: views.ActivityEntry) -> "Activity":
        """Return an entry for clients."""
        event = entry.event
        return cls(
            id=strawberry.ID(event.id),
            kind=event.kind,
            who=entry.who,
            what=entry.what,
            details=[ActivityDetail(name=name, value=value) for name, value in entry.details],
            occurred_at=event.occurred_at,
            origin=event.origin,
            request_id=event.request_id,
        )
