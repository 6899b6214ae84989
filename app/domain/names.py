"""Names of accounts, people and contacts: which characters none of them holds, wherever it is shown."""

from __future__ import annotations

import unicodedata

_BREAKING = frozenset({"Cc", "Cs", "Zl", "Zp"})
"""Controls (line breaks among them), halves of characters, and the separators of lines and paragraphs."""

_BIDI_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They make what follows read backwards (Unicode: Bidi_Control); letters of right-to-left scripts need none."""

_UNSEEN = frozenset({"Cf", "Co", "Cn"})
_JOINERS = frozenset("\u200c\u200d")
"""Persian and the scripts of India spell with them."""

_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and a symbol that look like nothing."""


def is_breaking(text: str) -> bool:
    """Tell whether a text holds a control, bidi or line-separator character, or half a character."""
    return any(unicodedata.category(letter) in _BREAKING or letter in _BIDI_CONTROLS for letter in text)


def is_unprintable(text: str) -> bool:
    """Tell whether a text is breaking, or holds what cannot be seen or is no character (yet)."""
    return is_breaking(text) or any(
        letter in _FILLERS or (unicodedata.category(letter) in _UNSEEN and letter not in _JOINERS) for letter in text
    )


def is_blank(text: str) -> bool:
    """Tell whether nothing of a text can be seen."""
    return all(unicodedata.category(letter)[0] in "ZCM" or letter in _FILLERS for letter in text)
