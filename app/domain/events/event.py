"""The base of every event of the audit log, and how its fields are stored."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from enum import StrEnum
from types import UnionType
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias, TypeVar, get_args, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Mapping

T = TypeVar("T")
E = TypeVar("E", bound="Event")

BeforeAfter: TypeAlias = tuple[T, T]
"""A value before the event and after it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened. A kind is a subclass; its fields are stored in their order, and never renamed.

    `kind` is stored with them. `sentence` says the event in words, with stored names in braces; a kind without one is
    shown by its name. A field whose default is None is left out while it is None.
    """

    kind: ClassVar[str]
    sentence: ClassVar[str | None] = None


def change_of(before: T, after: T) -> BeforeAfter[T] | None:
    """Return both values, or None where nothing changed."""
    return None if before == after else (before, after)


def stored_name(name: str) -> str:
    """Return the name under which a field is stored: `from_` and `kind_` lose the underscore that Python needs."""
    return name.removesuffix("_")


def write_event(event: Event) -> dict[str, Any]:
    """Return the fields of an event as JSON values, dates and instants as ISO text."""
    return {
        stored_name(field.name): _written(value)
        for field in fields(event)
        if (value := getattr(event, field.name)) is not None or field.default is not None
    }


def read_event(kind: type[E], data: Mapping[str, Any]) -> E:
    """Return an event from its stored data. What an older row lacks is None, and what only it has is left out."""
    hints = _hints(kind)
    found: dict[str, Any] = {
        field.name: _read(hints[field.name], data.get(stored_name(field.name))) for field in fields(kind)
    }
    return kind(**found)


def _written(value: object) -> object:
    if isinstance(value, date):
        return value.isoformat()
    return [_written(one) for one in value] if isinstance(value, tuple) else value


def _read(hint: object, value: object) -> object:
    if isinstance(hint, UnionType):  # such as `date | None`
        hint = get_args(hint)[0]
    if isinstance(value, list):
        item = get_args(hint)[0]
        return tuple(_read(item, one) for one in value)
    if isinstance(value, str) and isinstance(hint, type):
        if issubclass(hint, date):
            return hint.fromisoformat(value)
        return hint(value) if issubclass(hint, StrEnum) else value
    return value


def _hints(kind: type[Event]) -> dict[str, object]:
    """Return the types of the fields of a kind, which take long to find out."""
    if kind not in _HINTS:
        _HINTS[kind] = get_type_hints(kind)
    return _HINTS[kind]


_HINTS: dict[type[Event], dict[str, object]] = {}
