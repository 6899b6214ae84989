"""The command line as people use it: every expected failure is a sentence, and every exit code means something."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from typing import NamedTuple

import pytest

from app.cli import main
from app.repositories.database import Database
from app.services.operations import verify as verifying
from app.services.operations.verify_ledger import Difference
from tests.command_line import CommandLine, free_port


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, tmp_path, capsys):
    """The command line in this process, in a folder and a data folder of its own."""
    for name in [name for name in os.environ if name.startswith("FLEX_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("FLEX_DATA", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["flex-billing", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return Ended(end.value.code or 0, out, err)

    yield run
    for number, handler in handlers.items():
        signal.signal(number, handler)


@pytest.fixture
def sandbox(cli):
    """The same, set up in February 1999 with one account."""
    assert cli("clock", "start", "--at", "1999-02-01 00:30").code == 0
    assert cli("migrate").code == 0
    created = cli(
        "account", "create", "AA0101", "--name", "Harbor Dental", "--plan", "100", "--paid-since", "1999-01-01"
    )
    assert created.code == 0
    return cli


class TestBadInput:
    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("run-due",), "has no tables yet. Run `flex-billing migrate`."),
            (("import-calls", "missing.tsv"), "'missing.tsv' cannot be read"),
            (("import-calls", "x", "--create-accounts"), "--create-accounts needs to know more"),
            (("import-calls", "x", "--plan", "100"), "--plan and --paid-since go with --create-accounts"),
            (("sample-calls", "x.tsv", "--month", "soon"), "'soon' is not a month"),
            (("sample-calls", "x.tsv", "--lines", "0"), "needs at least one line"),
            (("clock", "start", "--at", "soon"), "'soon' is not an instant"),
            (("clock", "advance", "--to", "1999-01-01"), "The clock never goes backwards"),
            (("verify", "--since", "yesterday"), "'yesterday' is not a date"),
        ],
    )
    def test_is_answered_by_one_sentence_and_exit_2(self, cli, arguments, sentence):
        ended = cli(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert sentence in ended.err
        assert len(ended.err.splitlines()) == 1

    @pytest.mark.parametrize(
        ("arguments", "sentence"),
        [
            (("explain", "AA0109"), "There is no account 'AA0109'"),
            (("explain", "100001"), "There is no invoice 100001"),
            (("verify", "--account", "AA0109"), "There is no account 'AA0109'"),
            (("token", "--account", "AA0109"), "There is no account 'AA0109'"),
            (("key", "revoke", "phone"), "There is no live key named 'phone'"),
            (("key", "create", "flex", "--purpose", "service", "--source", "x"), "Only a key for calls"),
            (("quarantine", "discard", "qua_1", "--reason", "old"), "Nothing waits in quarantine as 'qua_1'"),
            (("account", "create", "B", "--name", "B", "--plan", "gold", "--paid-since", "1999-01-01"), "no plan"),
            (("account", "create", "B", "--name", "B", "--plan", "100"), "Give `trialEndsOn`"),
            (
                ("account", "create", "B", "--name", "B", "--plan", "100", "--paid-since", "1999-01-01",
                 "--member", "owner,x,y"),
                "'owner,x,y' is not a member",
            ),
            (("clock", "start", "--at", "1999-03-01"), "so its clock can only advance"),
        ],
    )  # fmt: skip
    def test_so_is_a_name_that_nobody_has(self, sandbox, arguments, sentence):
        ended = sandbox(*arguments)
        assert (ended.code, ended.out) == (2, "")
        assert sentence in ended.err

    def test_a_file_that_is_no_call_file_is_refused_in_one_sentence(self, sandbox, tmp_path):
        (tmp_path / "letters.txt").write_text("dear sir\n")
        ended = sandbox("import-calls", "letters.txt")
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(
            "'letters.txt' is not a call file (its first row names none of the fields): expected"
        )
        assert len(ended.err.splitlines()) == 1

    def test_a_database_that_does_not_answer_says_what_to_do(self, cli, monkeypatch):
        monkeypatch.setenv("FLEX_DATABASE_URL", f"postgresql://nobody@127.0.0.1:{free_port()}/flex")
        ended = cli("run-due")
        assert ended.code == 2
        assert "does not answer" in ended.err
        assert "Start it, or correct FLEX_DATABASE_URL." in ended.err

    def test_wrong_usage_is_exit_2_too(self, cli):
        assert cli("import-calls").code == 2
        assert cli("fly").code == 2

    def test_production_says_what_is_missing_and_has_no_sandbox(self, cli, monkeypatch):
        monkeypatch.setenv("FLEX_ENV", "production")
        for command in (("serve",), ("migrate",), ("settings",)):
            ended = cli(*command)
            assert ended.code == 2
            assert "FLEX_SIGNING_SECRET is missing" in ended.err
        for command in (("demo",), ("clock", "show"), ("token", "--account", "AA0101")):
            ended = cli(*command)
            assert ended.code == 2
            assert "is for the sandbox, and this is production" in ended.err

    def test_a_fault_of_ours_is_a_sentence_with_the_place_of_its_details(self, sandbox, monkeypatch, tmp_path):
        def broken(*_arguments, **_options):
            raise ZeroDivisionError("one divided by zero")

        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        monkeypatch.setattr(Database, "open", broken)
        ended = sandbox("run-due")
        assert (ended.code, ended.out) == (70, "")
        assert ended.err.startswith("Something is wrong with this program (ZeroDivisionError). Report it with ")
        (details,) = tmp_path.glob("flex-billing-*.log")
        assert "one divided by zero" in details.read_text()


class TestHelp:
    @pytest.mark.parametrize(
        "command",
        [
            (), ("demo",), ("serve",), ("migrate",), ("import-calls",), ("run-due",), ("export-schema",), ("verify",),
            ("account", "create"), ("key", "create"), ("key", "revoke"), ("staff", "record-payment"),
            ("staff", "set-taxes"),
            ("sample-calls",), ("quarantine", "list"), ("quarantine", "release"), ("quarantine", "discard"),
            ("explain",), ("settings",), ("token",), ("clock", "show"), ("clock", "start"), ("clock", "advance"),
        ],
    )  # fmt: skip
    def test_every_command_explains_itself(self, cli, command):
        ended = cli(*command, "--help")
        assert ended.code == 0
        assert "Usage: flex-billing" in ended.out

    def test_nobody_waits_for_libraries_that_a_help_text_does_not_need(self):
        heavy = {"alembic", "braintree", "jinja2", "pydantic", "sqlalchemy", "sqlmodel", "starlette", "strawberry"}
        program = f"import sys; import app.cli.application; print(sorted({heavy} & set(sys.modules)))"
        ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert ended.stdout == "[]\n"


class TestBilling:
    def test_a_check_pays_invoices_once_and_the_rest_becomes_credit(self, sandbox):
        assert "2 monthly invoices issued" in _advanced_to_february(sandbox).out
        check = (
            "staff",
            "record-payment",
            "AA0101",
            "$300.00",
            "--reference",
            "Check 7",
            "--received-on",
            "1999-02-03",
        )
        by = ("--actor", "ann", "--reason", "by mail")
        assert sandbox(*check, *by).out.splitlines() == [
            "$300.00 from AA0101 recorded: 2 invoices paid in full.",
            "$22.00 is left over and became credit.",
        ]
        assert sandbox(*check, *by).out == "$300.00 from AA0101 had been recorded before; nothing changed.\n"
        conflict = sandbox(*check[:3], "$301.00", *check[4:], *by)
        assert conflict.code == 2
        assert "already recorded, over $300.00" in conflict.err

    @pytest.mark.parametrize(
        "amount", ["12.345", "1e3", "12.5", "ten", "0x10", "1,00.00", "\N{ARABIC-INDIC DIGIT ONE}"]
    )
    def test_an_amount_is_dollars_and_two_digits_of_cents(self, sandbox, amount):
        ended = sandbox(
            "staff", "record-payment", "AA0101", amount, "--reference", "7", "--received-on", "1999-02-03",
            "--actor", "ann", "--reason", "by mail",
        )  # fmt: skip
        assert ended.code == 2
        assert "is not an amount in dollars" in ended.err

    def test_verify_passes_and_explain_tells_the_story(self, sandbox):
        _advanced_to_february(sandbox)
        assert sandbox("verify").out == "Everything agrees: 1 account checked.\n"
        assert sandbox("verify", "--account", "AA0101", "--since", "1999-02-01").code == 0
        account = sandbox("explain", "AA0101")
        assert "Account AA0101, Harbor Dental" in account.out
        assert "invoice.issued" in account.out
        invoice = sandbox("explain", "100001")
        assert "Invoice 100001 of account AA0101, Harbor Dental" in invoice.out
        assert "$139.00 (rule 11: 1 month at $139.00)" in invoice.out

    def test_verify_exits_1_with_the_differences(self, sandbox, tmp_path):
        _advanced_to_february(sandbox)
        with sqlite3.connect(tmp_path / "data" / "flex-billing.db") as books:
            books.execute("UPDATE account SET paid_starts_on = '1999-01-02'")
        books.close()
        ended = sandbox("verify")
        assert ended.code == 1
        assert "AA0101, invoice 100001" in ended.out
        assert "found." in ended.err

    @pytest.mark.parametrize(
        ("kinds", "code", "ending"),
        [
            ([True], 0, "Everything agrees but for 1 warning: 1 account checked.\n"),
            ([True, True], 0, "Everything agrees but for 2 warnings: 1 account checked.\n"),
            ([False], 1, "1 difference found.\n"),
            ([False, True, False], 1, "2 differences and 1 warning found.\n"),
        ],
    )
    def test_verify_counts_warnings_apart_and_exits_0_for_them_alone(self, sandbox, monkeypatch, kinds, code, ending):
        async def found(*, on_progress, **_):
            for is_warning in kinds:
                yield Difference("AA0101", "a place", "one", "the other", is_warning=is_warning)
            on_progress(None)

        monkeypatch.setattr(verifying, "verify", found)
        ended = sandbox("verify")
        assert ended.code == code
        told = ended.out.splitlines()[: len(kinds)]
        assert told == [f"{'Warning: ' * kind}AA0101, a place: found one, expected the other" for kind in kinds]
        assert (ended.out if code == 0 else ended.err).endswith(ending)

    def test_rebuild_balances_mends_one_that_is_off_by_a_cent(self, sandbox, tmp_path):
        _advanced_to_february(sandbox)
        with sqlite3.connect(tmp_path / "data" / "flex-billing.db") as books:
            books.execute("UPDATE invoice SET balance_cents = balance_cents + 1 WHERE number = 100001")
        books.close()
        assert "invoice 100001, running balance" in sandbox("verify").out
        mended = sandbox("rebuild", "balances")
        assert mended.code == 0
        assert mended.out.startswith("AA0101, invoice 100001, running balance, balance: was ")
        assert mended.out.endswith("1 balance mended.\n")
        assert sandbox("rebuild", "balances").out == "Every balance is the sum of its postings.\n"
        assert sandbox("verify").code == 0


def _advanced_to_february(sandbox):
    assert sandbox("clock", "advance", "--to", "1999-02-01 07:00").code == 0
    return sandbox("run-due")


class TestTaxes:
    BY = ("--actor", "ann", "--reason", "told by the accountant")

    def test_the_whole_list_is_stated_and_each_is_on_the_next_invoice(self, sandbox):
        stated = sandbox(
            "staff", "set-taxes", "AA0101", "--from", "1999-02-01",
            "--tax", "State tax=6.5", "--tax", "City tax=1.2505%:BASE, overage", *self.BY,
        )  # fmt: skip
        assert (stated.code, stated.err) == (0, "")
        assert stated.out == "From 1999-02-01 on AA0101 pays State tax of 6.5 % and City tax of 1.2505 %.\n"
        _advanced_to_february(sandbox)
        invoice = sandbox("explain", "100002").out
        assert "$9.04 (rule 11: 6.5 % of $139.00 = $9.04)" in invoice
        assert "$1.74 (rule 11: 1.2505 % of $139.00 = $1.74)" in invoice
        trail = sandbox("explain", "AA0101").out
        assert "taxes.set" in trail
        assert sandbox("verify").code == 0

    def test_without_any_no_tax_is_due(self, sandbox):
        sandbox("staff", "set-taxes", "AA0101", "--from", "1999-02-01", "--tax", "State tax=6.5", *self.BY)
        ended = sandbox("staff", "set-taxes", "AA0101", "--from", "1999-02-01", *self.BY)
        assert ended.out == "From 1999-02-01 on AA0101 pays no tax.\n"
        _advanced_to_february(sandbox)
        assert "%" not in sandbox("explain", "100002").out

    @pytest.mark.parametrize(
        ("taxes", "sentence"),
        [
            (["State tax=6.50001"], "'State tax=6.50001' is no tax. Write it like 'State tax=6.5', with four decimals"),
            (["State tax=-1"], "'State tax=-1' is no tax."),
            (["State tax"], "'State tax' is no tax."),
            (["=6.5"], "'=6.5' is no tax."),
            (["State tax=\N{ARABIC-INDIC DIGIT ONE}"], "is no tax."),
            (["State tax=6.5:BASE,TELEPHONE"], "'TELEPHONE' is no kind of charge. What can be taxed: BASE, ADD_ON, "),
            (["State tax=6.5:CORRECTION"], "taxes.0.kinds: CORRECTION cannot be taxed. What can: BASE, ADD_ON, "),
            (["State tax=6.5", "City tax=100.0001"], "taxes.1.percent: A tax lies between 0 % and 100 %, with four"),
            (["State tax=6.5", "State tax =1"], "taxes: 'State tax' is there twice. State each tax once."),
        ],
    )
    def test_a_list_that_cannot_be_used_is_refused_in_one_sentence(self, sandbox, taxes, sentence):
        options = [word for tax in taxes for word in ("--tax", tax)]
        ended = sandbox("staff", "set-taxes", "AA0101", "--from", "1999-02-01", *options, *self.BY)
        assert (ended.code, ended.out) == (2, "")
        assert sentence in ended.err
        assert len(ended.err.splitlines()) == 1
        assert "taxes.set" not in sandbox("explain", "AA0101").out

    def test_a_day_that_is_invoiced_is_refused(self, sandbox):
        _advanced_to_february(sandbox)
        ended = sandbox("staff", "set-taxes", "AA0101", "--from", "1999-02-01", "--tax", "State tax=6.5", *self.BY)
        assert (ended.code, ended.out) == (2, "")
        assert "A tax cannot begin on 1999-02-01: an invoice was issued on 1999-02-01." in ended.err


class TestKeys:
    def test_the_secret_alone_goes_to_standard_output_and_the_key_can_be_revoked(self, sandbox):
        ended = sandbox("key", "create", "phone", "--purpose", "ingest")
        assert ended.out.startswith("flex_ingest_")
        assert len(ended.out.splitlines()) == 1
        assert "only time" in ended.err
        assert sandbox("key", "create", "phone", "--purpose", "ingest").code == 2
        assert sandbox("key", "revoke", "phone").out == "Key 'phone' is revoked.\n"
        assert sandbox("key", "create", "phone", "--purpose", "ingest").code == 0


class TestQuarantine:
    def test_is_listed_released_and_discarded(self, sandbox):
        assert sandbox("quarantine", "list").out == "Nothing waits in quarantine.\n"
        sandbox("sample-calls", "calls.tsv", "--lines", "2", "--seed", "5")
        assert sandbox("import-calls", "calls.tsv").code == 0
        listed = sandbox("quarantine", "list", "--limit", "10000")
        rows = [line for line in listed.out.splitlines() if line.startswith("qua_")]
        unknown = next(row.split()[0] for row in rows if "UNKNOWN_ACCOUNT" in row)
        malformed = next(row.split()[0] for row in rows if "MALFORMED" in row)
        stays = sandbox("quarantine", "release", unknown, "--reason", "try again")
        assert (stays.code, stays.out) == (1, "")
        assert f"{unknown} stays in quarantine: No account has this id." in stays.err
        sandbox("account", "create", "AA0102", "--name", "Cedar", "--plan", "100", "--paid-since", "1999-01-01")
        released = sandbox("quarantine", "release", unknown, "--reason", "the account is there")
        assert released.out == f"{unknown} is recorded (accepted).\n"
        row = r"AA0102\t1\t0\t0\tPS\t990104\t9:00:00\t9:00:06\t6\t0:00:00\t0:00:00\t0\tagent\t9:00:06\t9:01:00\t54\tADA"
        mend = ("quarantine", "release", malformed, "--reason", "mended by its source", "--mended")
        assert "outcome 'agent' is not an outcome; known are AGENT, HANG, PHANTOM." in sandbox(*mend, row).err
        assert sandbox(*mend, row.replace("agent", "AGENT")).out == f"{malformed} is recorded (accepted).\n"
        another = next(row.split()[0] for row in rows if "MALFORMED" in row and malformed not in row)
        assert sandbox("quarantine", "discard", another, "--reason", "a broken row").code == 0
        left = sandbox("quarantine", "list", "--limit", "10000").out
        assert unknown not in left
        assert malformed not in left
        assert another not in left


class TestExportSchema:
    def test_check_fails_until_the_file_is_written(self, cli, tmp_path):
        missing = cli("export-schema", "--check")
        assert (missing.code, missing.out) == (1, "")
        assert cli("export-schema").code == 0
        assert cli("export-schema", "--check").code == 0
        (tmp_path / "schema.graphql").write_text("type Query { old: Int }\n")
        assert cli("export-schema", "--check").code == 1


class TestSettings:
    def test_are_shown_without_secrets(self, cli, monkeypatch):
        monkeypatch.setenv("FLEX_DATABASE_URL", "postgresql://billing:hunter2@db/flex")
        shown = cli("settings")
        assert shown.code == 0
        assert "FLEX_DATABASE_URL" in shown.out
        assert "hunter2" not in shown.out + shown.err


class TestServing:
    @pytest.fixture
    def command_line(self, tmp_path):
        return CommandLine(tmp_path / "data", tmp_path)

    @pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
    def test_serve_closes_what_falls_due_and_ends_cleanly(self, command_line, how):
        command_line.run("clock", "start", "--at", "1999-02-01 00:30")
        command_line.run("migrate")
        command_line.run("account", "create", "A1", "--name", "A", "--plan", "100", "--paid-since", "1999-02-01")
        with command_line.server() as server:
            assert server.get("/health/ready")["oldestUnclosedPeriod"] is None
            command_line.run("clock", "advance", "--to", "1999-02-01 07:00")
            _eventually(lambda: _invoices_so_far(command_line) == 1)
            code, err = server.stop(how)
        assert (code, err.splitlines()[-1]) == (0, "Stopped.")
        assert not list(command_line.data.glob("*-wal"))

    def test_a_taken_port_is_told_with_one_that_is_free(self, command_line):
        command_line.run("migrate")
        with socket.create_server(("127.0.0.1", 0)) as other:
            port = other.getsockname()[1]
            ended = command_line.run("serve", "--port", str(port), expect=2)
        assert f"Port {port} is taken by another program: try --port " in ended.stderr

    def test_the_sandbox_is_reached_from_other_machines_only_when_told_twice(self, command_line):
        ended = command_line.run("serve", "--host", "192.0.2.1", "--port", str(free_port()), expect=2)
        assert "add --expose to let other machines reach it at 192.0.2.1" in ended.stderr

    def test_serve_wants_a_migrated_database(self, command_line):
        ended = command_line.run("serve", "--port", str(free_port()), expect=2)
        assert "Run `flex-billing migrate`." in ended.stderr

    def test_the_demo_serves_its_personas_keeps_its_data_and_starts_over_on_reset(self, command_line):
        with command_line.server("demo") as server:
            personas = json.loads((command_line.data / "personas.json").read_text())
            assert list(personas) == ["admin", "billing", "member", "other_admin"]
            assert personas["admin"]["url"] == f"{server.url}/graphql"
            seen = [
                server.ask("{ viewer { role account { externalId } } }", personas[key]["token"])["viewer"]
                for key in personas
            ]
            assert [(each["role"], each["account"]["externalId"]) for each in seen] == [
                ("ADMIN", "harbor-dental"),
                ("BILLING", "harbor-dental"),
                ("MEMBER", "harbor-dental"),
                ("ADMIN", "cedar-veterinary"),
            ]
            code, err = server.stop(signal.SIGTERM)
            assert (code, err.splitlines()[-1]) == (0, "Stopped.")
        command_line.run("account", "create", "MINE", "--name", "Mine", "--plan", "100", "--paid-since", "2026-01-01")
        with command_line.server("demo") as server:
            assert server.stop(signal.SIGINT)[0] == 0
        assert "Mine" in command_line.run("explain", "MINE").stdout
        process = command_line.start("demo", "--reset", "--port", str(free_port()))
        _eventually((command_line.data / "seeding" / "flex-billing.db").exists)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
        assert not (command_line.data / "flex-billing.db").exists()


class TestInterrupted:
    def test_a_demo_that_is_stopped_while_it_is_made_leaves_nothing_half_made(self, tmp_path):
        for how in (signal.SIGTERM, signal.SIGINT):
            command_line = CommandLine(tmp_path / how.name, tmp_path)
            process = command_line.start("demo", "--port", str(free_port()))
            # The migrations are loaded by then: an interrupt in the middle of an import leaves its file to be closed by
            # Python, which says so on its own.
            _eventually(partial(_has_accounts, command_line.data / "seeding" / "flex-billing.db"))
            process.send_signal(how)
            _, err = process.communicate(timeout=30)
            assert process.returncode == 130
            assert err == "Stopped. What was done stays; the same command goes on from there.\n"
            assert not (command_line.data / "flex-billing.db").exists()

    def test_an_import_ends_politely_and_can_be_run_again(self, tmp_path):
        command_line = CommandLine(tmp_path / "data", tmp_path)
        command_line.run("clock", "start", "--at", "1999-02-01 00:30")
        command_line.run("migrate")
        command_line.run("sample-calls", "calls.tsv", "--lines", "15")
        arguments = ("import-calls", "calls.tsv", "--create-accounts", "--plan", "100", "--paid-since", "1999-01-01")
        process = command_line.start(*arguments)
        _eventually(lambda: "AA0101" in _calls_so_far(command_line) or process.poll() is not None)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert (process.returncode, err) == (
            130,
            "Stopped. What was done stays; the same command goes on from there.\n",
        )
        again = command_line.run(*arguments).stdout
        counts = dict(line.rsplit(maxsplit=1) for line in again.splitlines())
        assert int(counts["duplicate"].replace(",", "")) > 0
        assert int(counts["accepted"].replace(",", "")) > 0


def _has_accounts(path):
    if not path.exists():
        return False
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as books, suppress(sqlite3.OperationalError):
        return books.execute("SELECT count(*) FROM account").fetchone()[0] > 0
    return False


def _calls_so_far(command_line):
    books = sqlite3.connect(f"file:{command_line.data}/flex-billing.db?mode=ro", uri=True)
    try:
        return [name for (name,) in books.execute("SELECT external_id FROM account WHERE usage_seq > 0")]
    finally:
        books.close()


def _invoices_so_far(command_line):
    with closing(sqlite3.connect(command_line.data / "flex-billing.db")) as books:
        return books.execute("SELECT COUNT(*) FROM invoice").fetchone()[0]


def _eventually(is_so):
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)
