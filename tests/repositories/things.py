"""Builders of the test tables' rows, plain and awkward."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from tests.repositories.tables import Mood, ThingRow

COLUMNS = tuple(ThingRow.__table__.columns.keys())


def a_thing(identifier: str, **changes: Any) -> ThingRow:
    """A row with every column that must be filled."""
    values: dict[str, Any] = {
        "id": identifier,
        "source": "switch",
        "event": identifier,
        "mood": Mood.LOUD,
        "amount_cents": 13_900,
        "is_final": True,
        "on": date(1999, 1, 31),
        "at": datetime(1999, 2, 1, 8, 0, 0, 123_456, tzinfo=UTC),
        "data": {"rule": 13, "steps": [1, {"deep": None}]},
    }
    return ThingRow(**(values | changes))


def awkward_things() -> list[ThingRow]:
    """Rows with the values that storage and JSON get wrong first."""
    pacific = timezone(timedelta(hours=-8))
    full = {
        "note": '\x01\t\n\x1f\x7f"\\/<é漢😀>',
        "other_mood": Mood.CALM,
        "seconds": -(2**63),
        "is_odd": False,
        "later_on": date(9999, 12, 31),
        "later_at": datetime(1999, 1, 31, 16, 0, tzinfo=pacific),
        "more": [],
    }
    return [
        a_thing("a"),
        a_thing("b", amount_cents=2**63 - 1, is_final=False, **full),
        a_thing("c", amount_cents=-1, mood=Mood.CALM, data={}, on=date(1, 1, 1)),
        a_thing("d", note="", more=["50% of %s ?", {"ключ": "\x02"}, True, 2**53 + 1], is_odd=True, seconds=0),
        a_thing("e", at=datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), later_at=datetime(1, 1, 1, tzinfo=UTC)),
    ]


def as_tuple(row: ThingRow) -> tuple[Any, ...]:
    """The row's values in the table's order."""
    return tuple(getattr(row, name) for name in COLUMNS)
