"""Migrations on both engines: all or nothing, no child row lost, and no drift from the row classes."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent, indent

import pytest
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from app.domain.alerts import AlertKind
from app.migrations.upgrade import downgrade, drift, head_revision, upgrade, write_revision
from app.repositories.database import Database, DatabaseUnmigrated, DatabaseUnreachable, DatabaseUnsuitable
from tests.repositories.tables import METADATA

PARENT_AND_CHILD = """
op.create_table("parent", sa.Column("id", sa.Text(), primary_key=True), sa.Column("name", sa.Text()))
op.create_table(
    "child",
    sa.Column("id", sa.Text(), primary_key=True),
    sa.Column("parent_id", sa.Text(), sa.ForeignKey("parent.id", name="fk_child_parent", ondelete="CASCADE")),
)
op.execute("INSERT INTO parent VALUES ('p', 'a')")
op.execute("INSERT INTO child VALUES ('c', 'p')")
"""
REBUILD_PARENT = """
with op.batch_alter_table("parent", recreate="auto") as table:
    table.alter_column("name", new_column_name="title", nullable=True)
    table.add_column(sa.Column("more", sa.Text()))
"""

AN_ISSUED_INVOICE = """
    INSERT INTO plan_version (id, code, name, base_cents, included_minutes, overage_rate, valid_from)
    VALUES ('plan', '100', '100 Minutes', 13900, 100, 12900, '2020-01-01');
    INSERT INTO account (id, external_id, name, status, paid_starts_on, plan_version_id, next_cycle_on,
                         adjustable_from_on, usage_seq, ledger_seq, created_at)
    VALUES ('acc', 'AA0101', 'Harbor Dental', 'ACTIVE', '2026-07-01', 'plan', '2026-08-01',
            '2026-05-01', 0, 0, '2026-07-01 12:00:00');
    INSERT INTO invoice (id, account_id, account_name, kind, status, number, period_on, plan_version_id,
                         policies_version, engine_version, usage_watermark, ledger_watermark, total_cents,
                         credit_applied_cents, amount_due_cents, facts_hash, content_hash, issued_at)
    VALUES ('inv', 'acc', 'Harbor Dental', 'CYCLE', 'OPEN', 100001, '2026-07-01', 'plan',
            '2026-11', 1, 0, 0, 13900, 0, 13900, '', '', '2026-07-01 12:00:00')
"""


TWO_MEMBERS = """
    INSERT INTO app_user VALUES ('ann', 'ann', 'ann@example.com', 'Ann Ames', '2026-07-01 12:00:00'),
                                ('bob', 'bob', 'bob@example.com', 'Bob Byrd', '2026-07-01 12:00:00');
    INSERT INTO membership VALUES ('acc', 'ann', 'ADMIN'), ('acc', 'bob', 'BILLING')
"""
AT = "'2026-07-01 12:00:00'"
METHODS_OF_EACH_STATUS = ";".join(
    f"""
    INSERT INTO payment_method (id, account_id, kind, status, failure, is_default, position, brand, wants_default,
                                held_until, created_by, created_at, updated_at, vault_task, next_action_at, failures)
    VALUES ('{name}', 'acc', 'CARD', '{status}', {failure}, false, 0, 'Visa', false,
            {until}, 'user:ann', {AT}, {AT}, {task}, {AT}, 0);
    INSERT INTO payment_consent (id, account_id, method_id, agreement_version, text_hash, agreement, accepted_by,
                                 accepted_at, revoked_at)
    VALUES ('{name}', 'acc', '{name}', '1', 'hash', 'I agree.', 'user:ann', {AT}, {revoked})
    """
    for name, status, failure, until, task, revoked in (
        ("added", "ACTIVE", "NULL", AT, "NULL", "NULL"),
        ("asked", "PENDING", "NULL", AT, "'SETTLE'", "NULL"),
        ("held", "VERIFIED", "NULL", AT, "'SETTLE'", "NULL"),
        ("late", "FAILED", "'NOT_ADDED'", AT, "'DELETE'", AT),
        ("plain", "PENDING", "NULL", "NULL", "'SETTLE'", "NULL"),
    )
)
A_SENT_MESSAGE = """
    INSERT INTO notification (id, kind, channel, recipient, address, dedupe_key, facts, state, created_at,
                              next_action_at, lease_epoch, attempts)
    VALUES ('ntf', 'SUSPENDED', 'PHONE_CALL', 'Ann', '+1', 'key', '{}', 'SENT', '2026-07-01 12:00:00',
            '2026-07-01 12:00:00', 1, 1)
