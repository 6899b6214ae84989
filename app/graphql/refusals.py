"""Expected refusals on their way into a result's union; `refusal_members.py` says which becomes what."""

# A refusal is any of many types, and carries its own data.
# ruff: noqa: ANN401

from collections.abc import Callable
from typing import Any

Translate = Callable[[Any], Any]

_MEMBERS: dict[type[Exception], Translate] = {}


def becomes(members: dict[type[Exception], Translate]) -> None:
    """Say which member of a union each refusal becomes.

    :raises ValueError: when a refusal has a member already.
    """
    twice = members.keys() & _MEMBERS.keys()
    if twice:
        raise ValueError(f"refusals with two members: {sorted(refusal.__name__ for refusal in twice)}")
    _MEMBERS.update(members)


def as_member(refusal: Exception) -> Any:
    """Return the union member of an expected refusal, or None when it is not one."""
    translate = _MEMBERS.get(type(refusal))
    return None if translate is None else translate(refusal)


def known_refusals() -> frozenset[type[Exception]]:
    """Return every refusal that has a member, for the test that asks whether all are shown."""
    return frozenset(_MEMBERS)
