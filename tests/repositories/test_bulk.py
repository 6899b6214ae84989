"""Bulk writes store what a session stores, whatever the column type and the engine."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import bindparam, insert, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col, select

from app.repositories.database import execute_many, upsert
from tests.repositories.tables import PieceRow, ThingRow
from tests.repositories.things import COLUMNS, a_thing, as_tuple, awkward_things

INSERT = insert(ThingRow)
RAISE_AMOUNT = update(ThingRow).where(col(ThingRow.id) == bindparam("thing")).values(amount_cents=bindparam("amount"))


def add_up(stored, incoming):
    return {"amount_cents": stored.amount_cents + incoming.amount_cents + 1, "note": incoming.note}


async def all_things(database):
    async def work(session):
        return [as_tuple(row) for row in await session.exec(select(ThingRow).order_by(col(ThingRow.id)))]

    return await database.read_tx(work)


async def raw_things(database):
    """The rows as the driver gives them, before any type of ours has touched them."""

    async def work(session):
        connection = await session.connection()
        return (await connection.exec_driver_sql("SELECT * FROM thing ORDER BY id")).all()

    return await database.read_tx(work)


async def run(database, statement, rows):
    return await database.run_tx(lambda session: execute_many(session, statement, rows))


async def clear(database):
    async def work(session):
        await (await session.connection()).exec_driver_sql("DELETE FROM thing")

    await database.run_tx(work)


class TestExecuteMany:
    async def test_stores_every_type_exactly_as_a_session_does(self, database):
        async def by_session(session):
            session.add_all(awkward_things())

        await database.run_tx(by_session)
        stored_by_session, read_by_session = await raw_things(database), await all_things(database)
        await clear(database)

        changed = await run(database, INSERT, [as_tuple(row) for row in awkward_things()])

        assert changed == 5
        assert await raw_things(database) == stored_by_session
        assert await all_things(database) == read_by_session

    async def test_stores_the_day_of_a_moment_and_the_member_of_a_value_as_a_session_does(self, database):
        at = datetime(1999, 1, 31, 23, 0, tzinfo=UTC)

        await run(database, INSERT, [as_tuple(a_thing("a", on=at.date(), mood="calm"))])

        assert await all_things(database) == [as_tuple(a_thing("a", on=date(1999, 1, 31), mood="calm"))]

    async def test_updates_with_the_values_in_the_order_of_the_sql(self, database):
        await run(database, INSERT, [as_tuple(a_thing("a")), as_tuple(a_thing("b"))])

        changed = await run(database, RAISE_AMOUNT, [(1, "a"), (2, "b"), (3, "nobody")])

        assert changed == 2
        assert [row[COLUMNS.index("amount_cents")] for row in await all_things(database)] == [1, 2]

    async def test_runs_nothing_for_no_rows(self, database):
        assert await run(database, INSERT, iter(())) == 0

    async def test_comes_after_what_the_session_has_not_written_yet(self, database):
        async def work(session):
            session.add(a_thing("parent"))
            return await execute_many(session, insert(PieceRow), [("piece", "parent", 1, 5)])

        assert await database.run_tx(work) == 1

    async def test_raises_what_a_session_raises_and_shows_no_values(self, database):
        with pytest.raises(IntegrityError) as caught:
            await run(database, insert(PieceRow), [("piece", "secret-parent", 1, 5)])

        assert caught.value.params is None

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"at": datetime(1999, 1, 1)}, ValueError),  # noqa: DTZ001 -- naive on purpose
            ({"mood": "CALM"}, KeyError),
            ({"data": {"on": date(1999, 1, 1)}}, TypeError),
        ],
    )
    async def test_refuses_a_value_that_its_column_cannot_hold(self, sqlite_database, changes, error):
        with pytest.raises(error):
            await run(sqlite_database, INSERT, [as_tuple(a_thing("a", **changes))])

        assert await all_things(sqlite_database) == []

    async def test_refuses_rows_of_another_width(self, sqlite_database):
        with pytest.raises(ValueError, match="takes 16 values, but a row has 2"):
            await run(sqlite_database, INSERT, [("a", "b")])

    async def test_writes_nothing_of_a_batch_that_fails_half_way(self, database):
        rows = [as_tuple(a_thing("a")), as_tuple(a_thing("b")), as_tuple(a_thing("a"))]

        with pytest.raises(IntegrityError):
            await run(database, INSERT, rows)

        assert await all_things(database) == []


class TestUpsert:
    async def test_leaves_the_stored_row_without_a_merge(self, database):
        await run(database, INSERT, [as_tuple(a_thing("a"))])
        again = a_thing("z", event="a", amount_cents=1)

        changed = await run(database, upsert(ThingRow, ["source", "event"]), [as_tuple(again), as_tuple(a_thing("b"))])

        assert changed == 1
        assert [row[0] for row in await all_things(database)] == ["a", "b"]

    async def test_merges_what_is_stored_with_what_comes_in(self, database):
        statement = upsert(ThingRow, ["source", "event"], add_up)
        rows = [as_tuple(a_thing("a", amount_cents=10)), as_tuple(a_thing("b", event="a", amount_cents=5, note="new"))]

        await run(database, statement, rows)

        assert await all_things(database) == [as_tuple(a_thing("a", amount_cents=16, note="new"))]

    async def test_takes_the_values_in_the_order_it_was_given(self, database):
        await run(database, INSERT, [as_tuple(a_thing("thing"))])
        statement = upsert(PieceRow, ["id"], None, ["position", "amount_cents", "thing_id", "id"])

        await run(database, statement, [(7, 70, "thing", "piece")])

        async def work(session):
            piece = await session.get(PieceRow, "piece")
            return piece.position, piece.amount_cents, piece.thing_id

        assert await database.read_tx(work) == (7, 70, "thing")

    def test_is_the_same_statement_when_described_the_same_way_again(self):
        assert upsert(ThingRow, ["id"], add_up) == upsert(ThingRow, ["id"], add_up)
