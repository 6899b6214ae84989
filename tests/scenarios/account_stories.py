"""Stories of an account: what happens and when, as plain numbers that a seed or Hypothesis draws."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Los_Angeles")
CARD_KINDS = ("decline", "pay_now", "refund", "refund_part", "bank_return")
KINDS = (
    *("calls", "correct_up", "correct_down", "upgrade", "turn"),
    *("change", "change_later", "cancel_change", "buy", "cancel_add_on", "keep_add_on"),
    *("pay", "recover", "goodwill", "prepay", "charge", "waive", "tax", "end_tax"),
    *("note_all", "note_line", "note_part", "write_off", "void"),
    *CARD_KINDS,
)
"""Every kind of act; the last can only happen where there is a card."""

WEIGHTS = {
    **dict.fromkeys(KINDS, 3),
    **dict.fromkeys(("calls", "turn", "buy", "cancel_add_on", "charge", "write_off", "pay_now"), 1),
    **dict.fromkeys(("change", "change_later", "pay"), 2),
    **dict.fromkeys(("keep_add_on", "upgrade", "note_all"), 4),
    **dict.fromkeys(("recover", "refund", "bank_return", "cancel_change", "refund_part"), 5),
    "decline": 6,
}
"""How often each is drawn: less where it also comes before others, more where it needs much before it can happen."""

QUIET = (*("calls",) * 4, "upgrade", "pay")
"""Nobody changes the plan, so that automatic upgrades come to their fourth."""

BEFORE: dict[str, tuple[str, ...]] = {
    "correct_up": ("calls",),
    "correct_down": ("calls",),
    "upgrade": ("talk",),
    "cancel_change": ("change_later",),
    "cancel_add_on": ("buy",),
    "keep_add_on": ("buy", "cancel_add_on"),
    "recover": ("turn", "write_off"),
    "waive": ("charge",),
    "note_all": ("turn",),
    "note_line": ("turn",),
    "note_part": ("turn",),
    "write_off": ("turn",),
    "void": ("turn",),
    "pay_now": ("turn",),
    "refund": ("turn", "pay_now"),
    "refund_part": ("turn", "pay_now"),
    "bank_return": ("turn", "pay_now"),
}
"""What makes it likely that an act of a kind finds something to act upon."""

JUMPS = ("none", "none", "minutes", "hours", "days", "days", "turn", "turn", "turn")
FIRST_DAYS = (
    date(2026, 1, 1),
    date(2026, 2, 1),
    date(2026, 3, 1),
    date(2026, 9, 1),
    date(2026, 10, 1),
    date(2026, 12, 1),
)


@dataclass(frozen=True, slots=True)
class Action:
    """Something that happens after a `jump` of `size`; `number` decides about the details."""

    kind: str
    jump: str
    size: int
    number: int


@dataclass(frozen=True, slots=True)
class Story:
    """With a card what is bought is paid first, and every second charge is declined (rule 17)."""

    first_day: date
    paid_day: int
    plan: int
    actions: tuple[Action, ...]
    has_card: bool = False


def random_story(seed: str, most_pairs: int = 5, wanted: Sequence[tuple[str, str]] = ()) -> Story:
    """Most stories are made of pairs of acts drawn on purpose, each with what makes it likely that both happen.

    Where pairs are `wanted`, the story is made of these alone.
    """
    dice = random.Random(seed)
    first_day, paid_day = dice.choice(FIRST_DAYS), dice.choice((1, 1, dice.randint(2, 28)))
    if wanted:
        actions = [action for pair in dice.choices(wanted, k=4) for action in _prepared(dice, *pair)]
    else:
        actions = _quiet(dice) if dice.randrange(8) == 0 else _pairs(dice, most_pairs)
    has_card = any(action.kind in CARD_KINDS for action in actions) or dice.randrange(2) == 1
    return Story(first_day, paid_day, dice.randrange(5), tuple(actions), has_card=has_card)


def _quiet(dice: random.Random) -> list[Action]:
    return [_action(dice, dice.choice(QUIET)) for _ in range(dice.randint(4, 30))]


def _pairs(dice: random.Random, most_pairs: int) -> list[Action]:
    kinds = KINDS if dice.randrange(4) else KINDS[: -len(CARD_KINDS)]
    weights = [WEIGHTS[kind] for kind in kinds]
    actions = []
    for _ in range(dice.randint(1, most_pairs)):
        first, second = dice.choices(kinds, weights, k=2)
        if dice.randrange(5):
            actions += _prepared(dice, first, second)
        else:
            actions += [_action(dice, first), _action(dice, second)]
    return actions


def _prepared(dice: random.Random, first: str, second: str) -> list[Action]:
    number = dice.randrange(1 << 16)
    return [_at_once(dice, kind, number) for kind in (*_before(first, second), first, second)]


def _before(*kinds: str) -> list[str]:
    """What makes it likely that acts of both kinds happen; a month that turns comes first, for it takes much along."""
    groups = dict.fromkeys((BEFORE.get(kind, ()), kind == "void") for kind in kinds)
    turning = sorted((group for group in groups if "turn" in group[0]), key=lambda group: -len(group[0]))
    needed = [group for place, (group, is_void) in enumerate(turning) if place == 0 or is_void or len(group) > 1]
    return [kind for group in (*needed, *(group for group, _ in groups if "turn" not in group)) for kind in group]


def _action(dice: random.Random, kind: str) -> Action:
    return Action(kind, dice.choice(JUMPS), dice.randrange(1 << 16), dice.randrange(1 << 16))


def _at_once(dice: random.Random, kind: str, number: int) -> Action:
    """An act soon after another, with nothing in between; what concerns an add-on concerns the same one."""
    details = dice.randrange(1 << 14) * 4 + number % 4
    if kind in {"change", "change_later", "buy", "calls"}:
        while details // 14 % 6 == 0 or details // 14 % 4 == 3 or details // 7 % 5 == 0 or details % 3 == 0:
            details = dice.randrange(1 << 14) * 4 + number % 4
    return Action(kind, dice.choice(("none", "none", "hours")), dice.randrange(1 << 16), details)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


def wall(on: date, hour: float) -> datetime:
    return (datetime(on.year, on.month, on.day, tzinfo=ZONE) + timedelta(hours=hour)).astimezone(UTC)
