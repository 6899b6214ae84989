"""The audit log in words: who did what to the account, and what it changed, before and after."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.domain.events.kinds import EVENTS
from app.domain.explanations import dollars
from app.views.activity import ActivityEntry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from app.views.activity import ActivityFacts

_PLAN_NAMES = frozenset({"from", "to", "plan"})
_CENTS = "_cents"
_LISTS = frozenset({"paid", "fields", "off", "on", "sent_to"})
"""What is a list of things; elsewhere two values are before and after."""


def activity(facts: ActivityFacts) -> list[ActivityEntry]:
    """Return the events in words, in their order."""
    return [
        ActivityEntry(
            event=event,
            who=_who(event.actor, event.actor_name),
            what=_what(event.kind, said := dict(_details(event.data, facts))),
            details=[(_title(name), value) for name, value in said.items()],
        )
        for event in facts.events
    ]


def _who(actor: str, name: str | None) -> str:
    kind, _, rest = actor.partition(":")
    if kind == "user":
        return name or "A former user"
    if kind == "staff":
        return f"{rest} of our staff"
    if kind in {"key", "service"}:
        return f"SAS Flex ({rest})"
    if actor == "contact":
        return "The payment contact"
    return "Automatically" if actor == "system" else actor


def _what(kind: str, said: Mapping[str, str]) -> str:
    event = EVENTS.get(kind)
    if event is None or event.sentence is None:
        return f"{_title(kind.replace('.', ' '))}."
    return event.sentence.format_map(_Said(said))


class _Said(dict[str, str]):
    """Data of an event in words; what an older event does not have is left open."""

    def __missing__(self, name: str) -> str:
        return "…"


def _details(data: Mapping[str, Any], facts: ActivityFacts) -> Iterator[tuple[str, str]]:
    for name, value in data.items():
        if isinstance(value, list) and len(value) == 2 and name not in _LISTS:
            yield name, " → ".join(_value(name, one, facts) for one in value)
        else:
            yield name, _value(name, value, facts)


def _value(name: str, value: Any, facts: ActivityFacts) -> str:  # noqa: ANN401 -- any JSON value
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(_value(name, one, facts) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{_title(key)}: {_value(key, one, facts)}" for key, one in value.items())
    return _plain_value(name, value, facts)


def _plain_value(name: str, value: Any, facts: ActivityFacts) -> str:  # noqa: ANN401 -- a text, number or truth
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith(_CENTS) and isinstance(value, int):
        return dollars(value)
    names = facts.plan_names if name in _PLAN_NAMES else facts.add_on_names if name == "add_on" else {}
    return names.get(str(value), str(value))


def _title(name: str) -> str:
    """Return a name of data for people: `amount_due_cents` is `Amount due`."""
    return name.removesuffix(_CENTS).replace("_", " ").capitalize()
