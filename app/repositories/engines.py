"""Engines for both databases: SQLite with its pragmas and explicit BEGIN, PostgreSQL by psycopg 3."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import aiosqlite
import orjson
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.models.connection import (
    BUSY_TIMEOUT_MILLISECONDS,
    SQLITE,
    DatabaseUnreachable,
    DatabaseUnsuitable,
    place_of,
    sqlite_uri,
)
from app.repositories.availability import identity_of

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

MMAP_BYTES = 256 * 1024 * 1024
CACHED_STATEMENTS = 256
CONNECTS_WITHIN_SECONDS = 5

_FILE = "file"
"""Where a pooled connection keeps the identity of the file that it was opened on."""

# What SQLite must answer once a connection is set up; FULL, for a receipt must outlive a power cut.
DURABLE_PRAGMAS: dict[str, str | int] = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "busy_timeout": BUSY_TIMEOUT_MILLISECONDS,
}


def write_engine(url: URL) -> AsyncEngine:
    """Open the engine for write transactions: BEGIN IMMEDIATE on SQLite, READ COMMITTED on PostgreSQL."""
    if url.get_backend_name() == SQLITE:
        return _sqlite_engine(url, begin="IMMEDIATE")
    return _postgres_engine(url)


def read_engine(url: URL) -> AsyncEngine:
    """Open the engine for read transactions: one snapshot each, and the database refuses writes."""
    if url.get_backend_name() == SQLITE:
        return _sqlite_engine(url, begin="DEFERRED")
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    return _postgres_engine(url, execution_options=options)


def reader_engine(url: URL) -> AsyncEngine:
    """Open the PostgreSQL engine of the Reader: no transaction, so that a statement is one trip, and no writes."""
    engine = _postgres_engine(url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, pool_pre_ping=False)

    @event.listens_for(engine.sync_engine, "connect")
    def refuse_writes(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")
        cursor.close()

    return engine


async def connect_sqlite_reader(url: URL) -> aiosqlite.Connection:
    """Open the Reader's connection to a SQLite file, which refuses writes.

    :raises DatabaseUnreachable: when there is no such file, or it cannot be opened.
    """
    connection = _sqlite_connector(url)
    pragmas = (f"busy_timeout={BUSY_TIMEOUT_MILLISECONDS}", f"mmap_size={MMAP_BYTES}", "query_only=ON")
    try:
        await connection
        for pragma in pragmas:
            await connection.execute_fetchall(f"PRAGMA {pragma}")
    except sqlite3.Error as error:
        await connection.close()
        raise DatabaseUnreachable(place_of(url), str(error)) from error
    return connection


def dump_json(value: object) -> str:
    """Write JSON as columns store it; a date or a dataclass is refused instead of silently turned into text."""
    return orjson.dumps(value, option=orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS).decode()


def _sqlite_connector(url: URL) -> aiosqlite.Connection:
    connection = aiosqlite.connect(
        # Only a migration may make the file: a mistyped path must not become an empty database.
        sqlite_uri(Path(str(url.database)), create=False),
        uri=True,
        isolation_level=None,
        cached_statements=CACHED_STATEMENTS,
    )
    connection._thread.daemon = True  # noqa: SLF001 -- as SQLAlchemy does: a lost connection must not keep the process
    return connection


def _sqlite_engine(url: URL, *, begin: Literal["IMMEDIATE", "DEFERRED"]) -> AsyncEngine:
    async def connect() -> aiosqlite.Connection:
        return await _sqlite_connector(url)

    engine = create_async_engine(
        url,
        async_creator=connect,
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        pool_size=5,
        max_overflow=5,
        pool_reset_on_return=None,  # every transaction is ended by its session
    )

    path = Path(str(url.database))

    @event.listens_for(engine.sync_engine, "connect")
    def set_up(connection: DBAPIConnection, entry: ConnectionPoolEntry) -> None:
        _set_pragmas(connection, read_only=begin == "DEFERRED")
        entry.info[_FILE] = identity_of(path)

    @event.listens_for(engine.sync_engine, "checkout")
    def refuse_another_file(
        _connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        if identity_of(path) != entry.info[_FILE]:
            raise DisconnectionError("the file was removed or replaced")

    # The driver's own BEGIN comes late and deferred: two writers then lose an update without an error.
    @event.listens_for(engine.sync_engine, "begin")
    def emit_begin(connection: Connection) -> None:
        connection.exec_driver_sql(f"BEGIN {begin}")

    return engine


def _set_pragmas(connection: DBAPIConnection, *, read_only: bool) -> None:
    cursor = connection.cursor()
    for name, wanted in DURABLE_PRAGMAS.items():
        cursor.execute(f"PRAGMA {name}={wanted}")
        cursor.execute(f"PRAGMA {name}")
        (found,) = cursor.fetchone() or (None,)
        if found != wanted:
            raise DatabaseUnsuitable(
                f"SQLite answers {name}={found} where {wanted} is needed. Keep the data folder on a local disk.",
            )
    if read_only:
        cursor.execute("PRAGMA query_only=ON")
    cursor.close()


def _postgres_engine(url: URL, **options: Any) -> AsyncEngine:  # noqa: ANN401 -- SQLAlchemy's own options
    settings = {"pool_pre_ping": True, "isolation_level": "READ COMMITTED"} | options
    if "connect_timeout" not in url.query:
        settings["connect_args"] = {"connect_timeout": CONNECTS_WITHIN_SECONDS}
    return create_async_engine(
        url,
        hide_parameters=True,
        json_serializer=dump_json,
        json_deserializer=orjson.loads,
        pool_size=10,
        max_overflow=10,
        **settings,
    )