"""


@pytest.fixture
def versions(tmp_path: Path) -> Path:
    folder = tmp_path / "versions"
    folder.mkdir()
    return folder


def write(versions: Path, number: int, steps: str) -> None:
    """Write revision `number`, which follows the one before."""
    before = f'"{number - 1:04d}"' if number > 1 else "None"
    head = f'import sqlalchemy as sa\nfrom alembic import op\n\nrevision = "{number:04d}"\ndown_revision = {before}\n'
    body = f"\n\ndef upgrade():\n{indent(dedent(steps).strip(), '    ')}\n\n\ndef downgrade():\n    pass\n"
    (versions / f"{number:04d}_step.py").write_text(head + body)


def tables(url: str) -> set[str]:
    engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
    names = set(inspect(engine).get_table_names())
    engine.dispose()
    return names


def rows(url: str, statement: str) -> list[tuple[object, ...]]:
    engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(statement))]
    engine.dispose()
    return found


class TestUpgrade:
    async def test_satisfies_the_check_of_the_database(self, url, versions):
        write(versions, 1, PARENT_AND_CHILD)

        upgrade(url, versions=versions)

        database = Database.open(url, revision=head_revision(versions))
        await database.check()
        await database.close()

    async def test_leaves_the_check_unhappy_when_a_revision_is_missing(self, url, versions):
        write(versions, 1, PARENT_AND_CHILD)
        upgrade(url, versions=versions)
        write(versions, 2, REBUILD_PARENT)

        database = Database.open(url, revision=head_revision(versions))
        with pytest.raises(DatabaseUnmigrated, match="at revision 0001, but this program needs 0002"):
            await database.check()
        await database.close()

    def test_changes_nothing_the_second_time(self, url, versions):
        write(versions, 1, PARENT_AND_CHILD)

        upgrade(url, versions=versions)
        upgrade(url, versions=versions)

        assert rows(url, "SELECT * FROM child") == [("c", "p")]

    def test_undoes_all_revisions_when_one_fails(self, url, versions):
        write(versions, 1, PARENT_AND_CHILD)
        write(versions, 2, REBUILD_PARENT + '\nop.drop_table("nowhere")')

        with pytest.raises(Exception, match="nowhere"):
            upgrade(url, versions=versions)

        assert tables(url) <= {"alembic_version"}

    def test_keeps_the_children_of_a_parent_that_is_rebuilt(self, url, versions):
        write(versions, 1, PARENT_AND_CHILD)
        write(versions, 2, REBUILD_PARENT)

        upgrade(url, versions=versions)

        assert rows(url, "SELECT * FROM child") == [("c", "p")]
        assert rows(url, "SELECT title, more FROM parent") == [("a", None)]

    def test_undoes_a_revision_that_breaks_references(self, sqlite_url, versions):
        write(versions, 1, PARENT_AND_CHILD)
        upgrade(sqlite_url, versions=versions)
        write(versions, 2, 'op.execute("DELETE FROM parent")')

        with pytest.raises(Exception, match="broke references from child"):
            upgrade(sqlite_url, versions=versions)

        assert rows(sqlite_url, "SELECT id FROM parent") == [("p",)]
        assert rows(sqlite_url, "SELECT version_num FROM alembic_version") == [("0001",)]

    def test_makes_the_folder_and_a_file_in_wal_mode(self, tmp_path, versions):
        write(versions, 1, PARENT_AND_CHILD)

        upgrade(f"sqlite:///{tmp_path}/new folder/50%.db", versions=versions)

        with closing(sqlite3.connect(tmp_path / "new folder" / "50%.db")) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    def test_says_what_to_do_when_no_server_answers(self, tmp_path, versions):
        with pytest.raises(DatabaseUnreachable, match="Start it, or correct FLEX_DATABASE_URL"):
            upgrade(f"postgresql://ann@/flex?host={tmp_path}", versions=versions)

    def test_says_what_to_do_when_a_file_is_no_database(self, tmp_path, versions):
        (tmp_path / "letter.db").write_text("Dear accountant, " * 200)

        with pytest.raises(DatabaseUnreachable, match="file is not a database"):
            upgrade(f"sqlite:///{tmp_path}/letter.db", versions=versions)

    def test_says_what_to_do_when_another_program_holds_the_file(self, tmp_path, versions, monkeypatch):
        monkeypatch.setattr("app.models.connection.BUSY_TIMEOUT_MILLISECONDS", 0)
        write(versions, 1, PARENT_AND_CHILD)
        with closing(sqlite3.connect(tmp_path / "held.db", isolation_level=None)) as holder:
            holder.execute("PRAGMA journal_mode=WAL")
            holder.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseUnreachable, match="database is locked"):
                upgrade(f"sqlite:///{tmp_path}/held.db", versions=versions)

    def test_refuses_a_memory_database(self, versions):
        with pytest.raises(DatabaseUnsuitable, match="must be a plain file"):
            upgrade("sqlite://", versions=versions)


class TestHeadRevision:
    def test_is_the_last_of_the_line(self, versions):
        write(versions, 1, "pass")
        write(versions, 2, "pass")

        assert head_revision(versions) == "0002"

    def test_is_none_without_revisions(self, versions):
        assert head_revision(versions) is None

    def test_refuses_two_lines(self, versions):
        write(versions, 1, "pass")
        write(versions, 2, "pass")
        other = (versions / "0002_step.py").read_text().replace('revision = "0002"', 'revision = "0003"', 1)
        (versions / "0003_other.py").write_text(other)

        with pytest.raises(ValueError, match="several heads"):
            head_revision(versions)


class TestWriteRevision:
    def test_leads_from_nothing_to_the_row_classes_without_drift_and_back(self, url, versions):
        written = write_revision("all tables", versions=versions, metadata=METADATA)

        assert written.name == "0001_all_tables.py"
        upgrade(url, versions=versions)
        assert drift(url, versions=versions, metadata=METADATA) == []
        assert tables(url) == {"alembic_version", "thing", "piece"}
        downgrade(url, "base", versions=versions)
        assert tables(url) == {"alembic_version"}

    def test_finds_the_drift_of_a_database(self, url, versions):
        write_revision("all tables", versions=versions, metadata=METADATA)
        path = next(versions.glob("*.py"))
        path.write_text(path.read_text().replace("sa.Column('note', sa.Text(), nullable=True),", ""))
        upgrade(url, versions=versions)

        differences = drift(url, versions=versions, metadata=METADATA)

        assert len(differences) == 1
        assert "add_column" in differences[0]
        assert "note" in differences[0]


TAXED_AND_WRITTEN_OFF = """
    INSERT INTO tax_rate VALUES ('acc', '2026-07-01', 'Sales tax', 650), ('acc', '2026-08-01', 'Sales tax', 0);
    INSERT INTO invoice (id, account_id, account_name, kind, status, number, period_on, plan_version_id,
                         policies_version, engine_version, usage_watermark, ledger_watermark, total_cents,
                         credit_applied_cents, amount_due_cents, facts_hash, content_hash)
    VALUES ('two', 'acc', 'Harbor Dental', 'CYCLE', 'DRAFT', 100002, '2026-08-01', 'plan',
            '2026-11', 1, 0, 0, 18105, 0, 18105, '', '');
    INSERT INTO invoice_line (invoice_id, position, account_id, kind, period_on, quantity, unit, unit_price,
                              amount_cents, rule, inputs)
    VALUES ('two', 1, 'acc', 'BASE', '2026-08-01', 1, 'month', 1390000, 13900, 11, '{"plan": "100"}'),
           ('two', 2, 'acc', 'CHARGE', '2026-08-01', 1, 'charge', 310000, 3100, 27, '{}'),
           ('two', 3, 'acc', 'TAX', '2026-08-01', 1, 'ten-thousandths', 650, 1105, 11,
            '{"tax_name": "Sales tax", "taxed_cents": 17000}');
    UPDATE invoice SET status = 'UNCOLLECTIBLE', issued_at = '2026-08-01 12:00:00' WHERE id = 'two';
    INSERT INTO ledger_posting (account_id, seq, kind, debit, credit, amount_cents, invoice_id, posted_at)
    VALUES ('acc', 1, 'INVOICED', 'RECEIVABLE', 'REVENUE', 17000, 'two', '2026-08-01 12:00:00'),
           ('acc', 2, 'TAX_INVOICED', 'RECEIVABLE', 'TAX_PAYABLE', 1105, 'two', '2026-08-01 12:00:00'),
           ('acc', 3, 'WRITTEN_OFF', 'BAD_DEBT', 'RECEIVABLE', 18105, 'two', '2026-09-01 12:00:00')
