"""The XML of the wire, read and written without the SDK's own parser, so that a fault of one is seen by the other."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class BodyUnreadable(ValueError):
    """The request's body is no XML of ours."""


@dataclass(frozen=True, slots=True)
class Items:
    """A typed array, each value under the same tag; an empty one stays an empty list."""

    tag: str
    values: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Collection:
    """Repeated children without an array around them, as search pages have them; `head` stands before them."""

    tag: str
    values: Sequence[Any] = ()
    head: Mapping[str, Any] = field(default_factory=dict)


def encode(root: str, value: object) -> bytes:
    """Return a document; tags get dashes, and everything but text says its type."""
    return (HEAD + "".join(_element(root, value))).encode()


def _element(tag: str, value: object) -> Iterator[str]:
    name = tag.replace("_", "-")
    match value:
        case dict():
            yield from _wrapped(name, "", (part for key, each in value.items() for part in _element(key, each)))
        case Items(child, values):
            yield from _wrapped(name, ' type="array"', (part for each in values for part in _element(child, each)))
        case Collection(child, values, head):
            children = (*head.items(), *((child, each) for each in values))
            yield from _wrapped(
                name, ' type="collection"', (part for key, each in children for part in _element(key, each))
            )
        case None:
            # A type beside it would make the SDK convert nothing, and fail.
            yield f'<{name} nil="true"/>'
        case _:
            kind, text = _typed(value)
            yield f"<{name}{kind}>{escape(text)}</{name}>"


def _wrapped(name: str, attributes: str, parts: Iterator[str]) -> Iterator[str]:
    yield f"<{name}{attributes}>"
    yield from parts
    yield f"</{name}>"


def _typed(value: object) -> tuple[str, str]:
    match value:
        case bool():
            return ' type="boolean"', str(value).lower()
        case int():
            return ' type="integer"', str(value)
        case datetime():
            return ' type="datetime"', f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        case date():
            return ' type="date"', value.isoformat()
        case _:
            return "", str(value)


def decode(body: bytes) -> dict[str, Any]:
    """Return the root's content under its name, names with underscores.

    :raises BodyUnreadable: when the body is no XML, or declares entities.
    """
    if not body.strip():
        return {}
    if b"<!" in body:
        raise BodyUnreadable("declarations are not accepted")
    try:
        root = ET.fromstring(body)  # noqa: S314  (as above)
        return {_name(root): _content(root)}
    except (ET.ParseError, ValueError) as error:
        raise BodyUnreadable(str(error)) from None


def _name(element: ET.Element) -> str:
    return element.tag.replace("-", "_")


def _content(element: ET.Element) -> Any:
    kind, text = element.get("type"), element.text or ""
    if kind == "array":
        return [_content(child) for child in element]
    if len(element):
        return {_name(child): _content(child) for child in element}
    if element.get("nil") == "true":
        return None
    return _READERS.get(kind or "", str)(text)


def parse_time(text: str) -> datetime:
    """Read an instant of the wire; without an offset it is UTC."""
    found = datetime.fromisoformat(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


_READERS: dict[str, Callable[[str], Any]] = {
    "integer": int,
    "boolean": lambda text: text in {"true", "1"},
    "datetime": parse_time,
}
