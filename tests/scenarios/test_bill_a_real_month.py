"""The README's "Bill a real month", step by step, by the real command line in a data folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine, RunningServer

REAL_FILE = Path(__file__).parents[2].parent / "shared" / "data" / "calls-1999-01.tsv.gz"

INVOICES = """
query Invoices {
  invoices(first: 10) {
    nodes {
      number
      kind
      period { startsOn }
      status
      amountDue { amount }
      lines { explanation { rule } amount { amount } }
    }
    totalCount
  }
}
"""


@dataclass(frozen=True)
class Walk:
    """One person's walk: the terminal, and what the first import said."""

    command_line: CommandLine
    file: Path
    counts: dict[str, int]

    def import_again(self) -> dict[str, int]:
        return counts_of(self.command_line, self.file)


def counts_of(command_line: CommandLine, file: Path) -> dict[str, int]:
    """Import the file as the README does and read the closing table."""
    arguments = ("--create-accounts", "--plan", "100", "--paid-since", "1999-01-01")
    lines = command_line.run("import-calls", str(file), *arguments).stdout.splitlines()[1:]
    rows = (line.rsplit(maxsplit=1) for line in lines)
    return {name.strip(): int(count.replace(",", "")) for name, count in rows}


def walk_to_seven_on_the_first(folder: Path, file: Path) -> Walk:
    """Everything in the README up to the cycle run."""
    command_line = CommandLine(folder / "data", folder)
    command_line.run("clock", "start", "--at", "1999-02-01 00:30")
    command_line.run("migrate")
    walk = Walk(command_line, file, counts_of(command_line, file))
    command_line.run("clock", "advance", "--to", "1999-02-01 07:00")
    return walk


def read_invoices(walk: Walk, account: str) -> list[dict[str, Any]]:
    """Start the server and read the account's invoices, newest first, through GraphQL."""
    with walk.command_line.server() as server:
        return ask_for_invoices(walk, server, account)


def ask_for_invoices(walk: Walk, server: RunningServer, account: str) -> list[dict[str, Any]]:
    token = walk.command_line.run("token", "--account", account, "--role", "admin").stdout.strip()
    return server.ask(INVOICES, token)["invoices"]["nodes"]


@pytest.fixture(scope="module")
def made_walk(tmp_path_factory) -> Iterator[Walk]:
    folder = tmp_path_factory.mktemp("made")
    file = folder / "calls.tsv.gz"
    command_line = CommandLine(folder / "elsewhere", folder)
    command_line.run("sample-calls", str(file), "--lines", "3", "--seed", "3")
    walk = walk_to_seven_on_the_first(folder, file)
    walk.command_line.run("run-due")
    return walk


@pytest.fixture(scope="module")
def real_walk(tmp_path_factory) -> Iterator[Walk]:
    if not REAL_FILE.is_file():
        pytest.skip(f"no real call file at {REAL_FILE}")
    walk = walk_to_seven_on_the_first(tmp_path_factory.mktemp("real"), REAL_FILE)
    walk.command_line.run("run-due")
    return walk


class TestOnAMadeMonth:
    def test_every_row_is_accounted_for(self, made_walk):
        rows = made_walk.counts["accepted"] + made_walk.counts["quarantined"]
        assert rows > 500
        assert made_walk.counts["quarantined"] == 6
        assert made_walk.counts["accounts created"] == 3

    def test_the_cycle_run_has_issued_january_and_then_february_and_nothing_more(self, made_walk):
        """Rules 11 and 12: January's base when paid service began, February's with January's usage."""
        again = made_walk.command_line.run("run-due").stdout.splitlines()
        assert again == ["Nothing was due.", "The next invoice falls due on 1999-03-01 at 06:00 PST."]
        invoices = read_invoices(made_walk, "AA0101")
        issued = [(invoice["kind"], invoice["period"]["startsOn"]) for invoice in invoices]
        assert issued == [("CYCLE", "1999-02-01"), ("PLAN_UPGRADE", "1999-01-01"), ("CYCLE", "1999-01-01")]
        assert invoices[2]["amountDue"]["amount"] == "139.00"

    def test_importing_the_file_again_changes_nothing(self, made_walk):
        before = made_walk.command_line.run("explain", "AA0101").stdout
        again = made_walk.import_again()
        assert (again["accepted"], again["duplicate"]) == (0, made_walk.counts["accepted"])
        assert made_walk.command_line.run("explain", "AA0101").stdout == before

    def test_verify_passes_and_again_after_late_calls(self, made_walk):
        """Rule 25: late calls go on the next invoice, and issued invoices stay as they were."""
        command_line = made_walk.command_line
        assert command_line.run("verify").stdout == "Everything agrees: 3 accounts checked.\n"
        late = made_walk.file.with_name("late.tsv")
        command_line.run("sample-calls", str(late), "--lines", "3", "--seed", "4")
        with command_line.server() as server:
            before = ask_for_invoices(made_walk, server, "AA0101")
            counts = counts_of(command_line, late)
            assert counts["accepted"] > 500
            assert ask_for_invoices(made_walk, server, "AA0101") == before
        assert command_line.run("verify").stdout == "Everything agrees: 3 accounts checked.\n"
        command_line.run("clock", "advance", "--to", "1999-03-01 07:00")
        assert command_line.run("run-due").stdout.startswith("3 monthly invoices issued.\n")
        assert command_line.run("verify").stdout == "Everything agrees: 3 accounts checked.\n"


@pytest.mark.real_data
class TestOnTheRealMonth:
    def test_the_closing_table_has_the_figures_of_the_file(self, real_walk):
        assert real_walk.counts == {
            "accepted": 31_566,
            "of them not billable": 239,
            "duplicate": 0,
            "conflict": 0,
            "quarantined": 33,
            "accounts created": 27,
            "live seconds": 4_960_803,
            "IVR seconds": 317_923,
        }

    def test_an_account_is_billed_to_the_cent(self, real_walk):
        """Rules 6, 7, 11 and 19: January moves up to 2,500 minutes; 1,251.50 above that, 33.30 of IVR time."""
        february, upgrade, january = read_invoices(real_walk, "AA0101")
        assert (january["period"]["startsOn"], january["amountDue"]["amount"]) == ("1999-01-01", "139.00")
        assert [line["amount"]["amount"] for line in upgrade["lines"]] == ["2249.00", "-139.00"]
        assert (february["period"]["startsOn"], february["amountDue"]["amount"]) == ("1999-02-01", "1423.80")
        lines = [(line["explanation"]["rule"], line["amount"]["amount"]) for line in february["lines"]]
        assert lines == [(11, "139.00"), (7, "1251.50"), (6, "33.30")]
        assert {invoice["status"] for invoice in (january, upgrade, february)} == {"OPEN"}

    def test_a_second_import_and_a_second_run_change_nothing(self, real_walk):
        again = real_walk.import_again()
        assert (again["accepted"], again["duplicate"], again["accounts created"]) == (0, 31_566, 0)
        assert real_walk.command_line.run("run-due").stdout.startswith("Nothing was due.\n")
        assert real_walk.command_line.run("verify").stdout == "Everything agrees: 27 accounts checked.\n"
