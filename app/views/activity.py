"""The audit log as people read it: who did what, when, and what it changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True)
class ActivityEvent:
    """One event as it is stored; `actor_name` is the person's where a user did it, `origin` from where."""

    id: str
    kind: str
    actor: str
    actor_name: str | None
    occurred_at: datetime
    request_id: str | None
    data: Mapping[str, Any]
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class ActivityFacts:
    """A part of an account's audit log, newest first, and the names of what it speaks of by id or code."""

    events: Sequence[ActivityEvent]
    total: int | None
    plan_names: Mapping[str, str]
    add_on_names: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """An event in words; `details` are what it changed, by name."""

    event: ActivityEvent
    who: str
    what: str
    details: Sequence[tuple[str, str]]
