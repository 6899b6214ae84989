"""Page reads: the same values as a session's, in one trip, on both engines."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest
from sqlalchemy import Integer, Numeric, bindparam, cast, func, insert, literal, union_all
from sqlalchemy.orm import aliased
from sqlmodel import col, select

from app.models.connection import parse_url
from app.repositories import sql_json
from app.repositories.conditions import beyond, one_of
from app.repositories.database import Database, DatabaseUnreachable, ReadTimedOut, execute_many, load_within
from app.repositories.drivers import open_driver
from app.repositories.reader import OperationReader, Page, Reader
from tests.repositories.conftest import make_tables
from tests.repositories.tables import Mood, PieceRow, ThingRow
from tests.repositories.things import a_thing, as_tuple, awkward_things
from tests.trips import counted_trips


def rows_page(name, part):
    """A page of one part that gives its rows as they are."""
    return Page(name, {"rows": part}, lambda rows: rows)


EVERYTHING = rows_page("everything", select(ThingRow).order_by(col(ThingRow.id)))
ONE = Page(
    "one",
    {
        "thing": select(ThingRow.id, ThingRow.mood).where(col(ThingRow.id) == bindparam("thing")),
        "pieces": select(PieceRow.position, PieceRow.amount_cents)
        .where(col(PieceRow.thing_id) == bindparam("thing"))
        .order_by(col(PieceRow.position).desc()),
    },
    lambda thing, pieces: {"thing": thing, "pieces": pieces},
)
COUNT = Page("count", {"rows": select(func.count()).select_from(PieceRow)}, lambda rows: rows[0][0])
SINCE = rows_page("since", select(ThingRow.id).where(col(ThingRow.at) >= bindparam("at")).order_by(col(ThingRow.id)))
BROKEN = Page("broken", {"rows": select(ThingRow.id)}, lambda rows: rows[0][5])


@pytest.fixture
async def filled(database: Database) -> Database:
    """Five things with awkward values, and 300 pieces of the first."""

    async def work(session):
        await execute_many(session, insert(ThingRow), [as_tuple(row) for row in awkward_things()])
        pieces = [(f"piece-{n:03d}", "a" if n % 3 else "b", n * 7 % 300, n) for n in range(300)]
        await execute_many(session, insert(PieceRow), pieces)

    await database.run_tx(work)
    return database


async def read(database, part, **parameters):
    (rows,) = await database.reader.load(rows_page("test", part).request(**parameters))
    return rows


async def by_session(database, statement):
    async def work(session):
        return [tuple(row) for row in await (await session.connection()).execute(statement)]

    return await database.read_tx(work)


class TestDecoding:
    async def test_gives_every_type_exactly_as_a_session_does(self, filled):
        (rows,) = await filled.reader.load(EVERYTHING.request())

        assert rows == await by_session(filled, select(ThingRow).order_by(col(ThingRow.id)))
        assert [[type(value) for value in row] for row in rows] == [
            [type(value) for value in row]
            for row in await by_session(filled, select(ThingRow).order_by(col(ThingRow.id)))
        ]

    async def test_keeps_the_order_of_the_select(self, filled):
        statement = select(PieceRow.id, PieceRow.position).order_by(col(PieceRow.position).desc(), col(PieceRow.id))

        rows = await read(filled, statement)

        assert len(rows) == 300
        assert rows == await by_session(filled, statement)

    async def test_gives_no_rows_as_an_empty_list(self, filled):
        assert await read(filled, select(ThingRow.id, ThingRow.on).where(col(ThingRow.id) == "nobody")) == []

    async def test_gives_a_column_that_is_selected_twice_twice(self, filled):
        statement = select(ThingRow.id, PieceRow.id, ThingRow.id).join(PieceRow).order_by(col(PieceRow.id)).limit(1)

        assert await read(filled, statement) == [("b", "piece-000", "b")]

    def test_refuses_a_type_that_json_would_change(self):
        with pytest.raises(TypeError, match="cannot be read through JSON unchanged"):
            sql_json.compile_json(select(cast(ThingRow.amount_cents, Numeric)), "sqlite")

    def test_refuses_more_columns_than_a_json_array_takes(self):
        with pytest.raises(TypeError, match="at most 100 columns, not 101"):
            sql_json.compile_json(select(*(literal(n).label(f"n{n}") for n in range(101))), "sqlite")

    async def test_reads_a_hundred_columns(self, filled):
        assert await read(filled, select(*(literal(n).label(f"n{n}") for n in range(100)))) == [tuple(range(100))]


class TestStatements:
    async def test_takes_values_as_their_columns_store_them(self, filled):
        condition = (
            (col(ThingRow.on) == bindparam("on"))
            & (col(ThingRow.at) == bindparam("at"))
            & (col(ThingRow.mood) == bindparam("mood"))
            & col(ThingRow.is_final).is_(True)
        )
        thing = a_thing("a")

        statement = select(ThingRow.id).where(condition).order_by(col(ThingRow.id))

        rows = await read(filled, statement, on=thing.on, at=thing.at, mood=Mood.LOUD)

        assert rows == [("a",), ("d",)]

    async def test_groups_and_adds_up(self, filled):
        statement = (
            select(PieceRow.thing_id, func.count(), func.sum(PieceRow.amount_cents))
            .group_by(col(PieceRow.thing_id))
            .order_by(col(PieceRow.thing_id))
        )

        assert await read(filled, statement) == [("a", 200, 30_000), ("b", 100, 14_850)]

    async def test_runs_subqueries_that_look_outside(self, filled):
        latest = (
            select(func.max(PieceRow.amount_cents))
            .where(PieceRow.thing_id == ThingRow.id)
            .correlate(ThingRow)
            .scalar_subquery()
        )
        statement = select(ThingRow.id, latest).where(latest > bindparam("least", type_=Integer))

        assert await read(filled, statement.order_by(col(ThingRow.id)), least=298) == [("a", 299)]

    async def test_runs_common_table_expressions_and_unions(self, filled):
        some = select(PieceRow.id).where(col(PieceRow.amount_cents) < bindparam("below")).cte()
        both = union_all(select(some.c.id), select(some.c.id).where(some.c.id > "piece-000")).order_by("id")

        assert await read(filled, both, below=2) == [("piece-000",), ("piece-001",), ("piece-001",)]

    async def test_takes_lists_that_are_written_in_the_statement(self, filled):
        statement = select(ThingRow.id).where(col(ThingRow.mood).in_([Mood.CALM])).order_by(col(ThingRow.id))

        assert await read(filled, statement) == [("c",)]

    @pytest.mark.parametrize(("wanted", "found"), [([], []), (["a", "c", "x"], ["a", "c"])])
    async def test_takes_lists_that_are_given(self, filled, wanted, found):
        statement = select(ThingRow.id).where(one_of(ThingRow.id, "ids")).order_by(col(ThingRow.id))

        assert await read(filled, statement, ids=wanted) == [(one,) for one in found]

    async def test_takes_lists_of_enums_and_dates_that_are_given(self, filled):
        statement = (
            select(ThingRow.id)
            .where(one_of(ThingRow.mood, "moods"), one_of(ThingRow.on, "days"))
            .order_by(col(ThingRow.id))
        )

        rows = await read(filled, statement, moods=[Mood.CALM, Mood.LOUD], days=[date(1, 1, 1)])

        assert rows == [("c",)]

    @pytest.mark.parametrize("descending", [False, True])
    async def test_pages_behind_a_cursor_meet_every_row_once(self, filled, descending):
        columns = (col(ThingRow.on), col(ThingRow.id))
        order = [column.desc() if descending else column for column in columns]
        first = select(ThingRow.on, ThingRow.id).order_by(*order).limit(2)
        later = first.where(beyond(columns, ("on", "id"), descending=descending))

        seen = page = await read(filled, first)
        while page:
            page = await read(filled, later, on=page[-1][0], id=page[-1][1])
            seen = seen + page

        assert seen == await by_session(filled, select(ThingRow.on, ThingRow.id).order_by(*order))

    async def test_limits_by_a_value_that_is_given(self, filled):
        statement = select(PieceRow.id).order_by(col(PieceRow.id)).limit(bindparam("first"))

        assert await read(filled, statement, first=2) == [("piece-000",), ("piece-001",)]

    async def test_finds_a_percent_sign_and_a_question_mark(self, filled):
        statement = select(literal("50% of ?"), ThingRow.id).where(col(ThingRow.id).like("%a%"))

        assert await read(filled, statement) == [("50% of ?", "a")]

    async def test_joins_a_table_to_itself(self, filled):
        other = aliased(PieceRow)
        statement = (
            select(PieceRow.id, other.id)
            .join(other, other.amount_cents == PieceRow.amount_cents + 1)
            .where(col(PieceRow.id) == bindparam("id"))
        )

        assert await read(filled, statement, id="piece-007") == [("piece-007", "piece-008")]


class TestRequests:
    def test_names_what_is_missing_and_what_is_unknown(self):
        with pytest.raises(TypeError, match=r"'one' takes \['thing'\]; missing or unknown: \['thing', 'thingy'\]"):
            ONE.request(thingy="a")

    async def test_refuses_a_value_whose_bind_has_no_type(self, filled):
        statement = select(PieceRow.id).limit(bindparam("first"))

        with pytest.raises(TypeError, match="needs a type_"):
            await read(filled, statement, first=1.5)


class TestTrips:
    @pytest.fixture
    async def warm(self, sqlite_database):
        await sqlite_database.reader.load(COUNT.request())
        return sqlite_database

    async def test_loads_all_parts_of_all_pages_in_one_trip(self, warm):
        async with counted_trips() as trips:
            await warm.reader.load(ONE.request(thing="a"), COUNT.request(), ONE.request(thing="b"))

        assert trips.count == 1

    async def test_makes_as_many_trips_for_many_rows_as_for_none(self, warm):
        async def fill(session):
            await execute_many(session, insert(ThingRow), [as_tuple(a_thing(str(n))) for n in range(1_000)])

        await warm.run_tx(fill)
        async with counted_trips() as trips:
            (rows,) = await warm.reader.load(EVERYTHING.request())

        assert (trips.count, len(rows)) == (1, 1_000)

    async def test_counts_the_first_trip_of_a_new_connection_and_what_a_session_does(self, warm, sqlite_url):
        other = Database.open(sqlite_url)

        async def work(session):
            await session.exec(select(ThingRow))
            await session.exec(select(PieceRow))

        async with counted_trips() as trips:
            await other.reader.load(COUNT.request())
            await other.read_tx(work)

        assert trips.count == 3
        await other.close()

    async def test_an_operation_makes_one_trip_with_its_session(self, warm):
        operation = OperationReader(warm.reader, COUNT.request())

        async def resolver(thing):
            found = await operation.load(ONE, thing=thing)
            return found, await operation.session()

        async with counted_trips() as trips:
            answers = await asyncio.gather(*(resolver(thing) for thing in "abc"))

        assert answers == [({"thing": [], "pieces": []}, 0)] * 3
        assert trips.count == 1


class TestOperations:
    async def test_gives_each_request_its_own_answer(self, filled):
        operation = OperationReader(filled.reader)

        one, count, other = await asyncio.gather(
            operation.load(ONE, thing="b"), operation.load(COUNT), operation.load(ONE, thing="a")
        )

        assert one["thing"] == [("b", Mood.LOUD)]
        assert one["pieces"][0] == (297, 171)
        assert count == 300
        assert len(other["pieces"]) == 200

    async def test_a_request_that_cannot_be_assembled_fails_alone(self, filled):
        operation = OperationReader(filled.reader, COUNT.request())

        broken, count = await asyncio.gather(operation.load(BROKEN), operation.load(COUNT), return_exceptions=True)

        assert isinstance(broken, IndexError)
        assert (count, await operation.session()) == (300, 300)

    async def test_a_request_that_cannot_be_bound_fails_alone(self, filled):
        operation = OperationReader(filled.reader)

        naive, count = await asyncio.gather(
            operation.load(SINCE, at=a_thing("a").at.replace(tzinfo=None)),
            operation.load(COUNT),
            return_exceptions=True,
        )

        assert isinstance(naive, ValueError)
        assert count == 300

    async def test_a_database_that_fails_fails_them_all(self, tmp_path):
        database = Database.open(f"sqlite:///{tmp_path}/absent.db")
        operation = OperationReader(database.reader, COUNT.request())

        answers = await asyncio.gather(operation.load(ONE, thing="a"), operation.session(), return_exceptions=True)

        assert [type(answer) for answer in answers] == [DatabaseUnreachable] * 2
        await database.close()

    async def test_asks_for_the_session_once_however_often_it_is_wanted(self, sqlite_database):
        operation = OperationReader(sqlite_database.reader, COUNT.request())
        await operation.session()

        async with counted_trips() as trips:
            assert await operation.session() == 0
            assert await operation.load(COUNT) == 0

        assert trips.count == 1

    async def test_a_resolver_that_is_cancelled_leaves_the_others_their_answers(self, filled):
        operation = OperationReader(filled.reader, COUNT.request())
        gone = asyncio.create_task(operation.load(ONE, thing="a"))
        gone_too = asyncio.create_task(operation.session())
        stays = asyncio.create_task(operation.load(COUNT))
        await asyncio.sleep(0)
        gone.cancel()
        gone_too.cancel()

        assert await stays == 300
        assert await operation.session() == 300

    async def test_has_no_session_without_a_first_request(self, sqlite_database):
        with pytest.raises(RuntimeError, match="no first request"):
            await OperationReader(sqlite_database.reader).session()


class TestWithin:
    async def test_reads_what_the_transaction_has_written(self, database):
        async def work(session):
            session.add(a_thing("a", mood=Mood.CALM))
            await session.flush()
            return await load_within(session, ONE.request(thing="a"))

        assert await database.run_tx(work) == {"thing": [("a", Mood.CALM)], "pieces": []}
        assert (await database.reader.load(ONE.request(thing="a")))[0]["thing"] == [("a", Mood.CALM)]


class TestTimeLimit:
    @pytest.fixture
    async def hurried(self, filled, url):
        reader = Reader(open_driver(parse_url(url), timeout_seconds=1.0))
        await reader.load(COUNT.request())
        yield reader
        await reader.close()

    @staticmethod
    def endless():
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1 - 1))
        return rows_page("endless", select(func.count()).select_from(numbers))

    async def test_stops_a_read_that_takes_too_long_and_can_be_used_again(self, hurried):
        with pytest.raises(ReadTimedOut, match=r"longer than 1 seconds"):
            await hurried.load(self.endless().request())

        assert await hurried.load(COUNT.request()) == [300]

    async def test_stops_every_one_of_several(self, hurried):
        endless = self.endless()

        answers = await asyncio.gather(*(hurried.load(endless.request()) for _ in range(3)), return_exceptions=True)

        assert [type(answer) for answer in answers] == [ReadTimedOut] * 3
        assert await hurried.load(COUNT.request()) == [300]

    async def test_runs_a_read_again_that_an_interrupt_for_another_one_has_hit(self, sqlite_database):
        numbers = select(literal(1).label("n")).cte("numbers", recursive=True)
        numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < 500_000))
        counting = rows_page("counting", select(func.count()).select_from(numbers))
        await sqlite_database.reader.load(COUNT.request())
        (opened,) = sqlite_database.reader._driver._connections.values()

        reading = asyncio.create_task(sqlite_database.reader.load(counting.request()))
        for _ in range(5):
            await asyncio.sleep(0.005)
            await opened.result().interrupt()

        assert await reading == [[(500_000,)]]


class TestConnections:
    async def test_finds_a_file_that_came_after_the_first_try(self, sqlite_url):
        database = Database.open(sqlite_url)
        with pytest.raises(DatabaseUnreachable):
            await database.reader.load(COUNT.request())
        make_tables(sqlite_url)

        assert await database.reader.load(COUNT.request()) == [0]
        await database.close()

    async def test_a_read_that_comes_after_the_end_opens_nothing(self, sqlite_url):
        make_tables(sqlite_url)
        database = Database.open(sqlite_url)
        await database.reader.load(COUNT.request())
        await database.close()

        with pytest.raises(DatabaseUnreachable, match="closed"):
            await database.reader.load(COUNT.request())

    async def test_refuses_to_write(self, filled):
        driver = filled.reader._driver

        with pytest.raises(Exception, match=r"(?i)read-?only"):
            await driver.fetch_row("INSERT INTO piece VALUES ('x', 'a', 1, 1) RETURNING id", ())

    @pytest.mark.postgres
    @pytest.mark.parametrize("url", ["postgresql"], indirect=True)
    async def test_comes_back_after_the_server_has_dropped_the_connection(self, filled):
        await filled.reader.load(COUNT.request())

        async def work(session):
            await (await session.connection()).exec_driver_sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )

        await filled.run_tx(work)

        assert await filled.reader.load(COUNT.request()) == [300]

    def test_has_a_connection_of_its_own_in_every_loop(self, sqlite_url):
        make_tables(sqlite_url)
        database = Database.open(sqlite_url)

        async def use():
            count = await database.reader.load(COUNT.request())
            await database.reader.close()
            return count

        assert [asyncio.run(use()), asyncio.run(use())] == [[0], [0]]
