"""The made month of calls: always the same for a seed, shaped like a real one, and read by the real reader."""

from __future__ import annotations

import gzip
from collections import Counter
from datetime import date
from itertools import pairwise

import pytest

from app.domain.periods import BILLING_ZONE, Period
from app.domain.usage import CallReport
from app.sandbox.sample_calls import SampleMonth, SampleRefused, write_sample_calls
from app.services.usage.call_file import FIELD_NAMES, MalformedRow, read_call_file

JANUARY = Period.parse("1999-01")
LINES = 27


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    path = tmp_path_factory.mktemp("sample") / "calls.tsv.gz"
    written = write_sample_calls(path, month=JANUARY, lines=LINES, seed=7)
    return path, written


@pytest.fixture(scope="module")
def rows(month):
    return list(read_call_file(month[0]))


@pytest.fixture(scope="module")
def calls(rows):
    return [row for row in rows if isinstance(row, CallReport)]


class TestSampleMonth:
    def test_the_reader_finds_what_the_writer_says(self, month, rows, calls):
        not_billable = sum(not call.is_billable for call in calls)
        assert month[1] == SampleMonth(len(calls), not_billable, len(rows) - len(calls))
        assert month[1].faulty == 6

    def test_event_ids_are_unique(self, calls):
        assert len({call.event_id for call in calls}) == len(calls)

    def test_every_call_begins_in_the_month_and_each_line_is_in_order(self, calls):
        assert {Period.containing(call.on) for call in calls} == {JANUARY}
        assert all(a.started_at <= b.started_at for a, b in pairwise(calls) if a.account == b.account)

    def test_lines_are_as_busy_as_real_ones(self, rows):
        counts = Counter(row.account if isinstance(row, CallReport) else row.text.split("\t")[0] for row in rows)
        assert len(counts) == LINES
        assert 140 <= min(counts.values()) < 300
        assert 1_200 < max(counts.values()) <= 1_600

    def test_outcomes_have_their_real_shares(self, calls):
        shares = {outcome: count / len(calls) for outcome, count in Counter(c.disposition for c in calls).items()}
        assert shares == {
            "AGENT": pytest.approx(0.856, abs=0.01),
            "HANG": pytest.approx(0.136, abs=0.01),
            "PHANTOM": pytest.approx(0.008, abs=0.003),
        }

    def test_weekdays_and_office_hours_are_busy_and_nights_are_thin(self, calls):
        by_hour = Counter(call.started_at.astimezone(BILLING_ZONE).hour for call in calls)
        by_day = Counter(call.on for call in calls)
        assert sum(by_hour[hour] for hour in range(8, 18)) > 0.8 * len(calls)
        assert sum(by_hour[hour] for hour in range(6)) < 0.02 * len(calls)
        assert max(by_day[date(1999, 1, 9)], by_day[date(1999, 1, 10)]) < min(by_day[date(1999, 1, d)] for d in (4, 15))
        assert len(by_day) == 31

    def test_faults_are_of_the_kinds_that_files_have(self, rows):
        reasons = [row.reason for row in rows if isinstance(row, MalformedRow)]
        assert sum("is negative" in reason for reason in reasons) == 4
        assert "the row has 11 fields instead of 17" in reasons
        assert sum(reason.endswith("is not a whole number of seconds") for reason in reasons) == 1

    def test_times_of_a_row_agree_with_its_lengths(self, month):
        with gzip.open(month[0], "rt", newline="\r\n") as file:
            next(file)
            fields = [dict(zip(FIELD_NAMES, line.rstrip().split("\t"), strict=False)) for line in file]
        served = [f for f in fields if f.get("server", "NO_SERVER") != "NO_SERVER" and f["ser_time"].isdigit()]
        assert len(served) > 1_000
        for start, end, length in (("vru_entry", "vru_exit", "vru_time"), ("ser_start", "ser_exit", "ser_time")):
            assert all((seconds_of(f[end]) - seconds_of(f[start]) - int(f[length])) % 86_400 == 0 for f in served)


