"""The triggers that freeze what may never change, in both dialects (rule 27).

Rebuilding a table on SQLite drops its triggers: a revision that does so calls `install` for that table again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from alembic import op

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True, slots=True)
class Freeze:
    """Refuses an operation on a table with a message; `when` narrows it to some rows, in SQL both engines read."""

    table: str
    operation: str
    message: str
    when: str | None = None

    @property
    def name(self) -> str:
        """The trigger's name."""
        return f"tr_{self.table}_{self.operation.lower()}"


_FROZEN_INVOICE_COLUMNS = (
    "id",
    "account_id",
    "account_name",
    "kind",
    "number",
    "period_on",
    "plan_version_id",
    "policies_version",
    "engine_version",
    "usage_watermark",
    "ledger_watermark",
    "total_cents",
    "credit_applied_cents",
    "amount_due_cents",
    "facts_hash",
    "content_hash",
    "issued_at",
    "due_on",
)
_ISSUED = "EXISTS (SELECT 1 FROM invoice WHERE invoice.id = {row}.invoice_id AND invoice.status <> 'DRAFT')"


def frozen_invoice(*later_columns: str) -> Freeze:
    """Return what freezes an issued invoice; `later_columns` are those that revisions after the first have added."""
    columns = (*_FROZEN_INVOICE_COLUMNS, *later_columns)
    changed = " OR ".join(f"NEW.{column} IS DISTINCT FROM OLD.{column}" for column in columns)
    condition = f"OLD.status <> 'DRAFT' AND (NEW.status = 'DRAFT' OR {changed})"
    return Freeze("invoice", "UPDATE", "an issued invoice never changes", condition)


def _append_only(table: str) -> tuple[Freeze, ...]:
    message = f"{table} is append-only"
    return Freeze(table, "UPDATE", message), Freeze(table, "DELETE", message)


FREEZES: Mapping[str, tuple[Freeze, ...]] = {
    "invoice": (
        frozen_invoice(),
        Freeze("invoice", "DELETE", "an issued invoice is never deleted", "OLD.status <> 'DRAFT'"),
    ),
    "invoice_line": (
        Freeze("invoice_line", "INSERT", "an issued invoice gets no new line", _ISSUED.format(row="NEW")),
        Freeze(
            "invoice_line",
            "UPDATE",
            "a line of an issued invoice never changes",
            f"{_ISSUED.format(row='OLD')} OR {_ISSUED.format(row='NEW')}",
        ),
        Freeze("invoice_line", "DELETE", "a line of an issued invoice is never deleted", _ISSUED.format(row="OLD")),
    ),
    "call": _append_only("call"),
    "ledger_posting": _append_only("ledger_posting"),
    "payment": _append_only("payment"),
    "event": _append_only("event"),
}


def install(*tables: str) -> None:
    """Create the triggers of the tables named, or of all."""
    for freeze in _of(tables):
        for statement in _create(freeze, op.get_bind().dialect.name):
            op.execute(statement)


def remove(*tables: str) -> None:
    """Drop the triggers of the tables named, or of all."""
    for freeze in _of(tables):
        _drop(freeze)


def add(freeze: Freeze) -> None:
    """Create one trigger, of a table that a later revision made."""
    for statement in _create(freeze, op.get_bind().dialect.name):
        op.execute(statement)


def drop(freeze: Freeze) -> None:
    """Drop one trigger."""
    _drop(freeze)


def replace(freeze: Freeze) -> None:
    """Put a trigger in the place of the one of the same name."""
    _drop(freeze)
    add(freeze)


def _of(tables: tuple[str, ...]) -> Iterator[Freeze]:
    for table in tables or tuple(FREEZES):
        yield from FREEZES[table]


def _drop(freeze: Freeze) -> None:
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    op.execute(f"DROP TRIGGER {freeze.name}" + ("" if is_sqlite else f" ON {freeze.table}"))
    if not is_sqlite:
        op.execute(f"DROP FUNCTION {freeze.name}()")


def _create(freeze: Freeze, dialect_name: str) -> Iterator[str]:
    head = f"CREATE TRIGGER {freeze.name} BEFORE {freeze.operation} ON {freeze.table} FOR EACH ROW"
    if dialect_name == "sqlite":
        # SQLite says IS NOT where the standard says IS DISTINCT FROM; old versions know only the former.
        when = f" WHEN {freeze.when.replace('IS DISTINCT FROM', 'IS NOT')}" if freeze.when else ""
        yield f"{head}{when} BEGIN SELECT RAISE(ABORT, '{freeze.message}'); END"
        return
    # PostgreSQL allows no subquery in WHEN, so the condition stands in the function.
    kept = "OLD" if freeze.operation == "DELETE" else "NEW"
    body = f"RAISE EXCEPTION '{freeze.message}' USING ERRCODE = 'integrity_constraint_violation';"
    if freeze.when:
        body = f"IF {freeze.when} THEN {body} END IF;"
    yield (f"CREATE FUNCTION {freeze.name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} RETURN {kept}; END $$")
    yield f"{head} EXECUTE FUNCTION {freeze.name}()"
