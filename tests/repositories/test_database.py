"""Transactions on both engines: none lost, none half done, and messages that say what to do."""

from __future__ import annotations

import asyncio
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlmodel import select
from sqlmodel.ext.asyncio.session import AsyncSession

from app.repositories import database as module
from app.repositories.database import (
    Database,
    DatabaseUnmigrated,
    DatabaseUnreachable,
    DatabaseUnsuitable,
    is_transient,
)
from tests.repositories.tables import PieceRow
from tests.repositories.things import a_thing


async def the_amount(database: Database) -> int:
    async def work(session: AsyncSession) -> int:
        return (await session.exec(select(PieceRow.amount_cents).where(PieceRow.id == "one"))).one()

    return await database.read_tx(work)


def make_empty(url: str) -> None:
    """Make the database of `url`, without any table; PostgreSQL's is there already."""
    if url.startswith("sqlite"):
        Path(url.partition("///")[2]).touch()


async def run_sql(session: AsyncSession, statement: str) -> None:
    await (await session.connection()).exec_driver_sql(statement)


@pytest.fixture
async def counter(database: Database) -> Database:
    """A database with one piece whose amount is 0."""

    async def work(session: AsyncSession) -> None:
        session.add(a_thing("thing"))
        await session.flush()
        session.add(PieceRow(id="one", thing_id="thing", position=1, amount_cents=0))

    await database.run_tx(work)
    return database


async def add_one(session: AsyncSession) -> None:
    piece = (await session.exec(select(PieceRow).where(PieceRow.id == "one").with_for_update())).one()
    await asyncio.sleep(0)
    piece.amount_cents += 1
    session.add(piece)


class TestWriting:
    async def test_sixty_parallel_read_modify_writes_add_sixty(self, counter):
        await asyncio.gather(*(counter.run_tx(add_one) for _ in range(60)))

        assert await the_amount(counter) == 60

    async def test_writers_that_share_no_gate_lose_nothing_either(self, counter, url):
        other = Database.open(url)

        await asyncio.gather(*(one.run_tx(add_one) for _ in range(15) for one in (counter, other)))

        assert await the_amount(counter) == 30
        await other.close()

    async def test_returns_rows_that_can_be_read_after_the_commit(self, counter):
        piece = await counter.run_tx(lambda session: session.get(PieceRow, "one"))

        assert (piece.id, piece.amount_cents) == ("one", 0)

    async def test_writes_nothing_when_the_work_raises(self, counter):
        async def work(session: AsyncSession) -> None:
            await add_one(session)
            await session.flush()
            raise LookupError("changed its mind")

        with pytest.raises(LookupError, match="changed its mind"):
            await counter.run_tx(work)

        assert await the_amount(counter) == 0

    async def test_writes_nothing_and_lets_others_in_when_cancelled(self, counter):
        wrote = asyncio.Event()

        async def work(session: AsyncSession) -> None:
            await add_one(session)
            await session.flush()
            wrote.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(counter.run_tx(work))
        await wrote.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        await counter.run_tx(add_one)
        assert await the_amount(counter) == 1

    async def test_refuses_to_begin_inside_itself(self, counter):
        async def work(_session: AsyncSession) -> None:
            await counter.run_tx(add_one)

        with pytest.raises(RuntimeError, match="pass the session on"):
            await counter.run_tx(work)

        assert await the_amount(counter) == 0

    async def test_holds_references(self, database):
        async def work(session: AsyncSession) -> None:
            session.add(PieceRow(id="stray", thing_id="nowhere", position=1, amount_cents=0))

        with pytest.raises(IntegrityError):
            await database.run_tx(work)

    async def test_holds_enums_to_their_values(self, database):
        async def work(session: AsyncSession) -> None:
            session.add(a_thing("thing"))
            await session.flush()
            await run_sql(session, "UPDATE thing SET mood = 'CALM'")

        with pytest.raises(IntegrityError, match="ck_thing_mood"):
            await database.run_tx(work)


class TestReading:
    async def test_refuses_to_write(self, counter):
        with pytest.raises(DBAPIError, match=r"(?i)read-?only"):
            await counter.read_tx(add_one)

        assert await the_amount(counter) == 0

    async def test_sees_one_snapshot(self, counter):
        async def work(session: AsyncSession) -> list[int]:
            seen = []
            for _ in range(2):
                seen.append((await session.exec(select(PieceRow.amount_cents))).one())
                await counter.run_tx(add_one)
            return seen

        assert await counter.read_tx(work) == [0, 0]
        assert await the_amount(counter) == 2


