"""The one reader of JSON that others send, whatever door it comes in by: strict, so that two readers never differ."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import orjson

if TYPE_CHECKING:
    from app.domain.json_values import Json

DEEPEST = 32
"""How many levels a text may be nested; nothing that we read has more than six."""

LONGEST_KEY_SHOWN = 64

_MARK = "\N{ZERO WIDTH NO-BREAK SPACE}"


class NotJson(ValueError):
    """The text is not JSON in UTF-8, or not as we read it; `reason` says where and why, without a full stop."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"The text is not JSON: {reason}.")
        self.reason = reason


class _RepeatedKey(ValueError):
    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key


def read_json(text: bytes | str) -> Json:
    """Return the value of a JSON text.

    A byte order mark before it is ignored. NaN, Infinity, numbers beyond a double and lone surrogates are no JSON; a
    key that an object has twice is refused, for the next reader might take the other one.

    :raises NotJson: when it is not JSON, or nested more than 32 levels deep.
    """
    plain = without_mark(text)
    try:
        value: Json = orjson.loads(plain)
    except orjson.JSONDecodeError as error:
        raise NotJson(str(error)) from None
    if _is_too_deep(value):
        raise NotJson(f"it is nested more than {DEEPEST} levels deep")
    try:
        # orjson takes the last one of two keys, and has no way to say so.
        json.loads(plain, object_pairs_hook=_without_repetition)
    except _RepeatedKey as error:
        raise NotJson(f"the key {error.key!r} is there twice") from None
    return value


def without_mark(text: bytes | str) -> bytes | str:
    """Return a text without the byte order mark that some editors and languages put before it."""
    return text.removeprefix(_MARK.encode()) if isinstance(text, bytes) else text.removeprefix(_MARK)


def _without_repetition(pairs: list[tuple[str, object]]) -> None:
    keys = {key for key, _ in pairs}
    if len(keys) == len(pairs):
        return
    for key, _ in pairs:
        if key not in keys:
            raise _RepeatedKey("".join(c if c.isprintable() else "?" for c in key[:LONGEST_KEY_SHOWN]))
        keys.remove(key)


def _is_too_deep(value: Json) -> bool:
    level: list[Json] = [value]
    for _ in range(DEEPEST):
        level = [child for parent in level for child in _children(parent) if isinstance(child, dict | list)]
        if not level:
            return False
    return True


def _children(parent: Json) -> list[Json]:
    if isinstance(parent, dict):
        return list(parent.values())
    return parent if isinstance(parent, list) else []
