"""Two small tables of the tests' own, with every column type that rows may have."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import MetaData, UniqueConstraint
from sqlmodel import SQLModel

from app.models.base import (
    NAMING_CONVENTION,
    day,
    enum_text,
    flag,
    identifier,
    instant,
    json_value,
    minor_units,
    reference,
    text,
    whole_number,
)

METADATA = MetaData(naming_convention=NAMING_CONVENTION)


class Mood(StrEnum):
    """An enum whose values differ from the names of its members."""

    CALM = "calm"
    LOUD = "very loud"


class ThingRow(SQLModel, table=True):
    """One of each column type, and one of each that may be null."""

    __tablename__ = "thing"
    __table_args__ = (UniqueConstraint("source", "event"),)
    metadata: ClassVar[MetaData] = METADATA

    id: str = identifier()
    source: str = text()
    event: str = text()
    mood: Mood = enum_text(Mood)
    amount_cents: int = minor_units()
    is_final: bool = flag()
    on: date = day()
    at: datetime = instant()
    data: dict[str, Any] = json_value()
    note: str | None = text(default=None)
    other_mood: Mood | None = enum_text(Mood, name="other_mood", default=None)
    seconds: int | None = whole_number(default=None)
    is_odd: bool | None = flag(default=None)
    later_on: date | None = day(default=None)
    later_at: datetime | None = instant(default=None)
    more: list[Any] | None = json_value(default=None)


class PieceRow(SQLModel, table=True):
    """A part of a thing."""

    __tablename__ = "piece"
    metadata: ClassVar[MetaData] = METADATA

    id: str = identifier()
    thing_id: str = reference("thing.id")
    position: int = whole_number()
    amount_cents: int = minor_units()
