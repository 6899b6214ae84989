"""Databases for the tests of this room: every test that asks for `url` runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine

from app.repositories.database import Database
from tests.postgres import fresh_database
from tests.repositories.tables import METADATA


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of the test's own, on each engine."""
    if request.param == "sqlite":
        yield f"sqlite+aiosqlite:///{tmp_path}/test.db"
        return
    with fresh_database(request.getfixturevalue("postgres_server")) as fresh:
        yield fresh


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def migrated_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of the test's own with every table and no row, on each engine: a copy of one made once."""
    if request.param == "sqlite":
        path = tmp_path / "test.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    template = request.getfixturevalue("migrated_postgres")
    with fresh_database(request.getfixturevalue("postgres_server"), template) as fresh:
        yield fresh


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path}/test.db"


def make_tables(url: str) -> None:
    """Make the tables of `tests.repositories.tables`."""
    sync_url = url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://")
    engine = create_engine(sync_url)
    METADATA.create_all(engine)
    engine.dispose()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    """An open database with the tables of `tests.repositories.tables`, on each engine."""
    make_tables(url)
    database = Database.open(url)
    yield database
    await database.close()


@pytest.fixture
async def sqlite_database(sqlite_url: str) -> AsyncIterator[Database]:
    make_tables(sqlite_url)
    database = Database.open(sqlite_url)
    yield database
    await database.close()
