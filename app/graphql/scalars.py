"""Dates, instants and exact decimals as clients see them: one spelling each, whatever Python object stands behind."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import NewType

import strawberry
from graphql import GraphQLError
from strawberry.types.scalar import ScalarDefinition

DecimalText = NewType("DecimalText", str)
"""An exact decimal that is already written out, with the digits it is to be shown with."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_DECIMAL = re.compile(r"-?\d{1,18}(\.\d{1,9})?", re.ASCII)


def write_date(value: object) -> str:
    """Return a billing date as `YYYY-MM-DD`.

    :raises TypeError: for anything but a date; an instant has to become a billing date in the core first (rule 1).
    """
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"A Date cannot show a {type(value).__name__}.")


def write_instant(value: object) -> str:
    """Return an aware instant in UTC with exactly three decimals of a second and a `Z`.

    :raises TypeError: for anything but an aware datetime.
    """
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise TypeError(f"A DateTime cannot show a {type(value).__name__} without a zone.")
    return value.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def write_decimal(value: object) -> str:
    """Return an exact decimal in plain digits, never with an exponent.

    :raises TypeError: for anything that is not exact.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal):
        return f"{value:f}"
    raise TypeError(f"A Decimal cannot show a {type(value).__name__}.")


def _reader(
    kind: str, example: str, pattern: re.Pattern[str], read: Callable[[str], object]
) -> Callable[[object], object]:
    def parse(value: object) -> object:
        message = f"This is not a {kind}. Write it as a string such as {example!r}."
        if not isinstance(value, str) or pattern.fullmatch(value) is None:
            raise GraphQLError(message)
        try:
            return read(value)
        except (ValueError, OverflowError):
            raise GraphQLError(message) from None

    return parse


def _read_instant(text: str) -> datetime:
    whole, _, rest = text.upper().partition(".")
    digits = re.match(r"\d*", rest)
    fraction = digits[0] if digits else ""
    zone = rest[len(fraction) :]
    spelled = f"{whole}.{fraction[:6]:0<6}{zone}" if fraction else text.upper()
    return datetime.fromisoformat(spelled).astimezone(UTC)


DATE = strawberry.scalar(
    name="Date",
    description="A billing date, `YYYY-MM-DD`, in the billing time zone (see `Period.timeZone`).",
    specified_by_url="https://scalars.graphql.org/andimarek/local-date",
    serialize=write_date,
    parse_value=_reader("Date", "2026-08-31", _DATE, date.fromisoformat),
)

DATE_TIME = strawberry.scalar(
    name="DateTime",
    description="An instant in UTC, in RFC 3339 format with milliseconds: `2026-08-31T07:00:00.000Z`.",
    specified_by_url="https://scalars.graphql.org/andimarek/date-time",
    serialize=write_instant,
    parse_value=_reader("DateTime", "2026-08-31T07:00:00.000Z", _INSTANT, _read_instant),
)

DECIMAL = strawberry.scalar(
    name="Decimal",
    description="An exact decimal number, sent as a string to keep every digit: `4967.70`.",
    serialize=write_decimal,
    parse_value=_reader("Decimal", "4967.70", _DECIMAL, Decimal),
)

SCALARS: dict[object, ScalarDefinition] = {
    date: DATE,
    datetime: DATE_TIME,
    Decimal: DECIMAL,
    DecimalText: DECIMAL,
}
