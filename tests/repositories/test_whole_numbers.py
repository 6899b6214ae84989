"""Every integer column of money or of counting is held to whole numbers within a range by the database itself."""

from __future__ import annotations

import importlib
import multiprocessing
import pkgutil
import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import CheckConstraint, Column, Integer, Table, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

import app.models
from app.migrations.rebuild import WrongNumbers
from app.migrations.triggers import FREEZES
from app.migrations.upgrade import downgrade, known_revisions, upgrade
from app.models.base import LARGEST, Row, whole_check
from tests.data.make_dump import FOLDER
from tests.repositories import upgrade_run
from tests.repositories.test_migrations import AN_ISSUED_INVOICE
from tests.scenarios.test_old_database import load

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([upgrade_run.__name__])


def integers() -> Iterator[tuple[Table, Column]]:
    for module in pkgutil.iter_modules(app.models.__path__, "app.models."):
        importlib.import_module(module.name)
    for table in Row.metadata.sorted_tables:
        yield from ((table, column) for column in table.columns if isinstance(column.type, Integer))


INTEGERS = {f"{table.name}.{column.name}": (table, column) for table, column in integers()}


def check_of(table: Table, column: Column) -> str | None:
    name = f"ck_{table.name}_{column.name}_whole"
    found = (each for each in table.constraints if isinstance(each, CheckConstraint) and each.name == name)
    return next((str(each.sqltext) for each in found), None)


class TestMetadata:
    def test_there_are_columns_to_judge(self):
        assert len(INTEGERS) > 60

    @pytest.mark.parametrize("name", INTEGERS)
    def test_every_integer_column_has_a_check_of_its_range(self, name):
        table, column = INTEGERS[name]
        least, most = column.info["range"]
        assert check_of(table, column) == whole_check(column.name, least, most)
        assert -LARGEST <= least < most <= LARGEST

    def test_nothing_but_what_has_a_sign_may_be_below_zero(self):
        signed = {name for name, (_, column) in INTEGERS.items() if column.info["range"][0] < 0}
        # A correction takes off a day, and what it takes off is checked as if it were the day's.
        sums_of_days = {name for name in signed if name.startswith("usage_day.")}
        assert len(sums_of_days) == 5
        assert signed - sums_of_days == {
            "invoice.total_cents",
            "invoice_line.amount_cents",
            "invoice_line.unit_price",
            "write_off_share.cents",
        }

    def test_thousands_of_the_largest_add_up_within_64_bits_and_json_holds_each(self):
        assert 9_000 * LARGEST < 2**63
        assert LARGEST < 2**53


class TestCondition:
    """The condition means the same on SQLite as `typeof(column) = 'integer'` within the range, or null."""

    @pytest.mark.parametrize(
        ("stored", "is_let_in"),
        [
            ("0", True),
            ("9", True),
            ("-1", False),
            ("10", False),
            ("NULL", True),
            ("'9'", True),  # a column of integers makes a number of it
            ("9.0", True),
            ("1.5", False),
            ("'nine'", False),
            ("'9 cents'", False),
            ("''", False),
            ("x'39'", False),
            ("1e300", False),
            ("-1e300", False),
            ("9223372036854775807", False),
        ],
    )
    def test_of_what_sqlite_would_store_otherwise(self, stored, is_let_in):
        with closing(sqlite3.connect(":memory:")) as connection:
            connection.execute(f"CREATE TABLE t (n BIGINT CHECK ({whole_check('n', 0, 9)}))")
            try:
                connection.execute(f"INSERT INTO t VALUES ({stored})")
            except sqlite3.IntegrityError:
                assert not is_let_in
            else:
                assert is_let_in
                assert connection.execute("SELECT typeof(n) FROM t").fetchone()[0] in {"integer", "null"}


