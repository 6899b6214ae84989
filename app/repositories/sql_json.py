"""A select as one JSON text: the constructs of each dialect, one decoder per column type, and compilation to
driver SQL with positional parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import orjson
from sqlalchemy import Dialect, Executable, Select, Text, cast, func, literal_column, select
from sqlalchemy import types as sql_types
from sqlalchemy.dialects.postgresql.psycopg import dialect as psycopg_dialect
from sqlalchemy.dialects.sqlite.aiosqlite import dialect as aiosqlite_dialect
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BindParameter, ClauseElement
from sqlmodel import UTCDateTime

from app.models.connection import POSTGRESQL, SQLITE
from app.repositories.engines import dump_json

if TYPE_CHECKING:
    from sqlalchemy.sql.selectable import SelectBase
    from sqlalchemy.types import TypeEngine

Convert: TypeAlias = Callable[[Any], Any]
Rows: TypeAlias = Sequence[tuple[Any, ...]]

# json_array takes 127 arguments on SQLite, json_build_array 100 on PostgreSQL.
MOST_COLUMNS = 100


class Slot(NamedTuple):
    """One positional parameter: the value of a named bind, or a constant when it has no name."""

    name: str | None
    convert: Convert | None
    constant: object


@dataclass(frozen=True, slots=True)
class DriverStatement:
    """SQL text as the driver takes it, and what goes into each of its positions."""

    sql: str
    slots: tuple[Slot, ...]

    def bind(self, values: Mapping[str, object]) -> list[object]:
        """Return the positional parameters for these named values, stored as their column types would."""
        bound: list[object] = []
        for name, convert, constant in self.slots:
            if name is None:
                bound.append(constant)
            else:
                bound.append(values[name] if convert is None else convert(values[name]))
        return bound


@dataclass(frozen=True, slots=True)
class JsonStatement:
    """A select that answers one JSON text, and how its columns are read back."""

    statement: DriverStatement
    decoders: tuple[tuple[int, Convert], ...]

    def decode(self, document: str) -> Rows:
        """Read the JSON text back to rows of Python values."""
        if self.statement.slots:
            return _decode(document, self.decoders)
        return list(_decode_again(document, self.decoders))


def _decode(document: str, decoders: tuple[tuple[int, Convert], ...]) -> list[tuple[Any, ...]]:
    rows: list[list[Any]] = orjson.loads(document)
    if not decoders or not rows:
        return [tuple(row) for row in rows]
    columns: list[Any] = list(zip(*rows, strict=True))
    for position, decode in decoders:
        columns[position] = [None if value is None else decode(value) for value in columns[position]]
    return list(zip(*columns, strict=True))


@lru_cache(maxsize=64)
def _decode_again(document: str, decoders: tuple[tuple[int, Convert], ...]) -> Rows:
    """Read a text that is the same for everybody: that of a statement without parameters, such as a price list."""
    return tuple(_decode(document, decoders))


@lru_cache
def dialect_named(name: str) -> Dialect:
    """The dialect that compiles for the driver of `sqlite` or `postgresql`, with positional parameters."""
    if name == POSTGRESQL:
        make: Callable[..., Dialect] = psycopg_dialect
        return make(paramstyle="format", json_serializer=dump_json)
    return aiosqlite_dialect(json_serializer=dump_json)


def named_binds(statement: ClauseElement) -> frozenset[str]:
    """The names of the bind parameters that a caller must give values for."""
    return frozenset(
        element.key
        for element in visitors.iterate(statement)
        if isinstance(element, BindParameter) and element.required
    )


def rows_as_json(part: SelectBase, dialect_name: str) -> Select[Any]:
    """Wrap a select into one that answers a single JSON text: an array with one array per row, in the select's order.

    :raises TypeError: for more columns than a JSON array can be built from, or a type that JSON would change.
    """
    source = part.subquery("part")
    columns = list(source.c)
    if len(columns) > MOST_COLUMNS:
        raise TypeError(f"a part reads at most {MOST_COLUMNS} columns, not {len(columns)}: split it in two")
    if dialect_name == SQLITE:
        # A JSON column is text here: json() nests it, and must stand in the same select as json_array.
        values = [func.json(column) if _is_json(column.type) else column for column in columns]
        return select(func.json_group_array(func.json_array(*values))).select_from(source)
    rows = func.json_agg(func.json_build_array(*columns))
    return select(cast(func.coalesce(rows, literal_column("'[]'::json")), Text)).select_from(source)


def compile_json(part: SelectBase, dialect_name: str) -> JsonStatement:
    """Compile a part to driver SQL that answers one JSON text, with the decoders of its columns."""
    types = [column.type for column in part.subquery().c]
    decoders = ((position, decoder_for(column_type)) for position, column_type in enumerate(types))
    return JsonStatement(
        statement=compile_for_driver(rows_as_json(part, dialect_name), dialect_name),
        decoders=tuple((position, decode) for position, decode in decoders if decode is not None),
    )


def compile_for_driver(
    statement: Executable,
    dialect_name: str,
    column_keys: Sequence[str] | None = None,
) -> DriverStatement:
    """Compile a Core statement to driver SQL with positional parameters.

    `column_keys` are the columns an INSERT fills, when not all.
    """
    if not isinstance(statement, ClauseElement):
        raise TypeError(f"{statement!r} cannot be compiled")
    dialect = dialect_named(dialect_name)
    spelled = visitors.cloned_traverse(statement, {}, {"bindparam": _as_literal})
    compiled: Any = spelled.compile(dialect=dialect, column_keys=column_keys)
    names = {key for key, parameter in compiled.binds.items() if parameter.required}
    state = compiled.construct_expanded_state(dict.fromkeys(names))
    origin = {new: old for old, expanded in state.parameter_expansion.items() for new in expanded}

    def slot(name: str) -> Slot:
        convert = binder_for(compiled.binds[origin.get(name, name)].type, dialect)
        if name in names:
            return Slot(name, convert, None)
        value = state.parameters[name]
        return Slot(None, None, value if convert is None else convert(value))

    return DriverStatement(state.statement, tuple(slot(name) for name in state.positiontup or ()))


def _as_literal(parameter: BindParameter[Any]) -> None:
    if not parameter.required and parameter.value is not None:
        parameter.literal_execute = True


def decoder_for(column_type: TypeEngine[Any]) -> Convert | None:
    """How a column's JSON value becomes the value that a session would give; None when it is already that.

    :raises TypeError: for a type that JSON would change silently, such as floating point numbers.
    """
    match column_type:
        case UTCDateTime():
            return _instant
        case sql_types.Enum(enum_class=enum_class) if enum_class is not None:
            return {member.value: member for member in enum_class}.__getitem__
        case sql_types.Date():
            return _day
        case sql_types.Boolean():
            return bool
        case sql_types.Integer() | sql_types.String() | sql_types.JSON() | sql_types.NullType():
            return None
        case sql_types.TypeDecorator():
            return decoder_for(column_type.impl_instance)
        case _:
            raise TypeError(f"{column_type!r} cannot be read through JSON unchanged: use a type of app.models.base")


def binder_for(column_type: TypeEngine[Any], dialect: Dialect) -> Convert | None:
    """How a value is turned into what the driver stores, exactly as a session would; None when it goes as it is.

    The common types have a direct form here, several times faster than SQLAlchemy's and tested equal to it.
    """
    match column_type:
        case sql_types.NullType():
            return _untyped
        case UTCDateTime():
            return _instant_text if dialect.name == SQLITE else _utc
        case sql_types.Enum(enum_class=enum_class) if enum_class is not None:
            values = {member: member.value for member in enum_class}
            return (values | {value: value for value in values.values()} | {None: None}).__getitem__
        case sql_types.Date() if dialect.name == SQLITE:
            return _day_text
        case sql_types.Boolean() if dialect.name == SQLITE:
            return {True: 1, False: 0, None: None}.__getitem__
        case _:
            return column_type.dialect_impl(dialect).bind_processor(dialect)


def _is_json(column_type: TypeEngine[Any]) -> bool:
    return isinstance(column_type, sql_types.JSON)


def _instant(value: str) -> datetime:
    """SQLite keeps UTC without an offset; PostgreSQL writes the offset of the connection's zone."""
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _utc(value: datetime | None) -> datetime | None:
    if value is None:
        return None
    if value.tzinfo is UTC:
        return value
    if value.tzinfo is None:
        raise ValueError("an instant needs a time zone; a naive datetime cannot be stored")
    return value.astimezone(UTC)


def _instant_text(value: datetime | None) -> str | None:
    moment = _utc(value)
    return None if moment is None else moment.isoformat(" ", "microseconds")[:26]


@lru_cache(maxsize=4_096)  # many rows, few days
def _day(value: str) -> date:
    return date.fromisoformat(value)


@lru_cache(maxsize=4_096)  # as above
def _day_text(value: date | None) -> str | None:
    # Through the class, so that a datetime gives its day, as the column type would store it.
    return None if value is None else date.isoformat(value)


def _untyped(value: object) -> object:
    if value is None or isinstance(value, (int, str)):
        return value
    raise TypeError(f"a bindparam that takes a {type(value).__name__} needs a type_")
