"""Names inside mails, written so that no mail program makes a link of them."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from app.domain.announcements import Facts

WORD_JOINER = "\u2060"
"""It takes no room and forbids a line break; links end at it."""

_INSIDE_A_LINK = re.compile(r"([.:/@。．｡])(?=\S)")  # noqa: RUF001 -- dots of domains


def defused(text: str) -> str:
    """Return a text that reads the same and that nothing recognises as an address of the web or of a mailbox."""
    return _INSIDE_A_LINK.sub(rf"\1{WORD_JOINER}", text)


def defused_facts(facts: Facts) -> Facts:
    """Return facts with every text in them defused: names are among them, and none of ours is a link."""
    safe: dict[str, Any] = {field.name: _defused(getattr(facts, field.name)) for field in fields(facts)}
    return replace(facts, **safe)


def _defused(value: object) -> object:
    if isinstance(value, str):
        return defused(value)
    return tuple(map(_defused, value)) if isinstance(value, tuple) else value
