"""What SQLite's planner is told of large tables, so that its plans are the same on an empty file and on a full one.

Without figures it takes an account's postings for ten, and looks for those of one invoice among all of them. An
`ANALYZE` of an operator puts the real figures in the place of these; PostgreSQL keeps its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

FIGURES = (
    ("ledger_posting", "ledger_posting", "1000000 500 1"),
    ("ledger_posting", "ix_ledger_posting_account_id_invoice_id", "1000000 500 3"),
)
"""Table, index (of a table without row ids its own name), then rows in all, and rows with the same first columns."""


def write_statistics(connection: Connection) -> None:
    """Write the figures into a SQLite database that has none for these tables."""
    connection.exec_driver_sql("ANALYZE sqlite_schema")  # makes the table that holds them, and reads nothing
    for table, index, figures in FIGURES:
        connection.exec_driver_sql(
            "INSERT INTO sqlite_stat1 SELECT ?, ?, ? WHERE NOT EXISTS "
            "(SELECT 1 FROM sqlite_stat1 WHERE tbl = ? AND idx = ?)",
            (table, index, figures, table, index),
        )
