"""The benches: both sides of each do the same work, and a ratio is told as it stands. Never a time."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest

from app.services.usage import record_calls
from scripts.bench import (
    __main__ as command,
)
from scripts.bench import (
    alerts_bench,
    import_baseline,
    import_facts,
    import_product,
    run_due_baseline,
    run_due_facts,
    run_due_product,
)
from scripts.bench.databases import TablesDiffer, check_equal, contents, copy
from scripts.bench.figures import Figure, Report
from scripts.bench.measure import Sample, SideFailed, interleave, measure, measure_here, ratio
from scripts.bench.reads_sides import is_node_there
from scripts.bench.registry import BENCHES
from scripts.bench.scope import Scope

FIGURES = {
    "import": 1,
    "alerts": 1,
    "run-due": 3,
    "memory": 2,
    "gateway": 1,
    "guard": 2,
    "streams": 2,
    "reads": 10 if is_node_there() else 3,
    "growth": 5,
}


@pytest.fixture
def call_file(tmp_path):
    return import_facts.sample_file(tmp_path / "calls.tsv.gz", lines=2)


@pytest.fixture
def accounts(tmp_path, call_file):
    import_facts.make_database(tmp_path / "accounts.db", call_file)
    return tmp_path / "accounts.db"


def column(path, query):
    with closing(sqlite3.connect(path)) as connection:
        return [value for (value,) in connection.execute(query)]


def both_imported(accounts, *files):
    """One copy of the accounts for each side, with the files imported into it, and the counts of the last."""
    targets = copy(accounts, accounts.with_name("one.db")), copy(accounts, accounts.with_name("other.db"))
    counts = []
    for side, target in zip((import_product, import_baseline), targets, strict=True):
        counts.append([side.import_file(database=target, file=file) for file in files][-1])
    return targets, counts


class TestAlerts:
    def test_both_sides_record_the_same_and_one_of_them_tells(self, tmp_path, call_file):
        alerts_bench.make_database(tmp_path / "seed.db", call_file)
        on, off = (copy(tmp_path / "seed.db", tmp_path / name) for name in ("on.db", "off.db"))

        alerts_bench.import_with(database=on, file=call_file)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(record_calls, "evaluate_usage", record_calls.evaluate_usage)  # to be put back
            alerts_bench.import_without(database=off, file=call_file)

        check_equal(on, off, import_facts.TABLES)
        assert alerts_bench.count_told(on) > alerts_bench.count_told(off) == 0


class TestImport:
    def test_both_sides_leave_equal_tables_and_count_the_same(self, accounts, call_file):
        (one, other), counts = both_imported(accounts, call_file)

        check_equal(one, other, import_facts.TABLES)
        assert counts[0] == counts[1]
        assert counts[0].quarantined == 6
        assert counts[0].accepted == import_facts.count_calls(one) > 500

    def test_both_sides_know_a_call_again(self, accounts, call_file):
        (one, other), counts = both_imported(accounts, call_file, call_file)

        check_equal(one, other, import_facts.TABLES)
        assert counts[0] == counts[1]
        assert (counts[0].accepted, counts[0].duplicate) == (0, import_facts.count_calls(one))

    def test_a_file_of_several_copies_has_so_many_times_the_calls(self, tmp_path, accounts, call_file):
        thrice = import_facts.repeated(call_file, 3, tmp_path / "thrice.tsv.gz")
        _, (once, _) = both_imported(accounts, call_file)

        (one, other), (counts, _) = both_imported(accounts, thrice)

        check_equal(one, other, import_facts.TABLES)
        assert (counts.accepted, counts.quarantined) == (3 * once.accepted, 3 * once.quarantined)


class TestRunDue:
    @pytest.fixture
    def billed(self, tmp_path):
        run_due_facts.make_database(tmp_path / "due.db", 120)
        one, other = copy(tmp_path / "due.db", tmp_path / "one.db"), copy(tmp_path / "due.db", tmp_path / "other.db")
        assert run_due_product.run_due(database=one) == 120
        assert run_due_baseline.run_due(database=other) == 120
        return one, other

    def test_both_sides_leave_equal_tables(self, billed):
        check_equal(*billed, run_due_facts.TABLES)

    def test_the_accounts_have_every_kind_of_line_and_posting(self, billed):
        one, _ = billed
        last = "FROM invoice_line JOIN invoice ON id = invoice_id WHERE invoice.period_on = '2026-11-01'"

        assert column(one, f"SELECT DISTINCT invoice_line.kind {last} ORDER BY 1") == [
            "ADJUSTMENT",
            "BASE",
            "IVR",
            "OVERAGE",
            "PATCH",
        ]
        assert column(one, "SELECT DISTINCT kind FROM ledger_posting ORDER BY 1") == [
            "CREDIT_APPLIED",
            "INVOICED",
            "OVERPAID",
        ]
        assert column(one, "SELECT count(DISTINCT unit) FROM invoice_line WHERE kind = 'BASE'") == [2]


class TestEqualTables:
    def test_tells_which_tables_differ(self, tmp_path, accounts):
        other = copy(accounts, tmp_path / "other.db")
        with closing(sqlite3.connect(other)) as connection, connection:
            connection.execute("UPDATE account SET name = 'another'")

        with pytest.raises(TablesDiffer) as caught:
            check_equal(accounts, other, ("event", "account"))

        assert caught.value.tables == ["account"]

    def test_sees_minted_ids_as_equal_and_calls_an_invoice_by_its_number(self, tmp_path):
        run_due_facts.make_database(tmp_path / "due.db", 1)

        rows = contents(tmp_path / "due.db", ("invoice", "event"))

        assert [row[0] for row in rows["invoice"]] == ["invoice 100001", "invoice 100002"]
        assert {row[0] for row in rows["event"]} == {"minted"}


class TestMeasuring:
    def test_runs_the_sides_in_turns(self):
        order = []

        def side(name):
            return lambda: order.append(name) or Sample(len(order), 0, 0)

        samples = interleave(3, {"a": side("a"), "b": side("b")})

        assert order == ["a", "b", "b", "a", "a", "b"]
        assert [sample.cpu_seconds for sample in samples["a"]] == [1, 4, 5]

    def test_the_ratio_is_the_median_of_those_within_each_round(self):
        assert ratio([2, 9, 4], [1, 3, 4]) == 2

    def test_measures_memory_of_this_process(self):
        assert measure_here(lambda: None).peak_bytes > 2**20

    def test_a_side_that_breaks_off_says_why(self, tmp_path):
        with pytest.raises(SideFailed, match="product broke off"):
            measure("run-due.product", database=str(tmp_path / "missing.db"))

    @pytest.mark.parametrize(("value", "verdict"), [(1.3, "goal met"), (2.0, "within bounds"), (2.01, "MISSED")])
    def test_a_figure_judges_itself(self, value, verdict):
        assert Figure("import", value, 1.3, 2.0, "").verdict == verdict


class TestBenches:
    @pytest.mark.parametrize("name", BENCHES)
    def test_every_bench_runs_on_tiny_sizes_and_finds_its_sides_equal(self, name, tmp_path):
        scope = Scope(tmp_path, rounds=1, few=12, many=30, copies=2, sample_lines=1, call_file=None)

        report = BENCHES[name](scope)

        assert all(figure.ratio >= 0 for figure in report.figures)
        assert len(report.figures) == FIGURES[name]


class TestCommand:
    @pytest.fixture
    def one_bench(self, monkeypatch):
        """Leaves a single bench that answers what it is given."""

        def answer(result):
            def bench(_scope):
                if isinstance(result, Exception):
                    raise result
                return Report([Figure("speed of light", result, 1.0, 2.0, "behind it")], ["A note."])

            monkeypatch.setattr(command, "BENCHES", {"light": bench})

        return answer

    @pytest.mark.parametrize(("value", "code", "verdict"), [(1.0, 0, "goal met"), (2.5, 1, "MISSED")])
    def test_prints_figures_and_notes_and_fails_on_a_missed_bound(self, one_bench, capsys, value, code, verdict):
        one_bench(value)

        assert command.main(["light", "--quick", "--rounds", "1"]) == code

        printed = capsys.readouterr().out
        assert verdict in printed
        assert "A note." in printed

    def test_says_when_the_sides_differ(self, one_bench, capsys):
        one_bench(TablesDiffer(["call"]))

        assert command.main([]) == 2
        assert "other rows than the product into call" in capsys.readouterr().err

    def test_refuses_a_bench_that_is_not_there(self, capsys):
        with pytest.raises(SystemExit) as caught:
            command.main(["warp"])

        assert caught.value.code == 2
        assert "there is no bench warp; choose from import, alerts, run-due, memory" in capsys.readouterr().err
