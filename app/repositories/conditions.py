"""Conditions that statements share: the next page of a list, a value being one of many, and an order by bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, TypeAlias, cast

from sqlalchemy import Boolean, ColumnElement, Dialect, String, Text, bindparam, tuple_
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.models.connection import POSTGRESQL
from app.repositories.engines import dump_json
from app.repositories.sql_json import binder_for

Sql: TypeAlias = Any
"""A piece of a statement; SQLAlchemy's types for rows of many columns say less than docstrings do."""

Scope: TypeAlias = Callable[[Sql], Sql]
"""Narrows an account id column to the accounts asked for."""

if TYPE_CHECKING:
    from sqlalchemy.sql.elements import ClauseElement
    from sqlalchemy.sql.operators import OperatorType


class _Compiler(Protocol):
    def process(self, obj: ClauseElement, **kw: Any) -> str: ...


def beyond(columns: Sequence[Any], names: Sequence[str], *, descending: bool = False) -> ColumnElement[bool]:
    """The rows behind a cursor, in the order of `columns`; the cursor's values are the binds called `names`.

    All columns run the same way and none may be null; end them with a unique one.
    """
    row = tuple_(*columns)
    cursor = tuple_(*(bindparam(name, type_=column.type) for column, name in zip(columns, names, strict=True)))
    return row < cursor if descending else row > cursor


def one_of(column: Any, name: str) -> ColumnElement[bool]:
    """The rows whose column is in the list given for the bind called `name`; one statement for any length."""
    return cast("ColumnElement[bool]", _OneOf(column, bindparam(name, type_=_ListOf(column.type))))


class _ListOf(TypeDecorator[Iterable[Any]]):
    """A list as one parameter: an array on PostgreSQL, JSON text for json_each on SQLite."""

    impl = Text
    cache_ok = False

    def __init__(self, element: TypeEngine[Any]) -> None:
        super().__init__()
        self.element = element

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the form that the dialect can search."""
        if dialect.name != POSTGRESQL:
            return dialect.type_descriptor(Text())
        element = Text() if isinstance(self.element, String) else self.element
        return dialect.type_descriptor(ARRAY(element))

    def process_bind_param(self, value: Iterable[Any] | None, dialect: Dialect) -> Any:
        """Store each element as its column would."""
        convert = binder_for(self.element, dialect)
        values = [item if convert is None else convert(item) for item in value or ()]
        return values if dialect.name == POSTGRESQL else dump_json(values)


class _OneOf(FunctionElement[bool]):
    type = Boolean()
    name = "one_of"
    inherit_cache = True

    def self_group(self, against: OperatorType | None = None) -> Self:  # noqa: ARG002 -- SQLAlchemy's own signature
        """Stand in a condition as it is: SQLAlchemy would compare it with 1 on SQLite, and no index serves that."""
        return self


@compiles(_OneOf, "sqlite")
def _one_of_sqlite(element: _OneOf, compiler: _Compiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 -- made of compiled SQL


@compiles(_OneOf, "postgresql")
def _one_of_postgresql(element: _OneOf, compiler: _Compiler, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} = ANY ({values})"


def by_bytes(column: Any) -> ColumnElement[str]:
    """Text in the order of its bytes, which is the same in every database, whatever its language is."""
    return cast("ColumnElement[str]", _ByBytes(column))


class _ByBytes(FunctionElement[str]):
    type = Text()
    name = "by_bytes"
    inherit_cache = True


@compiles(_ByBytes, "sqlite")
def _by_bytes_sqlite(element: _ByBytes, compiler: _Compiler, **options: Any) -> str:
    return f"{compiler.process(element.clauses, **options)} COLLATE BINARY"


@compiles(_ByBytes, "postgresql")
def _by_bytes_postgresql(element: _ByBytes, compiler: _Compiler, **options: Any) -> str:
    return f'{compiler.process(element.clauses, **options)} COLLATE "C"'
