"""Writes of many rows: one statement, compiled once for each dialect, run by the driver's own executemany."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Executable, Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from app.models.connection import POSTGRESQL
from app.repositories.sql_json import Convert, compile_for_driver

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

    from app.models.base import Row

Columns: TypeAlias = "ReadOnlyColumnCollection[str, Any]"
Merge: TypeAlias = Callable[[Columns, Columns], Mapping[str, ColumnElement[Any]]]


@dataclass(frozen=True, slots=True)
class Upsert:
    """An insert that knows what to do when its key is taken; made by `upsert`, equal when its parts are."""

    table: Table
    key: tuple[str, ...]
    merge: Merge | None
    columns: tuple[str, ...]

    def statement(self, dialect_name: str) -> Executable:
        """The statement in one dialect; both say ON CONFLICT, each by its own construct."""
        make: Any = postgresql.insert if dialect_name == POSTGRESQL else sqlite.insert
        insert = make(self.table)
        if self.merge is None:
            return insert.on_conflict_do_nothing(index_elements=self.key)  # type: ignore[no-any-return]
        changes = dict(self.merge(self.table.c, insert.excluded))
        return insert.on_conflict_do_update(index_elements=self.key, set_=changes)  # type: ignore[no-any-return]


def upsert(
    table: type[Row] | Table,
    key: Sequence[str],
    merge: Merge | None = None,
    columns: Sequence[str] | None = None,
) -> Upsert:
    """Describe an insert for rows whose `key` columns (a unique key) may be there already.

    `merge(stored, incoming)` names the columns that a taken key changes, and their new values; without it the stored
    row stays. `columns` is the order of the tuples' values; without it they stand in the table's order. Name `merge`
    at module level: it is part of what a compiled statement is remembered by.
    """
    target = table if isinstance(table, Table) else _table_of(table)
    return Upsert(target, tuple(key), merge, tuple(columns or target.c.keys()))


async def execute_many(
    session: AsyncSession,
    statement: Executable | Upsert,
    rows: Iterable[Sequence[Any]],
) -> int:
    """Run an insert, update or upsert once for each row, in the session's transaction; returns how many rows changed.

    A row is a tuple. Its values stand in the order of an upsert's `columns`, or else in the order of the statement's
    parameters in its SQL, which for `insert(table)` is the order of the table. They are stored as a session would
    store them, but column defaults are not applied. Keep a Core statement as a constant of its module.

    :raises sqlalchemy.exc.IntegrityError: and its kin, as a session raises them.
    """
    given = list(rows)
    if not given:
        return 0
    if session.new or session.dirty or session.deleted:
        await session.flush()
    dialect = session.get_bind().dialect
    compiled = _compile(statement, dialect.name)
    driver: Any = (await (await session.connection()).get_raw_connection()).driver_connection
    try:
        async with driver.cursor() as cursor:
            await cursor.executemany(compiled.sql, compiled.convert(given))
            return int(cursor.rowcount)
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            compiled.sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
        ) from error


class _Source(NamedTuple):
    """Where one parameter comes from: a place in the caller's tuple, or a constant of the statement."""

    place: int | None
    convert: Convert | None
    constant: object


@dataclass(frozen=True, slots=True)
class _Compiled:
    """Driver SQL and the way from a caller's tuples to its parameters."""

    sql: str
    width: int
    sources: tuple[_Source, ...]
    is_plain: bool

    def convert(self, rows: list[Sequence[Any]]) -> Sequence[Sequence[Any]]:
        if self.is_plain:
            return rows
        # Column by column: the rows are turned in C, and only the columns that need it are touched.
        given = list(zip(*rows, strict=True))
        if len(given) != self.width:
            raise ValueError(f"the statement takes {self.width} values, but a row has {len(given)}")
        return list(zip(*(_column(source, given) for source in self.sources), strict=False))


def _column(source: _Source, given: Sequence[Sequence[Any]]) -> Iterable[Any]:
    if source.place is None:
        return repeat(source.constant)
    return given[source.place] if source.convert is None else map(source.convert, given[source.place])


@lru_cache(maxsize=256)
def _compile(statement: Executable | Upsert, dialect_name: str) -> _Compiled:
    if isinstance(statement, Upsert):
        driver = compile_for_driver(statement.statement(dialect_name), dialect_name, statement.columns)
        names = statement.columns
    else:
        driver = compile_for_driver(statement, dialect_name)
        names = tuple(dict.fromkeys(slot.name for slot in driver.slots if slot.name is not None))
    sources = tuple(
        _Source(None if slot.name is None else names.index(slot.name), slot.convert, slot.constant)
        for slot in driver.slots
    )
    is_plain = all(source.place == place and source.convert is None for place, source in enumerate(sources))
    return _Compiled(driver.sql, len(names), sources, is_plain)


def _table_of(row: type[Row]) -> Table:
    target = inspect(row).local_table
    if not isinstance(target, Table):
        raise TypeError(f"{row!r} is no table")
    return target
