"""Another transaction on PostgreSQL that holds accounts, and how many wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from app.repositories.database import Database

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@contextmanager
def held(database: Database, *accounts: str) -> Iterator[psycopg.Connection]:
    """Another transaction that holds accounts until it is rolled back."""
    url = database._url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as other:
        other.execute("SELECT 1 FROM account WHERE external_id = ANY(%s) FOR UPDATE", [list(accounts)])
        yield other


async def until_they_wait(other: psycopg.Connection, count: int) -> None:
    """Return once so many transactions wait for a lock."""
    async with asyncio.timeout(60):
        while other.execute(WAITING).fetchone() != (count,):
            await asyncio.sleep(0.01)
            other.execute("SELECT pg_stat_clear_snapshot()")  # else the whole transaction sees the first answer
