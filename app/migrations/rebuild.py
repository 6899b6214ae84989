"""Changes of constraints that SQLite knows no statement for: the table is made anew and takes the old one's place.

The new definition is the old one, edited: what a revision does not name stays as it is. Indexes and triggers come back.
The rows are copied by the database itself: however many there are, memory stays as it is, while the disk needs room for
them once more. All of it is in the transaction of the migration, so that whoever interrupts it finds the database as it
was, and runs it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

from app.models.connection import DatabaseProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def replace_constraints(table: str, changed: Mapping[str, str], added: Mapping[str, str] | None = None) -> None:
    """Give named constraints of a table another body, or none where it is empty, and add some, on both engines.

    A body is what stands behind `CONSTRAINT name`, such as `CHECK (amount > 0)`.
    """
    added = added or {}
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(table, changed, added)
        return
    # One statement reads the rows once, however many checks there are.
    steps = [f"DROP CONSTRAINT {name}" for name in changed]
    steps += [f"ADD CONSTRAINT {name} {body}" for name, body in {**changed, **added}.items() if body]
    op.execute(f"ALTER TABLE {table} {', '.join(steps)}")


def one_of(column: str, *values: str) -> str:
    """Return the body of the check that holds a column to some texts."""
    texts = ", ".join(f"'{value}'" for value in values)
    return f"CHECK ({column} IN ({texts}))"


class WrongNumbers(DatabaseProblem):
    """A column holds what is no whole number, or one out of its range; the message says where and how many."""

    def __init__(self, table: str, counts: Mapping[str, int]) -> None:
        self.table = table
        self.counts = counts
        found = ", ".join(f"{column} of {count} rows" for column, count in counts.items())
        super().__init__(
            f"The table {table} holds numbers that cannot be right: {found}. Nothing was changed: mend them first."
        )


def check_numbers(table: str, ranges: Mapping[str, tuple[int, int]]) -> None:
    """Hold columns of a table to whole numbers from the first to the second figure, or null.

    :raises WrongNumbers: where rows are there that are none.
    """
    conditions = {column: whole(column, *span) for column, span in ranges.items()}
    counts = ", ".join(f"COUNT(CASE WHEN NOT ({condition}) THEN 1 END)" for condition in conditions.values())
    found = op.get_bind().execute(sa.text(f"SELECT {counts} FROM {table}")).one()  # noqa: S608 -- our own names
    wrong = {column: int(count) for column, count in zip(conditions, found, strict=True) if count}
    if wrong:
        raise WrongNumbers(table, wrong)
    bodies = {f"ck_{table}_{column}_whole": f"CHECK ({condition})" for column, condition in conditions.items()}
    replace_constraints(table, {}, bodies)


def release_numbers(table: str, columns: Iterable[str]) -> None:
    """Take the checks of columns away again."""
    replace_constraints(table, {f"ck_{table}_{column}_whole": "" for column in columns})


def whole(column: str, least: int, most: int) -> str:
    """Return the condition of a column of whole numbers, in SQL of both engines.

    On SQLite text and blobs lie above every number, and a fraction is not equal to its whole part.
    """
    return f"{column} BETWEEN {least} AND {most} AND {column} = CAST({column} AS BIGINT)"


def _rebuild(table: str, changed: Mapping[str, str], added: Mapping[str, str]) -> None:
    # Triggers of other tables may read this one, and would not bear its absence: all go, and all come back.
    triggers = _objects("type = 'trigger'")
    indexes = _objects("type = 'index' AND tbl_name = :table", table)
    ((_, definition),) = _objects("type = 'table' AND name = :table", table)
    for name, body in changed.items():
        before, after = _around(definition, name)
        definition = f"{before}, CONSTRAINT {name} {body}{after}" if body else before + after
    last = definition.rindex(")")
    extra = "".join(f", CONSTRAINT {name} {body}" for name, body in added.items())
    definition = definition[:last] + extra + definition[last:]
    columns = ", ".join(column["name"] for column in sa.inspect(op.get_bind()).get_columns(table))
    head = definition.index("(")
    for name, _ in triggers:
        op.execute(f"DROP TRIGGER {name}")
    op.execute(f"CREATE TABLE {table}_new {definition[head:]}")
    op.execute(f"INSERT INTO {table}_new ({columns}) SELECT {columns} FROM {table}")  # noqa: S608 -- our own names
    op.execute(f"DROP TABLE {table}")
    op.execute(f"ALTER TABLE {table}_new RENAME TO {table}")
    for _, sql in (*indexes, *triggers):
        op.execute(sql)


def _objects(condition: str, table: str = "") -> list[tuple[str, str]]:
    statement = sa.text(f"SELECT name, sql FROM sqlite_master WHERE {condition} AND sql IS NOT NULL ORDER BY rowid")  # noqa: S608
    rows = op.get_bind().execute(statement, {"table": table} if ":table" in condition else {})
    return [(name, sql) for name, sql in rows]


def _around(definition: str, name: str) -> tuple[str, str]:
    """Return what stands before and behind a named constraint of a table, without the comma before it.

    It ends where the next constraint or the table does.
    """
    start = definition.index(f"CONSTRAINT {name} ")
    depth = 0
    for place in range(start, len(definition)):
        if depth == 0 and definition[place] in ",)":
            return definition[:start].rstrip().removesuffix(","), definition[place:]
        depth += {"(": 1, ")": -1}.get(definition[place], 0)
    raise ValueError(f"constraint {name} has no end")