def seconds_of(clock: str) -> int:
    hour, minute, second = map(int, clock.split(":"))
    return (hour * 60 + minute) * 60 + second


class TestWriting:
    def test_the_same_seed_writes_the_same_bytes_and_another_seed_others(self, tmp_path):
        for name, seed in (("a.tsv.gz", 1), ("b.tsv.gz", 1), ("c.tsv.gz", 2)):
            write_sample_calls(tmp_path / name, month=JANUARY, lines=2, seed=seed)
        a, b, c = ((tmp_path / name).read_bytes() for name in ("a.tsv.gz", "b.tsv.gz", "c.tsv.gz"))
        assert a == b
        assert a != c

    def test_the_name_decides_about_compression_and_not_about_the_rows(self, tmp_path):
        plain, packed = tmp_path / "calls.tsv", tmp_path / "calls.tsv.gz"
        assert write_sample_calls(plain, month=JANUARY, lines=2, seed=1) == write_sample_calls(
            packed, month=JANUARY, lines=2, seed=1
        )
        assert plain.read_bytes() == gzip.decompress(packed.read_bytes())
        assert plain.read_bytes().startswith(b"vru+line\tcall_id\t")
        assert plain.read_bytes().endswith(b"\r\n")

    def test_rows_that_are_not_faulty_stay_the_same_without_faults(self, tmp_path):
        spoilt, clean = tmp_path / "spoilt", tmp_path / "clean"
        write_sample_calls(spoilt, month=JANUARY, lines=1, seed=3, faults=5)
        written = write_sample_calls(clean, month=JANUARY, lines=1, seed=3, faults=0)
        calls = {row for row in read_call_file(spoilt) if isinstance(row, CallReport)}
        assert written.faulty == 0
        assert calls < set(read_call_file(clean))
        assert len(calls) == written.accepted - 5

    def test_no_call_begins_in_the_hour_that_the_spring_change_skips(self, tmp_path):
        path = tmp_path / "march.tsv"
        write_sample_calls(path, month=Period.parse("2026-03"), lines=40, seed=1)
        rows = [line.split("\t") for line in path.read_text().splitlines() if "\t260308\t" in line]
        assert len(rows) > 100
        assert [row for row in rows if row[6].startswith("2:")] == []

    def test_lines_beyond_sixteen_go_on_in_the_next_group(self, tmp_path):
        path = tmp_path / "calls.tsv"
        write_sample_calls(path, month=JANUARY, lines=17, seed=1, faults=0)
        accounts = sorted({row.account for row in read_call_file(path)})
        assert [accounts[0], accounts[15], accounts[16]] == ["AA0101", "AA0116", "AA0201"]

    @pytest.mark.parametrize(
        ("asked", "message"),
        [
            ({"lines": 0}, "A month of calls needs at least one line."),
            ({"faults": -1}, r"Choose from 0 to [\d,]+ faulty ones"),
            ({"faults": 2_000}, r"Choose from 0 to [\d,]+ faulty ones"),
            ({"month": Period.parse("1969-12")}, "Choose a month from 1970 to 2069"),
            ({"month": Period.parse("2070-01")}, "Choose a month from 1970 to 2069"),
        ],
    )
    def test_what_cannot_be_written_says_what_to_change_and_leaves_no_file(self, tmp_path, asked, message):
        with pytest.raises(SampleRefused, match=message):
            write_sample_calls(tmp_path / "calls", **({"month": JANUARY, "lines": 1, "seed": 1} | asked))
        assert not (tmp_path / "calls").exists()

    def test_a_path_that_cannot_be_written_says_so(self, tmp_path):
        with pytest.raises(SampleRefused, match=r"cannot be written \(Is a directory\). Choose another path."):
            write_sample_calls(tmp_path, month=JANUARY, lines=1, seed=1)
