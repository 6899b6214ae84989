"""A table that belongs to an account is found by its account."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from sqlalchemy import PrimaryKeyConstraint, Table, UniqueConstraint

import app.models
from app.models.base import Row


def tables() -> list[Table]:
    for module in pkgutil.walk_packages(app.models.__path__, "app.models."):
        importlib.import_module(module.name)
    return list(Row.metadata.tables.values())


def leading_columns(table: Table) -> Iterator[str]:
    """The first column of everything that the database can look up by."""
    for index in table.indexes:
        yield next(iter(index.columns)).name
    for constraint in table.constraints:
        if isinstance(constraint, PrimaryKeyConstraint | UniqueConstraint):
            yield next(iter(constraint.columns)).name


class TestTables:
    def test_there_are_tables_to_judge(self):
        assert tables() != []

    def test_every_table_of_an_account_is_indexed_by_account_first(self):
        slow = [
            table.name
            for table in tables()
            if "account_id" in table.columns and "account_id" not in leading_columns(table)
        ]
        assert slow == []

    def test_every_constraint_and_index_has_a_name(self):
        unnamed = [
            f"{table.name}: {part!r}"
            for table in tables()
            for part in [*table.constraints, *table.indexes]
            if not part.name
        ]
        assert unnamed == []
