"""Changes of constraints that SQLite knows no statement for: the table is made anew and takes the old one's place.

The new definition is the old one, edited: what a revision does not name stays as it is. Indexes and triggers come back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa
from alembic import op

if TYPE_CHECKING:
    from collections.abc import Mapping


def replace_constraints(table: str, changed: Mapping[str, str], added: Mapping[str, str] | None = None) -> None:
    """Give named constraints of a table another body, or none where it is empty, and add some, on both engines.

    A body is what stands behind `CONSTRAINT name`, such as `CHECK (amount > 0)`.
    """
    added = added or {}
    if op.get_bind().dialect.name == "sqlite":
        _rebuild(table, changed, added)
        return
    for name in changed:
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    for name, body in {**changed, **added}.items():
        if body:
            op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {body}")


def one_of(column: str, *values: str) -> str:
    """Return the body of the check that holds a column to some texts."""
    texts = ", ".join(f"'{value}'" for value in values)
    return f"CHECK ({column} IN ({texts}))"


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
