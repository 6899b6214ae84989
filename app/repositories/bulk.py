"""Many rows at once: statements compiled once for each dialect, and one call of the driver for each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import repeat
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from sqlalchemy import ColumnElement, Executable, Table, inspect
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from app.models.connection import POSTGRESQL, SQLITE
from app.repositories.sql_json import Convert, JsonStatement, Rows, compile_for_driver, compile_json

if TYPE_CHECKING:
    from sqlalchemy import Dialect
    from sqlalchemy.ext.asyncio import AsyncSession
    from sqlalchemy.sql.base import ReadOnlyColumnCollection
    from sqlalchemy.sql.selectable import SelectBase

    from app.models.base import Row

Columns: TypeAlias = "ReadOnlyColumnCollection[str, Any]"
_DRIVER = "driver connection"
Merged: TypeAlias = "Mapping[str, ColumnElement[Any]]"
"""What each column of a row that stands already becomes."""

Merge: TypeAlias = Callable[[Columns, Columns], Merged]


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
    dialect, driver = await _driver(session)
    compiled = _compile(statement, dialect.name)
    with _session_errors(dialect, compiled.sql):
        return await _run(driver, dialect, compiled.sql, compiled.convert(given))


async def read_rows(session: AsyncSession, statement: SelectBase, **parameters: object) -> Rows:
    """Return the rows of a select, in its order, read in the session's transaction by one call of the driver.

    The named binds take `parameters`; a list goes in by `conditions.one_of`. Keep the select as a constant of its
    module.

    :raises sqlalchemy.exc.DBAPIError: and its kin, as a session raises them.
    """
    dialect, driver = await _driver(session)
    compiled = _compile_read(statement, dialect.name)
    sql = compiled.statement.sql
    with _session_errors(dialect, sql):
        document = await _read(driver, dialect, sql, compiled.statement.bind(parameters))
    return compiled.decode(document)


async def _driver(session: AsyncSession) -> tuple[Dialect, Any]:
    """Return the driver's own connection of the session's transaction, with what the session holds back written."""
    if session.new or session.dirty or session.deleted:
        await session.flush()
    # Asking a session for its connection costs as much as a small statement: once for each transaction is enough.
    transaction, dialect, driver = session.info.get(_DRIVER, (None, None, None))
    if transaction is None or transaction is not session.sync_session.get_transaction():
        connection = await session.connection()
        dialect, driver = connection.dialect, (await connection.get_raw_connection()).driver_connection
        session.info[_DRIVER] = session.sync_session.get_transaction(), dialect, driver
    return dialect, driver


async def _run(driver: Any, dialect: Dialect, sql: str, rows: Sequence[Sequence[Any]]) -> int:  # noqa: ANN401
    # Each call of the SQLite driver is a trip to its thread and back; its cursors need no closing.
    if dialect.name == SQLITE:
        return int((await driver.executemany(sql, rows)).rowcount)
    async with driver.cursor() as cursor:
        await cursor.executemany(sql, rows)
        return int(cursor.rowcount)


async def _read(driver: Any, dialect: Dialect, sql: str, parameters: Sequence[object]) -> str:  # noqa: ANN401
    if dialect.name == SQLITE:
        ((document,),) = await driver.execute_fetchall(sql, parameters)
    else:
        (document,) = await (await driver.execute(sql, parameters)).fetchone()
    return str(document)


@contextmanager
def _session_errors(dialect: Dialect, sql: str) -> Iterator[None]:
    """Raise the driver's errors as a session does."""
    try:
        yield
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError.instance(
            sql, None, error, dialect.loaded_dbapi.Error, hide_parameters=True, dialect=dialect
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
    values = given[source.place]
    if source.convert is None:
        return values
    if values[0] is values[-1] and len(set(map(id, values))) == 1:  # one moment, or one enum member, for all rows
        return repeat(source.convert(values[0]))
    return map(source.convert, values)


@lru_cache(maxsize=256)
def _compile_read(statement: SelectBase, dialect_name: str) -> JsonStatement:
    return compile_json(statement, dialect_name)


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
