"""Card numbers in texts where none may be: found wherever they stand, in one piece or in groups."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

SHORTEST, LONGEST = 13, 19
FEWEST_IN_GROUP = 3
FIRST_DIGITS = range(2, 7)

# A UUID may by chance have groups of digits alone; it is no card number.
_UUID = re.compile(r"(?<!\w)[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}(?!\w)")

# Digits in groups, with blanks, dashes, dots and the like between.
_SEPARATOR = r"[\s\-.\u00b7\u2022\u2010-\u2015\u2212/_]{1,3}"
_GROUPS = re.compile(rf"\d+(?:{_SEPARATOR}\d+)*")

# Groups with the same letter between, such as an x, and nothing else in the word.
_LETTERED = re.compile(r"(?<!\w)\d{3,6}([^\W\d_])\d{3,6}(?:\1\d{2,6})+(?!\w)")

# What stands before and behind a number: letters are written around one, digits make it a part of something longer, as
# in our ids and in tokens, and a point after a digit makes it a fraction.
_LONGER_BEFORE = re.compile(r"\d(?:[^\W\d]+|\.)\Z")
_LONGER_BEHIND = re.compile(r"[^\W\d]+\d")
_LONGEST_AROUND = 64

# Letters that nobody sees: of no width, and marks on the one before.
_UNSEEN = frozenset({"Cf", "Mn", "Me"})
_GROUP = re.compile(r"\d+")

# Twice a digit, with the digits of that added up.
_DOUBLED = str.maketrans("0123456789", "0246813579")

# The first digits that card networks are known by. Times in milliseconds begin with 1, and dates with 20.
_ISSUER = re.compile(r"[3-6]|2(?:2(?:2[1-9]|[3-9]|0[0-4])|[3-6]|7(?:[01]|20))")


def find_card_numbers(text: str) -> Iterator[tuple[int, int]]:
    """Yield where a card number begins and ends: 13 to 19 digits in a row or in groups, of a network, with its check
    digit, whatever letters are written around it and whatever stands unseen within.
    """
    if len(text) < SHORTEST:
        return
    if text.isascii():
        yield from _find_seen(text)
        return
    places = [place for place, letter in enumerate(text) if unicodedata.category(letter) not in _UNSEEN]
    for begin, end in _find_seen("".join(text[place] for place in places)):
        yield places[begin], places[end - 1] + 1


def _find_seen(text: str) -> Iterator[tuple[int, int]]:
    if "-" in text:
        text = _UUID.sub(lambda match: "x" * len(match[0]), text)
    for match in _GROUPS.finditer(text):
        yield from _find_in_groups([group.span() for group in _GROUP.finditer(text, *match.span())], text)
    for match in _LETTERED.finditer(text):
        if is_card_number("".join(match[0].split(match[1]))):
            yield match.span()


def _find_in_groups(groups: list[tuple[int, int]], text: str) -> Iterator[tuple[int, int]]:
    first = 0
    while first < len(groups):
        after = _end_of_number(groups, first, text)
        if after > first and _is_part_of_longer(text, groups[first][0], groups[after - 1][1]):
            after = first
        if after > first:
            yield groups[first][0], groups[after - 1][1]
        first = max(after, first + 1)


def _is_part_of_longer(text: str, begin: int, end: int) -> bool:
    before, behind = text[max(0, begin - _LONGEST_AROUND) : begin], text[end : end + _LONGEST_AROUND]
    return _LONGER_BEFORE.search(before) is not None or _LONGER_BEHIND.match(behind) is not None


def _end_of_number(groups: list[tuple[int, int]], first: int, text: str) -> int:
    """Return behind which group the longest number ends that begins with a group; `first` where none does."""
    if int(text[groups[first][0]]) not in FIRST_DIGITS:
        return first
    total, after, place = 0, first, first
    while place < len(groups) and total <= LONGEST:
        begin, end = groups[place]
        total += end - begin
        place += 1
        if SHORTEST <= total <= LONGEST:
            taken = [text[slice(*group)] for group in groups[first:place]]
            if _are_written_so(taken) and is_card_number("".join(taken)):
                after = place
    return after


def _are_written_so(groups: list[str]) -> bool:
    """Tell whether people write a card number in such groups: of one size but for the last, or of three and more.

    Dates in a row are groups of four and two.
    """
    *whole, last = [len(group) for group in groups]
    return min(whole, default=last) >= FEWEST_IN_GROUP <= last or (
        len(set(whole)) <= 1 and last <= max(whole, default=last)
    )


def is_card_number(digits: str) -> bool:
    """Tell whether digits are those of a card: as many, as they begin, and with the check digit (Luhn)."""
    if not SHORTEST <= len(digits) <= LONGEST:
        return False
    plain = digits if digits.isascii() else "".join(str(int(digit)) for digit in digits)
    if _ISSUER.match(plain) is None:
        return False
    return (sum(map(int, plain[-1::-2])) + sum(map(int, plain[-2::-2].translate(_DOUBLED)))) % 10 == 0


def holds_card_number(value: object) -> bool:
    """Tell whether a card number stands anywhere in a JSON value: in a text, a number, or the name of a field."""
    waiting = [value]
    while waiting:
        current = waiting.pop()
        if isinstance(current, dict):
            waiting += current.keys()
            waiting += current.values()
        elif isinstance(current, list):
            waiting += current
        elif not isinstance(current, bool) and next(find_card_numbers(str(current)), None) is not None:
            return True
    return False


def without_card_numbers(text: str, replacement: str) -> str:
    """Return a text with the replacement in the place of every card number."""
    for begin, end in reversed(list(find_card_numbers(text))):
        text = text[:begin] + replacement + text[end:]
    return text