"""
"""An invoice of engine 1 over $139.00 and $31.00 with 6.5 % of tax, written off."""


class TestBooksOfEngine1:
    def test_have_lists_of_taxes_shares_of_tax_and_lines_that_stand_for_write_offs(self, url):
        upgrade(url)
        downgrade(url, "0005")
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for statement in (*AN_ISSUED_INVOICE.split(";")[:2], *TAXED_AND_WRITTEN_OFF.split(";")):
                connection.execute(text(statement.replace(":", r"\:")))
        engine.dispose()

        upgrade(url)

        def read(value):
            return json.loads(value) if isinstance(value, str) else value

        lists = rows(url, "SELECT rates FROM tax_list ORDER BY valid_from")
        assert [read(rates) for (rates,) in lists] == [[{"name": "Sales tax", "rate": 65_000, "kinds": []}], []]
        taxes = rows(url, "SELECT taxes FROM invoice_line ORDER BY position")
        assert [read(shares) for (shares,) in taxes] == [
            [["Sales tax", 65_000, 9_04, None]],
            [["Sales tax", 65_000, 2_01, None]],
            None,
        ]
        shares = rows(
            url, "SELECT seq, position, write_off_seq, cents, tax_cents FROM write_off_share ORDER BY position"
        )
        assert [(*share[:4], read(share[4])) for share in shares] == [
            (3, 1, 3, 139_00, [9_04]),
            (3, 2, 3, 31_00, [2_01]),
        ]

        downgrade(url, "0005")
        assert rows(url, "SELECT name, ten_thousandths FROM tax_rate ORDER BY valid_from") == [
            ("Sales tax", 650),
            ("Tax", 0),
        ]


class TestTheProgram:
    def test_has_a_first_revision_that_agrees_with_its_row_classes(self, url):
        upgrade(url)

        assert drift(url) == []

    def test_goes_back_to_its_first_revision_and_forward_again(self, url):
        upgrade(url)

        downgrade(url, "0001")
        upgrade(url)

        assert drift(url) == []

    def test_freezes_what_an_issued_invoice_corrects(self, url):
        upgrade(url)
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for statement in AN_ISSUED_INVOICE.split(";"):
                connection.execute(text(statement))
        with engine.connect() as connection, pytest.raises(IntegrityError, match="an issued invoice never changes"):
            connection.execute(text("UPDATE invoice SET corrects_invoice_id = 'inv'"))
        with engine.begin() as connection:
            assert connection.execute(text("UPDATE invoice SET status = 'VOID'")).rowcount == 1
        engine.dispose()

    def test_gives_the_admins_that_there_are_every_alert(self, url):
        upgrade(url)
        downgrade(url, "0002")
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for statement in (*AN_ISSUED_INVOICE.split(";")[:2], *TWO_MEMBERS.split(";")):
                connection.execute(text(statement))
        engine.dispose()

        upgrade(url)

        subscribed = rows(url, "SELECT user_id, kind, is_on FROM alert_subscription ORDER BY kind")
        assert subscribed == [("ann", kind, True) for kind in sorted(AlertKind)]

    def test_gives_up_what_is_verified_and_not_added_when_it_goes_back_to_before(self, url):
        upgrade(url)
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            for statement in (*AN_ISSUED_INVOICE.split(";")[:2], *METHODS_OF_EACH_STATUS.split(";")):
                connection.execute(text(statement))
        engine.dispose()

        downgrade(url, "0009")

        methods = "SELECT id, status, failure, vault_task FROM payment_method ORDER BY id"
        assert rows(url, methods) == [
            ("added", "ACTIVE", None, None),
            ("asked", "FAILED", "NOT_THERE", "DELETE"),
            ("held", "FAILED", "NOT_THERE", "DELETE"),
            ("late", "FAILED", "NOT_THERE", "DELETE"),
            ("plain", "PENDING", None, "SETTLE"),
        ]
        good = "SELECT method_id FROM payment_consent WHERE revoked_at IS NULL ORDER BY method_id"
        assert rows(url, good) == [("added",), ("plain",)]
        upgrade(url)
        assert rows(url, "SELECT count(*) FROM payment_method WHERE held_until IS NULL") == [(5,)]
        assert drift(url) == []

    def test_keeps_a_sent_message_sent(self, url):
        upgrade(url)
        engine = create_engine(url.replace("+aiosqlite", "").replace("postgresql://", "postgresql+psycopg://"))
        with engine.begin() as connection:
            connection.execute(text(A_SENT_MESSAGE))
        with engine.connect() as connection, pytest.raises(IntegrityError, match="a message that was sent stays sent"):
            connection.execute(text("UPDATE notification SET state = 'QUEUED'"))
        with engine.begin() as connection:
            assert connection.execute(text("UPDATE notification SET call_outcome = 'BUSY'")).rowcount == 1
        engine.dispose()

    def test_tells_its_revision_without_loading_alembic(self):
        code = "import sys; from app.migrations.upgrade import head_revision; head_revision(); print(*sys.modules)"

        loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()

        assert "app.migrations.upgrade" in loaded
        assert "alembic" not in loaded