class TestDatabase:
    def test_it_has_the_checks_of_the_row_classes(self, url):
        upgrade(url)
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        inspector = inspect(engine)
        for table in Row.metadata.sorted_tables:
            found = {each["name"]: each["sqltext"] for each in inspector.get_check_constraints(table.name)}
            expected = {
                f"ck_{table.name}_{column.name}_whole": check_of(table, column)
                for column in table.columns
                if isinstance(column.type, Integer)
            }
            assert expected.keys() == {name for name in found if name.endswith("_whole")}
            if engine.dialect.name == "sqlite":
                assert {name: found[name] for name in expected} == expected
        engine.dispose()

    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE account SET upgrade_count = -1",
            f"UPDATE plan_version SET base_cents = {LARGEST + 1}",
            "UPDATE account SET usage_seq = -1",
            f"UPDATE account SET ledger_seq = {2**62}",
        ],
    )
    def test_what_is_out_of_range_is_refused_on_both(self, url, statement):
        upgrade(url)
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for each in AN_ISSUED_INVOICE.split(";"):
                connection.execute(text(each))
        with pytest.raises(IntegrityError, match="_whole"), engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()


class TestUpgrade:
    def test_what_cannot_be_right_stops_it_and_is_named_and_nothing_is_changed(self, tmp_path):
        path, url = old_database(tmp_path, "0006")
        run(path, "UPDATE plan_version SET base_cents = 'free', included_minutes = 1.5 WHERE code = '100'")
        before = schema(path)
        with pytest.raises(WrongNumbers, match=r"plan_version .*base_cents of \d rows, included_minutes of \d rows"):
            upgrade(url)
        assert schema(path) == before
        run(path, "UPDATE plan_version SET base_cents = 13900, included_minutes = 100 WHERE code = '100'")
        upgrade(url)

    def test_killed_at_any_table_it_is_run_again_and_nothing_is_lost(self, tmp_path):
        """The process that upgrades dies by -9 with a table rebuilt and not yet committed."""
        path, url = old_database(tmp_path, "0006")
        before, rows_before = schema(path), contents(path)
        for after in (1, 9, 21):
            child = PROCESSES.Process(target=upgrade_run.upgrade_and_die, args=(url, after))
            child.start()
            child.join()
            assert child.exitcode == -signal.SIGKILL
            child.close()
            assert schema(path) == before
        upgrade(url)
        after_rows = contents(path)
        for table in ("call", "invoice", "invoice_line", "ledger_posting"):
            width = len(rows_before[table][0])  # later revisions add columns at the end
            assert [row[:width] for row in after_rows[table]] == rows_before[table]


class TestFreezes:
    """Rebuilding a table on SQLite drops its triggers: after every upgrade each one is there again."""

    @pytest.mark.parametrize("dump", sorted(FOLDER.glob("database-*.sql")), ids=lambda dump: dump.stem)
    def test_each_is_there_after_an_upgrade_from_each_earlier_revision(self, dump, tmp_path):
        fresh, old = tmp_path / "fresh.db", tmp_path / "old.db"
        upgrade(f"sqlite:///{fresh}")
        load(dump, old)
        upgrade(f"sqlite:///{old}")
        assert triggers(f"sqlite:///{old}") == triggers(f"sqlite:///{fresh}")

    def test_each_is_there_after_going_back_and_forth(self, url):
        upgrade(url)
        expected = triggers(url)
        assert {freeze.name for freezes in FREEZES.values() for freeze in freezes} <= expected.keys()
        for revision in sorted(known_revisions(), reverse=True):
            downgrade(url, revision)
            upgrade(url)
            assert triggers(url) == expected


def old_database(folder: Path, revision: str) -> tuple[Path, str]:
    path = folder / "old.db"
    load(FOLDER / f"database-{revision}.sql", path)
    return path, f"sqlite:///{path}"


def run(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


def schema(path: Path) -> list[tuple[str, str]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_schema ORDER BY name").fetchall()


def contents(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(path)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"').fetchall(), key=repr) for name in names}


def triggers(url: str) -> dict[str, str]:
    engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
    is_sqlite = engine.dialect.name == "sqlite"
    statement = (
        "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        if is_sqlite
        else "SELECT t.tgname, pg_get_triggerdef(t.oid) || pg_get_functiondef(t.tgfoid) FROM pg_trigger t "
        "JOIN pg_class c ON c.oid = t.tgrelid WHERE NOT t.tgisinternal AND c.relnamespace = 'public'::regnamespace"
    )
    with engine.connect() as connection:
        found = dict(tuple(row) for row in connection.execute(text(statement)))
    engine.dispose()
    return found
