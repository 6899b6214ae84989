"""Stories of an account: what happens and when, as plain numbers that a seed or Hypothesis draws."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("America/Los_Angeles")
KINDS = (
    *("calls",) * 7,
    *("change",) * 6,
    *("upgrade",) * 3,
    *("correct", "cancel_change", "buy", "buy", "cancel_add_on", "keep_add_on", "pay", "pay"),
    *("goodwill", "prepay", "charge", "tax", "credit_note"),
)
QUIET = (*("calls",) * 4, "upgrade", "pay")
"""Nobody changes the plan, so that automatic upgrades come to their fourth."""

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


def random_story(seed: str) -> Story:
    dice = random.Random(seed)
    kinds = KINDS if dice.randrange(3) else QUIET
    actions = tuple(
        Action(dice.choice(kinds), dice.choice(JUMPS), dice.randrange(1 << 16), dice.randrange(1 << 16))
        for _ in range(dice.randint(4, 30))
    )
    first_day, paid_day = dice.choice(FIRST_DAYS), dice.choice((1, 1, dice.randint(2, 28)))
    return Story(first_day, paid_day, dice.randrange(5), actions, has_card=dice.randrange(2) == 1)


class Clock:
    def __init__(self, now: datetime) -> None:
        self.instant = now

    def now(self) -> datetime:
        return self.instant


def wall(on: date, hour: float) -> datetime:
    return (datetime(on.year, on.month, on.day, tzinfo=ZONE) + timedelta(hours=hour)).astimezone(UTC)
