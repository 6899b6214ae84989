"""What Alembic runs for every command: one transaction on either engine, all or nothing."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from alembic import context
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, event, text

import app.models
from app.migrations.statistics import write_statistics
from app.models.base import Row
from app.models.connection import BUSY_TIMEOUT_MILLISECONDS, SQLITE, DatabaseUnsuitable, parse_url, place_of, sqlite_uri

if TYPE_CHECKING:
    from sqlalchemy import URL
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

# Any number, as long as two migrations ask for the same one.
MIGRATION_LOCK = 7_041_931


class BrokenReferences(Exception):
    """A migration left rows that point to nothing; it was rolled back."""

    def __init__(self, tables: list[str]) -> None:
        self.tables = tables
        super().__init__(f"The migration was undone: it broke references from {', '.join(tables)}. Report this.")


def all_tables() -> MetaData:
    """Return the metadata of every row class, whichever modules have been imported so far."""
    for module in iter_modules(app.models.__path__, "app.models."):
        import_module(module.name)
    return Row.metadata


def database_url() -> URL:
    """Return the database that this command is for: given by `app.migrations.upgrade`, or with `alembic -x url=…`.

    :raises DatabaseUnsuitable: when there is none.
    """
    url = context.config.attributes.get("url") or context.get_x_argument(as_dictionary=True).get("url")
    if not url:
        raise DatabaseUnsuitable("Say which database is meant: alembic -x url=sqlite:///flex.db …")
    return parse_url(url)


def sync_engine(url: URL) -> Engine:
    """Open the engine of a migration; on SQLite it makes the file, and begins at once so that DDL can roll back."""
    if url.get_backend_name() != SQLITE:
        return create_engine(url, poolclass=NullPool)
    path = Path(place_of(url))
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        f"sqlite:///{sqlite_uri(path, create=True)}&uri=true",
        poolclass=NullPool,
    )

    @event.listens_for(engine, "connect")
    def set_up(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MILLISECONDS}")
        # Rebuilding a parent table with references on deletes the children of an ON DELETE CASCADE in silence.
        cursor.execute("PRAGMA foreign_keys=OFF")
        cursor.close()

    @event.listens_for(engine, "begin")
    def emit_begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def migrate(connection: Connection) -> None:
    """Run the revisions inside the connection's transaction.

    :raises BrokenReferences: when a row then points to nothing.
    """
    is_sqlite = connection.dialect.name == SQLITE
    if not is_sqlite:
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
    context.configure(
        connection=connection,
        target_metadata=context.config.attributes.get("metadata") or all_tables(),
        render_as_batch=True,
        transactional_ddl=True,
        compare_type=True,
    )
    context.run_migrations()
    if is_sqlite:
        broken = {row[0] for row in connection.exec_driver_sql("PRAGMA foreign_key_check")}
        if broken:
            raise BrokenReferences(sorted(broken))
        write_statistics(connection)


if context.is_offline_mode():
    raise DatabaseUnsuitable("Migrations run on a database; printing them as SQL is not supported.")

engine = sync_engine(database_url())
with engine.begin() as transaction:
    migrate(transaction)
engine.dispose()
