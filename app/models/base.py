"""The base of every row class: constraint names, and the column types that mean the same on SQLite and PostgreSQL.

A table is a `Row` with `table=True`, one file per noun, no `Relationship()`; keys and joins do that work:

    class InvoiceRow(Row, table=True):
        __tablename__ = "invoices"
        __table_args__ = (UniqueConstraint("account_id", "number"), CheckConstraint("total_cents >= 0", name="total"))

        id: str = identifier()
        account_id: str = reference("accounts.id")
        number: str = text()
        status: InvoiceStatus = enum_text(InvoiceStatus)
        total_cents: int = minor_units()
        watermark: int = whole_number(default=0)
        is_final: bool = flag(default=False)
        issued_on: date = day()
        issued_at: datetime | None = instant(default=None)
        inputs: dict[str, Any] = json_value()

An annotation with `| None` makes the column nullable. Give a `CheckConstraint` a short name: the convention puts
`ck_<table>_` before it. Every integer column has a check of its own, `<column>_whole`: SQLite would keep a text or a
fraction there, and no amount, count or sequence comes near what 64 bits hold.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, ClassVar

from sqlalchemy import JSON, BigInteger, Boolean, CheckConstraint, Date, MetaData, Table, Text, event
from sqlalchemy import Enum as EnumType
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel, UTCDateTime

NAMING_CONVENTION = {
    "pk": "pk_%(table_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
}

ENUM_LENGTH = 40

LARGEST = 10**15
"""No number that is stored is larger: thousands of them add up within 64 bits, and JSON holds each exactly."""

_RANGE = "range"


class Row(SQLModel):
    """Base of every table of the product; its metadata carries the naming convention that migrations rely on."""

    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING_CONVENTION)


def identifier(**options: Any) -> Any:
    """The text primary key of a row, such as `inv_…`.

    With no `default`: an id is drawn by `app.ports.Ids` and given by the caller.
    """
    return Field(primary_key=True, sa_type=Text, **options)


def reference(target: str, *, index: bool = True, **options: Any) -> Any:
    """A text foreign key to `table.column`, indexed unless another index already begins with it.

    Deleting a parent is refused while children exist: money rows never cascade.
    """
    return Field(foreign_key=target, index=index, sa_type=Text, **options)


def text(**options: Any) -> Any:
    """Text of any length; lengths are checked where the text comes in, for SQLite enforces none."""
    return Field(sa_type=Text, **options)


def minor_units(*, least: int = -LARGEST, most: int = LARGEST, **options: Any) -> Any:
    """An amount of money in minor units (`*_cents`, or ten-thousandths for a `*_rate`), 64 bits on both engines.

    Say `least` where the amount has a sign by its meaning.
    """
    return _integer(least, most, options)


def whole_number(*, least: int = 0, most: int = LARGEST, **options: Any) -> Any:
    """A count, a duration in whole seconds or a sequence, 64 bits on both engines; not below zero unless told."""
    return _integer(least, most, options)


def _integer(least: int, most: int, options: dict[str, Any]) -> Any:
    column = {**options.pop("sa_column_kwargs", {}), "info": {_RANGE: (least, most)}}
    return Field(sa_type=BigInteger, sa_column_kwargs=column, **options)


def whole_check(column: str, least: int, most: int) -> str:
    """Return the condition of a column that holds whole numbers within a range, or null, in SQL of both engines.

    On SQLite a column of integers takes whatever does not look like one as it is: text and blobs lie above every
    number there, and a fraction is not equal to its whole part.
    """
    return f"{column} BETWEEN {least} AND {most} AND {column} = CAST({column} AS BIGINT)"


@event.listens_for(Table, "after_parent_attach")
def _check_integers(table: Table, metadata: MetaData) -> None:
    """Give each integer column of a new table the check of its range; a copy of a table takes those along."""
    for column in table.columns if metadata is Row.metadata else ():
        if _RANGE in column.info:
            condition = whole_check(column.name, *column.info[_RANGE])
            table.append_constraint(CheckConstraint(condition, name=f"{column.name}_whole"))


def flag(**options: Any) -> Any:
    """A truth value."""
    return Field(sa_type=Boolean, **options)


def day(**options: Any) -> Any:
    """A calendar date (`*_on`, `ends_before`)."""
    return Field(sa_type=Date, **options)


def instant(**options: Any) -> Any:
    """A moment (`*_at`): refuses naive values, and is read back as aware UTC on both engines."""
    return Field(sa_type=UTCDateTime, **options)


def enum_text(enum_class: type[Enum], *, name: str | None = None, **options: Any) -> Any:
    """An enum stored as the text of its member's value, held to the known values by a CHECK.

    `name` is needed when one table holds the same enum twice; else the check is named after the class.
    """
    return Field(sa_type=enum_type(enum_class, name=name), **options)


def enum_type(enum_class: type[Enum], *, name: str | None = None) -> EnumType:
    """The column type behind `enum_text`, for hand-written `Column` objects and casts."""
    return EnumType(
        enum_class,
        name=name or _snake_case(enum_class.__name__),
        native_enum=False,
        create_constraint=True,
        validate_strings=True,
        values_callable=_values,
        length=ENUM_LENGTH,
    )


def json_value(**options: Any) -> Any:
    """A JSON document; `None` is stored as NULL. Replace the whole value: a change in place is not noticed."""
    return Field(sa_type=JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql"), **options)


def _values(enum_class: type[Enum]) -> list[str]:
    return [str(member.value) for member in enum_class]


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
