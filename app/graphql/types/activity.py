"""The trail: who did what to the account, when, and what it changed."""

from datetime import datetime

import strawberry

from app.views import activity as views


@strawberry.type(description="One thing that was changed, recorded or issued, in words.")
class ActivityDetail:
    """A name and a value."""

    name: str = strawberry.field(description="What it is, such as `Amount`.")
    value: str = strawberry.field(description="How it is now; with an arrow from what it was before.")


@strawberry.type(description="One thing that happened to the account. Entries are added, and never changed.")
class Activity:
    """Built from an entry's view with `Activity.of`."""

    id: strawberry.ID = strawberry.field(description="Names the entry.")
    kind: str = strawberry.field(description="What kind of thing happened, for a program, such as `plan.changed`.")
    who: str = strawberry.field(description="Who did it: a person's name, our staff, or that it came by itself.")
    what: str = strawberry.field(description="What happened, in one sentence.")
    details: list[ActivityDetail] = strawberry.field(description="What it changed, one by one.")
    occurred_at: datetime = strawberry.field(description="When it happened.")
    origin: str | None = strawberry.field(
        description="From where it was done: the address of the device, or `command line` for our staff; null where it "
        "came by itself or from another system of ours."
    )
    request_id: str | None = strawberry.field(
        description="The request that did it, as the app saw it in `x-request-id`; null where no app did it."
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
