"""Names that customers type: in one script, and nothing that a mail program or a reader takes for a link (rule 39)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from app.domain.contacts import InvalidContact

if TYPE_CHECKING:
    from linkify_it import LinkifyIt

_DOTS = dict.fromkeys(map(ord, "\u3002\uff61\u2024\u0660\u06f0\u0701\u0702\ua4f8\ua60e\U00010a50\U0001d16d"), ".")
"""What browsers read as a dot of a domain (UTS 46), and what looks like one (UTS 39, confusables of the full stop)."""

_UNSEEN = re.compile("[\u034f\u200c\u200d\ufe00-\ufe0f]")
_INITIAL = re.compile(r"\b([A-Z])\.(?=(?:al|da|de|di|do|in|la|le|st|van)\b *['\u2019]?\w)")
"""An initial before a particle, as in `J.de Vries`: a domain of one letter would be written in small letters."""

_LINK = re.compile(r"://|@|\bwww\.|\w\.[a-z]{2,}/\S")
"""What asks to be followed even where no such domain can exist."""

_WITH_LATIN = frozenset({"Jpan", "Hanb", "Kore"})
_AUGMENTED = {
    "Hani": frozenset({"Hanb", "Jpan", "Kore"}),
    "Hira": frozenset({"Jpan"}),
    "Kana": frozenset({"Jpan"}),
    "Hang": frozenset({"Kore"}),
    "Bopo": frozenset({"Hanb"}),
}
_OF_ANY_SCRIPT = frozenset({"Zyyy", "Zinh"})


def check_typed_name(field: str, text: str) -> None:
    """Check a name or title that a customer has typed and others will read.

    :raises InvalidContact: naming the field, when it looks like a link or mixes scripts.
    """
    if is_link_like(text):
        raise InvalidContact(field, f"The {field} looks like a link. Give the {field} alone.")
    if not is_highly_restrictive(text):
        raise InvalidContact(field, f"The {field} mixes letters of different scripts. Write it in one.")


def is_link_like(text: str) -> bool:
    """Tell whether a text holds an address of the web or of a mailbox, also with dots and letters that look alike."""
    seen = _UNSEEN.sub("", unicodedata.normalize("NFKC", text).translate(_DOTS)).replace("_", " ")
    plain = _INITIAL.sub(r"\1. ", seen)
    return _LINK.search(plain) is not None or _links().test(plain)


def is_highly_restrictive(text: str) -> bool:
    """Tell whether a text is in one script, or in Latin beside Chinese, Japanese or Korean (UTS 39, section 5.2)."""
    sets = [scripts for letter in text if (scripts := _scripts(letter))]
    others = [scripts for scripts in sets if "Latn" not in scripts]
    is_single = not sets or bool(frozenset.intersection(*sets))
    return is_single or not others or bool(frozenset.intersection(_WITH_LATIN, *others))


def _scripts(letter: str) -> frozenset[str]:
    """Return the augmented scripts of a letter (UTS 39, section 5.1); none where it is of every script."""
    from fontTools import unicodedata as scripts

    found = frozenset(scripts.script_extension(letter))
    return frozenset() if found & _OF_ANY_SCRIPT else found.union(*(_AUGMENTED.get(script, ()) for script in found))


@cache
def _links() -> LinkifyIt:
    """Return the recogniser of links, which knows every ending of the public suffix list."""
    from linkify_it import LinkifyIt
    from publicsuffixlist import PSLFILE

    lines = Path(PSLFILE).read_text(encoding="utf-8").splitlines()
    endings = {line.strip().rpartition(".")[2] for line in lines if line.strip() and not line.startswith("//")}
    return LinkifyIt().tlds(sorted(endings), keep_old=False)