class TestRetrying:
    @pytest.fixture(autouse=True)
    def _no_pauses(self, monkeypatch):
        monkeypatch.setattr(module, "_pause_seconds", lambda _attempt: 0)

    @staticmethod
    def conflict(sqlstate: str) -> DBAPIError:
        error = Exception("conflict")
        error.sqlstate = sqlstate
        return OperationalError("", None, error)

    async def test_runs_the_work_again_from_the_start_after_a_conflict(self, counter):
        runs = []

        async def work(session: AsyncSession) -> None:
            await add_one(session)
            await session.flush()
            runs.append(len(runs))
            if len(runs) < 3:
                raise self.conflict("40001")

        await counter.run_tx(work)

        assert runs == [0, 1, 2]
        assert await the_amount(counter) == 1

    async def test_gives_up_in_the_end(self, counter):
        runs = []

        async def work(_session: AsyncSession) -> None:
            runs.append(1)
            raise self.conflict("40P01")

        with pytest.raises(OperationalError):
            await counter.run_tx(work)

        assert len(runs) == module.MOST_ATTEMPTS

    async def test_does_not_repeat_what_cannot_succeed(self, counter):
        runs = []

        async def work(_session: AsyncSession) -> None:
            runs.append(1)
            raise self.conflict("23505")

        with pytest.raises(OperationalError):
            await counter.run_tx(work)

        assert len(runs) == 1

    def test_knows_a_busy_sqlite_file(self, tmp_path):
        with (
            closing(sqlite3.connect(tmp_path / "busy.db", isolation_level=None)) as holder,
            closing(sqlite3.connect(tmp_path / "busy.db", timeout=0, isolation_level=None)) as other,
        ):
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError) as caught:
                other.execute("BEGIN IMMEDIATE")

        assert is_transient(OperationalError("", None, caught.value))


class TestPauses:
    def test_double_up_to_a_second_and_are_cut_by_chance_to_half_at_most(self, monkeypatch):
        monkeypatch.setattr(module.random, "uniform", lambda shortest, longest: (shortest, longest))

        pauses = [module._pause_seconds(attempt) for attempt in (0, 1, 2, 6)]

        assert pauses == [(0.01, 0.02), (0.02, 0.04), (0.04, 0.08), (0.5, 1.0)]


class TestSetUp:
    async def test_sqlite_is_durable_and_keeps_references(self, sqlite_database):
        async def work(session: AsyncSession) -> list[object]:
            connection = await session.connection()
            names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
            return [(await connection.exec_driver_sql(f"PRAGMA {name}")).scalar() for name in names]

        assert await sqlite_database.run_tx(work) == ["wal", 2, 1, 5000, 0]
        assert await sqlite_database.read_tx(work) == ["wal", 2, 1, 5000, 1]

    async def test_says_so_when_sqlite_refuses_a_pragma(self, sqlite_database, monkeypatch):
        monkeypatch.setitem(module.write_engine.__globals__["DURABLE_PRAGMAS"], "synchronous", 9)

        with pytest.raises(DatabaseUnsuitable, match=r"synchronous=.* where 9 is needed.*local disk"):
            await sqlite_database.check()

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("sqlite://", "must be a plain file"),
            ("sqlite+aiosqlite:///:memory:", "must be a plain file"),
            ("sqlite:///file:shared?mode=memory&cache=shared&uri=true", "must be a plain file"),
            ("mysql://localhost/flex", "only sqlite and postgresql"),
            ("flex.db", "no database URL"),
        ],
    )
    def test_refuses_an_address_that_can_never_work(self, url, message):
        with pytest.raises(DatabaseUnsuitable, match=message):
            Database.open(url)

    def test_names_the_extra_when_psycopg_is_missing(self, monkeypatch):
        monkeypatch.setitem(sys.modules, "psycopg", None)

        with pytest.raises(DatabaseUnsuitable, match=r"pip install 'flex-billing\[postgres\]'"):
            Database.open("postgresql://localhost/flex")


class TestCheck:
    async def test_asks_for_a_migration_and_makes_no_file_when_there_is_none(self, tmp_path):
        database = Database.open(f"sqlite:///{tmp_path}/absent.db", revision="0001")

        with pytest.raises(DatabaseUnmigrated, match=r"absent\.db has no tables yet\. Run `flex-billing migrate`\."):
            await database.check()

        assert list(tmp_path.iterdir()) == []
        await database.close()

    async def test_asks_for_a_migration_when_the_database_is_empty(self, url):
        make_empty(url)
        database = Database.open(url, revision="0001")

        with pytest.raises(DatabaseUnmigrated, match="has no tables yet"):
            await database.check()

        await database.close()

    async def test_names_both_revisions_when_they_differ(self, database, url):
        await database.run_tx(lambda session: _set_revision(session, "0001"))
        newer = Database.open(url, revision="0002")

        with pytest.raises(DatabaseUnmigrated, match="at revision 0001, but this program needs 0002"):
            await newer.check()

        await newer.close()

    async def test_is_content_with_the_program_s_revision(self, database, url):
        await database.run_tx(lambda session: _set_revision(session, "0001"))
        same = Database.open(url, revision="0001")

        await same.check()

        await same.close()

    async def test_says_what_to_do_when_a_file_is_no_database(self, tmp_path):
        (tmp_path / "letter.db").write_text("Dear accountant, " * 200)
        database = Database.open(f"sqlite:///{tmp_path}/letter.db")

        with pytest.raises(DatabaseUnreachable, match=r"letter\.db .*file is not a database.*FLEX_DATABASE_URL"):
            await database.check()

        await database.close()

    async def test_says_what_to_do_without_the_password_when_no_server_answers(self, tmp_path):
        database = Database.open(f"postgresql://ann:secret@/flex?host={tmp_path}")

        with pytest.raises(DatabaseUnreachable) as caught:
            await database.check()

        assert "Start it, or correct FLEX_DATABASE_URL." in str(caught.value)
        assert "secret" not in str(caught.value)
        await database.close()


async def _set_revision(session: AsyncSession, revision: str) -> None:
    await run_sql(session, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    await run_sql(session, f"INSERT INTO alembic_version VALUES ('{revision}')")
