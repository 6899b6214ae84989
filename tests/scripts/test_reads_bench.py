"""The reads bench: its database, its requests, and what keeps it from comparing what is not the same."""

from __future__ import annotations

import http.server
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from app.ports import Allowance, Rate
from app.settings import DATABASE_FILE
from scripts.bench import __main__ as command
from scripts.bench import load, reads_answers, reads_bench
from scripts.bench.databases import TablesDiffer
from scripts.bench.measure import SideFailed
from scripts.bench.reads_answers import AnswersDiffer, check_answers, check_rows, find_difference
from scripts.bench.reads_facts import LINES, make_reads_database
from scripts.bench.reads_operations import GROWING, MUTATION, READS, Reader, requests
from scripts.bench.reads_product import RaisedLimits
from scripts.bench.reads_sides import PEERS, readers_of

READER = Reader("token", "inv_1")
WHOSE = "WHERE account_id IN (SELECT id FROM account WHERE external_id LIKE 'READS%')"


def rows(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(query).fetchall()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    path = tmp_path_factory.mktemp("reads") / "reads.db"
    make_reads_database(path, invoices=23, calls=30, accounts=7, readers=3)
    return path


class TestDatabase:
    def test_has_as_many_accounts_invoices_and_calls_as_asked_for(self, database):
        invoices, calls = (
            [count for (count,) in rows(database, f"SELECT count(*) FROM {table} {WHOSE} GROUP BY account_id")]
            for table in ("invoice", "call")
        )

        assert rows(database, "SELECT count(*) FROM account") == [(7,)]
        assert invoices == [23, 23, 23]
        assert calls == [20 + 10 + 2 * 19] * 3  # those of this month, copies, and two of each month before

    def test_the_newest_invoice_of_each_reader_has_200_lines_and_is_open(self, database):
        lines = rows(
            database,
            "SELECT count(*) FROM invoice_line WHERE invoice_id IN "
            f"(SELECT id FROM invoice {WHOSE} AND status = 'OPEN') GROUP BY invoice_id",
        )

        assert lines == [(LINES,)] * 3
        assert [reader.invoice_id for reader in readers_of(database)] == [
            invoice
            for (invoice,) in rows(
                database,
                "SELECT invoice_id FROM invoice_line JOIN account ON account.id = account_id WHERE position = 200 "
                "ORDER BY external_id",
            )
        ]

    def test_every_reference_leads_somewhere_and_the_guards_are_back(self, database):
        assert rows(database, "PRAGMA foreign_key_check") == []
        with closing(sqlite3.connect(database)) as connection, pytest.raises(sqlite3.IntegrityError):
            connection.execute("UPDATE invoice SET total_cents = 1")

    def test_nothing_waits(self, database):
        assert (
            rows(database, "SELECT 1 FROM notification UNION SELECT 1 FROM collection WHERE next_action_at > ''") == []
        )


class TestRequests:
    def test_the_readers_ask_in_turn(self):
        sent = requests("http://127.0.0.1:1", READS[1], [READER, Reader("other", "inv_2")])

        first, second = next(sent), next(sent)

        assert b"Bearer token" in first
        assert b"Bearer other" in second
        assert orjson.loads(second.partition(b"\r\n\r\n")[2])["variables"] == {"id": "inv_2"}

    def test_a_switch_goes_off_and_on_in_turns(self):
        switched = [MUTATION.variables(READER, turn)["changes"][0]["isOn"] for turn in range(3)]

        assert switched == [False, True, False]

    def test_no_list_is_longer_where_an_account_has_grown(self):
        assert {each.variables(READER, 0).get("first", 20) for each in GROWING} == {20}
        assert READS[2].variables(READER, 0) == {"first": 50}

    def test_an_operation_is_called_as_its_document_says(self):
        assert [each.name for each in READS] == ["BenchSummary", "BenchBreakdown", "BenchList"]


class TestLoad:
    @pytest.fixture
    def address(self, request):
        status, body = request.param

        class Answering(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                self.rfile.read(int(self.headers["content-length"]))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answering)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        server.server_close()

    @pytest.mark.parametrize("address", [(200, b'{"data":{"a":1}}')], indirect=True)
    def test_takes_the_time_of_each_request(self, address):
        sent = requests(address, READS[0], [READER])

        assert len(load.ask(address, sent, 40)) == 40
        assert load.answers(address, sent, 2) == [b'{"data":{"a":1}}'] * 2

    @pytest.mark.parametrize("address", [(200, b'{"errors":[]}'), (500, b"{}")], indirect=True)
    def test_an_answer_with_errors_is_none(self, address):
        with pytest.raises(SideFailed, match="A server answered"):
            load.ask(address, requests(address, READS[0], [READER]), 1)


class TestEqualAnswers:
    @pytest.mark.parametrize(
        ("one", "other", "where"),
        [
            ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "x"}]}, None),
            ({"a": [1, {"b": "x"}]}, {"a": [1, {"b": "y"}]}, "data.a[1].b"),
            ({"a": 1}, {"a": True}, "data.a"),
            ({"a": 1}, {"b": 1}, "data"),
            ([1], [1, 2], "data"),
        ],
    )
    def test_names_the_first_place_that_differs(self, one, other, where):
        assert find_difference(one, other) == where

    def test_refuses_a_side_that_answers_otherwise(self, monkeypatch):
        said = {"http://ours": b'{"data":{"total":"1.00"}}', "http://theirs": b'{"data":{"total":"1.0"}}'}
        monkeypatch.setattr(reads_answers, "answers", lambda address, _requests, count: [said[address]] * count)
        ours, theirs = (
            SimpleNamespace(name=name, address=f"http://{name}", requests={READS[0]: None})
            for name in ("ours", "theirs")
        )

        with pytest.raises(AnswersDiffer, match=r"theirs answers the Summary in another way .* at data.total"):
            check_answers(ours, [theirs], READS[:1], 2)

    def test_refuses_a_side_that_has_written_otherwise(self, tmp_path, database):
        folders = {name: tmp_path / name for name in ("ours", "theirs")}
        for folder in folders.values():
            folder.mkdir()
            (folder / DATABASE_FILE).write_bytes(Path(database).read_bytes())
        check_rows(folders["ours"], {"theirs": folders["theirs"]})
        with closing(sqlite3.connect(folders["theirs"] / DATABASE_FILE)) as connection, connection:
            connection.execute("UPDATE alert_subscription SET is_on = 0")

        with pytest.raises(TablesDiffer) as caught:
            check_rows(folders["ours"], {"theirs": folders["theirs"]})

        assert caught.value.tables == ["alert_subscription"]

    def test_the_command_says_so(self, monkeypatch, capsys):
        def bench(_scope):
            raise AnswersDiffer("Apollo", "list", "data.invoices")

        monkeypatch.setattr(command, "BENCHES", {"reads": bench})

        assert command.main([]) == 2
        assert "Apollo answers the list in another way" in " ".join(capsys.readouterr().err.split())


class TestSides:
    async def test_limits_are_counted_and_raised(self):
        spent = []

        class Limiter:
            async def spend(self, rate, key, amount):
                spent.append((rate.most, key, amount))
                return Allowance(True, 1, 0)

        await RaisedLimits(Limiter()).spend(Rate("token", 60), "somebody", 7)

        assert spent == [(60_000, "somebody", 7)]

    def test_says_who_is_left_out_where_node_is_missing(self):
        assert any("npm ci" in note for note in reads_bench._notes(["the product", "a handler by hand"], 3, 40))
        assert not any("npm ci" in note for note in reads_bench._notes(["the product", "Apollo"], 3, 40))

    def test_the_packages_of_the_peers_are_pinned(self):
        locked = orjson.loads((PEERS / "package-lock.json").read_bytes())["packages"]
        wanted = orjson.loads((PEERS / "package.json").read_bytes())["dependencies"]

        assert all(f"node_modules/{name}" in locked for name in wanted)
