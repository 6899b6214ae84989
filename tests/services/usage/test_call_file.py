"""The call file's reader: what a row says, which rows wait in quarantine, and which files are none."""

from __future__ import annotations

import gzip
import tracemalloc
from collections import Counter, deque
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.usage import CallReport
from app.services.usage.call_file import (
    FIELD_NAMES,
    LONGEST_LINE_CHARACTERS,
    MalformedRow,
    NotACallFile,
    call_file_bytes,
    read_call_file,
)

REAL_FILE = Path(__file__).parents[2].parent / "shared" / "data" / "calls-1999-01.tsv.gz"

HEADER = "\t".join(FIELD_NAMES) + "\r\n"
ROW = {
    "vru+line": "AA0101",
    "call_id": "33118",
    "customer_id": "27997683",
    "priority": "2",
    "type": "PS",
    "date": "990101",
    "vru_entry": "6:55:20",
    "vru_exit": "6:55:26",
    "vru_time": "6",
    "q_start": "6:55:26",
    "q_exit": "6:55:43",
    "q_time": "17",
    "outcome": "AGENT",
    "ser_start": "6:55:43",
    "ser_exit": "6:56:37",
    "ser_time": "54",
    "server": "GRETA",
}
CALL = CallReport(
    source="call-file",
    event_id="AA0101/33118/990101",
    account="AA0101",
    started_at=datetime(1999, 1, 1, 14, 55, 20, tzinfo=UTC),
    script_seconds=54,
    ivr_seconds=6,
    disposition="AGENT",
)


def row(**fields: str) -> str:
    line = fields.pop("line", ROW["vru+line"])
    return "\t".join((ROW | {"vru+line": line} | fields).values()) + "\r\n"


@pytest.fixture
def write(tmp_path):
    def write(*rows: str | bytes, name: str = "calls.tsv", header: str | bytes = HEADER) -> Path:
        path = tmp_path / name
        path.write_bytes(b"".join(r.encode() if isinstance(r, str) else r for r in (header, *rows)))
        return path

    return write


@pytest.fixture
def read(write):
    """Read a file of these rows after the header."""
    return lambda *rows: list(read_call_file(write(*rows)))


@pytest.fixture(scope="module")
def any_path(tmp_path_factory):
    return tmp_path_factory.mktemp("any") / "calls"


@pytest.fixture(scope="module")
def real_rows():
    return list(read_call_file(REAL_FILE))


def instant_of(read, **fields: str) -> datetime:
    (call,) = read(row(**fields))
    assert isinstance(call, CallReport)
    return call.started_at


def reason_of(read, *rows: str | bytes) -> str:
    (fault,) = read(*rows)
    assert isinstance(fault, MalformedRow)
    return fault.reason


class TestCalls:
    def test_a_row_served_by_an_operator_is_a_call_with_live_and_ivr_seconds(self, read):
        """Rules 6 and 24."""
        assert read(row()) == [CALL]

    def test_a_caller_who_hung_up_has_ivr_seconds_only(self, read):
        hung_up = CALL._replace(script_seconds=0, disposition="HANG")
        assert read(row(outcome="HANG")) == [hung_up]

    def test_a_virtual_call_is_recorded_and_not_billable(self, read):
        """Rule 8."""
        virtual = CALL._replace(script_seconds=0, disposition="PHANTOM", is_billable=False)
        assert read(row(outcome="PHANTOM")) == [virtual]

    @pytest.mark.parametrize("outcome", ["VOICEMAIL", "agent", "Agent", "AGENT ", " PHANTOM", "PHANTOM\u200b", ""])
    def test_an_outcome_in_any_other_spelling_waits_with_the_known_ones_named(self, read, outcome):
        reason = f"outcome {outcome!r} is not an outcome; known are AGENT, HANG, PHANTOM"
        assert reason_of(read, row(outcome=outcome)) == reason

    def test_a_call_id_is_kept_as_it_was_written(self, read):
        """Rule 24."""
        events = [call.event_id for call in read(row(call_id="7"), row(call_id="007"))]
        assert events == ["AA0101/7/990101", "AA0101/007/990101"]

    def test_time_on_hold_changes_nothing(self, read):
        assert read(row(q_time="1500")) == [CALL]

    def test_calls_carry_the_source_they_are_read_for(self, write):
        (call,) = read_call_file(write(row()), source="centre-2")
        assert call.source == "centre-2"

    def test_rows_come_in_the_order_of_the_file_with_faults_in_their_place(self, read):
        rows = read(row(call_id="1"), row(call_id="x"), row(call_id="2"))
        assert [type(r).__name__ for r in rows] == ["CallReport", "MalformedRow", "CallReport"]
        assert [rows[0].event_id, rows[2].event_id] == ["AA0101/1/990101", "AA0101/2/990101"]

    def test_line_ends_of_unix_and_a_missing_last_one_are_read_too(self, read):
        assert read(row().replace("\r", ""), row().rstrip("\r\n")) == [CALL, CALL]

    def test_a_byte_order_mark_is_no_fault(self, write):
        assert list(read_call_file(write(row(), header=b"\xef\xbb\xbf" + HEADER.encode()))) == [CALL]

    def test_a_compressed_file_is_known_by_its_first_bytes_and_not_by_its_name(self, write):
        path = write(header=gzip.compress((HEADER + row()).encode()), name="calls.txt")
        assert list(read_call_file(path)) == [CALL]

    def test_a_file_of_several_compressed_pieces_is_read_to_its_end(self, write):
        path = write(gzip.compress(row().encode()), header=gzip.compress((HEADER + row()).encode()))
        assert list(read_call_file(path)) == [CALL, CALL]

    def test_a_file_with_nothing_but_the_header_holds_no_calls(self, read):
        assert read() == []

    def test_blank_lines_are_no_rows_but_are_counted(self, read):
        rows = read("\r\n", row(), "\n", row(date="x"))
        assert rows[0] == CALL
        assert [rows[1].line_number, len(rows)] == [5, 2]


class TestStart:
    """Rule 3: a call belongs to the period of its start instant, in Pacific time."""

    @pytest.mark.parametrize(
        ("on", "at", "instant"),
        [
            ("990101", "0:00:00", datetime(1999, 1, 1, 8, tzinfo=UTC)),
            ("990101", "08:03:14", datetime(1999, 1, 1, 16, 3, 14, tzinfo=UTC)),
            ("990131", "23:59:59", datetime(1999, 2, 1, 7, 59, 59, tzinfo=UTC)),
            ("990701", "12:30:01", datetime(1999, 7, 1, 19, 30, 1, tzinfo=UTC)),
            ("000229", "9:00:00", datetime(2000, 2, 29, 17, tzinfo=UTC)),
        ],
    )
    def test_date_and_entry_are_read_in_pacific_time(self, read, on, at, instant):
        assert instant_of(read, date=on, vru_entry=at) == instant

    @pytest.mark.parametrize(("on", "year"), [("700115", 1970), ("991115", 1999), ("000115", 2000), ("690115", 2069)])
    def test_two_digits_of_a_year_mean_1970_to_2069(self, read, on, year):
        assert instant_of(read, date=on).year == year

    @pytest.mark.parametrize(
        ("on", "at", "instant"),
        [
            ("990404", "1:59:59", datetime(1999, 4, 4, 9, 59, 59, tzinfo=UTC)),
            ("990404", "2:30:00", datetime(1999, 4, 4, 10, 30, tzinfo=UTC)),
            ("990404", "3:30:00", datetime(1999, 4, 4, 10, 30, tzinfo=UTC)),
        ],
    )
    def test_an_hour_that_the_spring_change_skips_is_read_with_the_offset_before_it(self, read, on, at, instant):
        assert instant_of(read, date=on, vru_entry=at) == instant

    def test_an_hour_that_the_autumn_change_repeats_is_its_first_occurrence(self, read):
        assert instant_of(read, date="991031", vru_entry="1:30:00") == datetime(1999, 10, 31, 8, 30, tzinfo=UTC)
        assert instant_of(read, date="991031", vru_entry="2:00:00") == datetime(1999, 10, 31, 10, tzinfo=UTC)

    def test_a_call_past_midnight_belongs_to_the_day_it_began(self, read):
        (call,) = read(row(date="990131", vru_entry="23:59:15", ser_exit="0:03:40", ser_time="247"))
        assert f"{call.on:%Y-%m-%d}" == "1999-01-31"


class TestMalformedRows:
    @pytest.mark.parametrize(
        ("fields", "reason"),
        [
            ({"vru_time": "-37"}, "vru_time '-37' is negative"),
            ({"q_time": "-1"}, "q_time '-1' is negative"),
            ({"ser_time": "-5"}, "ser_time '-5' is negative"),
            ({"ser_time": ""}, "ser_time '' is not a whole number of seconds"),
            ({"ser_time": "54.0"}, "ser_time '54.0' is not a whole number of seconds"),
            ({"vru_time": "1_0"}, "vru_time '1_0' is not a whole number of seconds"),
            ({"vru_time": "٣"}, "vru_time '٣' is not a whole number of seconds"),
            ({"ser_time": "86401"}, "ser_time '86401' is longer than a day"),
            ({"ser_time": "9" * 30}, f"ser_time '{'9' * 30}' is longer than a day"),
            ({"call_id": "33x"}, "call_id '33x' is not a number"),
            ({"call_id": "\u0663\u0663"}, "call_id '\u0663\u0663' is not a number"),
            ({"call_id": " 7"}, "call_id ' 7' is not a number"),
            ({"line": "\u0410\u04100101"}, "vru+line '\u0410\u04100101' is not the name of a line"),
            ({"line": "AA 0101"}, "vru+line 'AA 0101' is not the name of a line"),
            ({"call_id": "1" * 21}, f"call_id '{'1' * 21}' is not a number"),
            ({"date": "990230"}, "date '990230' is not a day of the calendar"),
            ({"date": "99010"}, "date '99010' is not a date written yymmdd"),
            ({"date": "99-1-1"}, "date '99-1-1' is not a date written yymmdd"),
            ({"vru_entry": "24:00:00"}, "vru_entry '24:00:00' is not a time of day written h:mm:ss"),
            ({"vru_entry": "6:60:00"}, "vru_entry '6:60:00' is not a time of day written h:mm:ss"),
            ({"vru_entry": "6:55"}, "vru_entry '6:55' is not a time of day written h:mm:ss"),
            ({"vru_entry": ""}, "vru_entry '' is not a time of day written h:mm:ss"),
            ({"line": " "}, "vru+line ' ' is not the name of a line"),
            ({"line": "A" * 65}, f"vru+line '{'A' * 64}' is not the name of a line"),
            (
                {"outcome": "AG\0ENT"},
                r"outcome 'AG\x00ENT' is not an outcome; known are AGENT, HANG, PHANTOM",
            ),
        ],
    )
    def test_a_field_that_cannot_be_read_is_named_with_what_it_holds(self, read, fields, reason):
        assert reason_of(read, row(**fields)) == reason

    @pytest.mark.parametrize("text", ["0", "86400", "007", "-0"])
    def test_every_length_up_to_a_day_is_taken(self, read, text):
        (call,) = read(row(ser_time=text))
        assert call.script_seconds == int(text)

    @pytest.mark.parametrize(("count", "line"), [(16, "\t".join(list(ROW.values())[:16])), (18, f"{row()[:-2]}\tx")])
    def test_a_row_that_has_not_17_fields_says_how_many_it_has(self, read, count, line):
        assert reason_of(read, line) == f"the row has {count} fields instead of 17"

    def test_a_malformed_row_is_kept_whole_with_its_line_number(self, read):
        rows = read(row(), row(vru_time="-37"), row())
        assert rows == [CALL, MalformedRow(3, row(vru_time="-37").rstrip(), "vru_time '-37' is negative"), CALL]

    def test_bytes_that_are_no_text_are_replaced(self, read):
        (fault, call) = read(row(line="AA!").encode().replace(b"!", b"\xff"), row(server="!").replace("!", "\xe9"))
        assert fault.reason == "vru+line 'AA\ufffd' is not the name of a line"
        assert call == CALL

    def test_a_zero_byte_does_not_reach_the_database(self, read):
        (fault,) = read("a\0b\r\n")
        assert fault == MalformedRow(2, "a\ufffdb", "the row has 1 fields instead of 17")

    @pytest.mark.parametrize("excess", [1, 70_000, 300_000])
    def test_an_over_long_row_is_cut_and_the_next_is_read(self, read, excess):
        rows = read(row(), row(server="é" * (LONGEST_LINE_CHARACTERS + excess)), row(call_id="2"))
        assert rows[0] == CALL
        assert rows[1].line_number == 3
        assert rows[1].reason == "the row is longer than 4,096 characters"
        assert rows[1].text == row(server="é" * LONGEST_LINE_CHARACTERS)[:LONGEST_LINE_CHARACTERS]
        assert rows[2].event_id == "AA0101/2/990101"

    def test_line_numbers_stay_right_far_into_a_file(self, read):
        rows = read(*[row(call_id=str(number)) for number in range(5_000)], row(date="x"))
        assert len(rows) == 5_001
        assert rows[-1].line_number == 5_002


class TestFilesThatAreNone:
    EXPECTED = (
        "expected a tab-separated file, plain or gzip, whose first row names the 17 fields vru+line call_id "
        "customer_id priority type date vru_entry vru_exit vru_time q_start q_exit q_time outcome ser_start ser_exit "
        "ser_time server."
    )

    @pytest.mark.parametrize(
        ("content", "problem"),
        [
            pytest.param(b"", "its first row names none of the fields", id="empty"),
            pytest.param(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "its first row names none of the fields", id="picture"),
            pytest.param(HEADER.replace("\t", ",").encode(), "its fields are separated by commas", id="commas"),
            pytest.param(HEADER.replace("\t", ";").encode(), "its fields are separated by semicolons", id="semicolons"),
            pytest.param(HEADER.replace("\t", "|").encode(), "its fields are separated by bars", id="bars"),
            pytest.param(HEADER.replace("\t", "  ").encode(), "its fields are separated by blanks", id="blanks"),
            pytest.param(
                ",".join(f'"{name}"' for name in FIELD_NAMES).encode(),
                "its fields are separated by commas",
                id="quotes",
            ),
            pytest.param(HEADER.upper().encode(), "its first row names none of the fields", id="other names"),
            pytest.param(HEADER.replace("\tserver", "").encode(), "its first row lacks server", id="a field short"),
            pytest.param(
                HEADER.replace("call_id", "callid").replace("q_time", "queue").encode(),
                "its first row lacks call_id, q_time",
                id="two fields by other names",
            ),
            pytest.param(
                HEADER.replace("vru+line\tcall_id", "call_id\tvru+line").encode(),
                "its fields are in another order",
                id="another order",
            ),
            pytest.param(
                HEADER.replace("server", "server\tnotes").encode(),
                "its first row names more than the fields",
                id="a field more",
            ),
            pytest.param(row().encode(), "its first row names none of the fields", id="no header"),
            pytest.param(HEADER.encode("utf-16"), "its first row names none of the fields", id="other encoding"),
            pytest.param(b"x" * 1_000_000, "its first row names none of the fields", id="one long line"),
            pytest.param(b"\x1f\x8b", None, id="two bytes of gzip"),
            pytest.param(b"\x1f\x8bnonsense", None, id="not really gzip"),
            pytest.param(
                gzip.compress(b"anything"), "its first row names none of the fields", id="compressed something"
            ),
        ],
    )
    def test_are_refused_in_one_sentence_that_says_what_was_found_and_what_was_expected(self, write, content, problem):
        path = write(header=content)
        with pytest.raises(NotACallFile) as refusal:
            next(read_call_file(path))
        found = "" if problem is None else f" ({problem})"
        assert str(refusal.value) == f"{str(path)!r} is not a call file{found}: {self.EXPECTED}"

    @pytest.mark.parametrize(("name", "cause"), [("missing.tsv", "No such file or directory"), (".", "Is a directory")])
    def test_a_path_that_cannot_be_read_says_why(self, tmp_path, name, cause):
        with pytest.raises(NotACallFile) as refusal:
            next(read_call_file(tmp_path / name))
        assert str(refusal.value) == f"{str(tmp_path / name)!r} cannot be read ({cause}): {self.EXPECTED}"

    def test_a_compressed_file_that_breaks_off_gives_what_it_has_and_says_where(self, write):
        rows = "".join(row(call_id=str(number), server=f"S{number * 7919 % 9973}") for number in range(20_000))
        whole = gzip.compress((HEADER + rows).encode())
        path = write(header=whole[: len(whole) // 2])
        seen = []
        with pytest.raises(
            NotACallFile, match=r"fetch it again and repeat the import, no call counts twice\.$"
        ) as refusal:
            seen.extend(read_call_file(path))
        assert len(seen) > 5_000
        assert f"after line {len(seen) + 1:,}:" in str(refusal.value)

    def test_a_size_is_asked_of_a_file_that_is_there(self, write, tmp_path):
        assert call_file_bytes(write(row())) == len(HEADER) + len(row())
        with pytest.raises(NotACallFile, match="No such file or directory"):
            call_file_bytes(tmp_path / "missing.tsv")


class TestStreaming:
    @pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "gzip"])
    def test_progress_only_grows_and_ends_at_the_size_of_the_file(self, write, pack):
        rows = "".join(row(call_id=str(number)) for number in range(3_000))
        path = write(header=pack((HEADER + rows).encode()))
        heard: list[int] = []
        deque(read_call_file(path, on_progress=heard.append), maxlen=0)
        assert heard == sorted(heard)
        assert len(heard) > 3
        assert heard[-1] == call_file_bytes(path)

    def test_memory_does_not_grow_with_the_file_nor_with_a_line(self, write):
        def peak(path: Path) -> int:
            deque(read_call_file(path), maxlen=0)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            deque(read_call_file(path), maxlen=0)
            return tracemalloc.get_traced_memory()[1] - before

        rows = [row(call_id=str(number)) for number in range(2_000)]
        small, large = write(*rows, name="small"), write(*rows * 10, b"x" * 4_000_000, name="large")
        tracemalloc.start()
        try:
            assert peak(large) < peak(small) * 1.5
        finally:
            tracemalloc.stop()

    def test_more_accounts_than_the_reader_remembers_are_read_all_the_same(self, read):
        accounts = [f"AA{number:05}" for number in range(10_000)]
        assert [call.account for call in read(*(row(line=account) for account in accounts))] == accounts

    def test_a_reader_given_up_half_way_closes_its_file(self, write):
        rows = read_call_file(write(row(), row()))
        assert next(rows) == CALL
        rows.close()


class TestAnyBytes:
    @staticmethod
    def outcome(path: Path, content: bytes) -> list[CallReport | MalformedRow] | None:
        path.write_bytes(content)
        try:
            return list(read_call_file(path))
        except NotACallFile:
            return None

    @given(content=st.binary(max_size=400), magic=st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\0"]))
    def test_any_file_is_read_or_refused(self, any_path, content, magic):
        assert self.outcome(any_path, magic + content) is None

    @given(content=st.binary(max_size=400))
    def test_any_rows_are_calls_or_malformed(self, any_path, content):
        rows = self.outcome(any_path, HEADER.encode() + content)
        assert rows is not None
        lines = [line for line in content.split(b"\n") if line.strip(b"\r")]
        assert len(rows) == len(lines)

    @given(name=st.sampled_from(FIELD_NAMES), value=st.text(max_size=30).filter(lambda text: not {*"\t\n"} & {*text}))
    def test_any_text_in_a_field_gives_a_call_or_a_reason_that_names_the_field(self, any_path, name, value):
        content = "\t".join((ROW | {name: value}).values()).encode("utf-8", "surrogatepass")
        (read,) = self.outcome(any_path, HEADER.encode() + content)
        assert isinstance(read, CallReport) or read.reason.startswith(name)

    @given(cut=st.integers(0, 200), flip=st.integers(0, 200))
    def test_a_damaged_compressed_file_is_read_or_refused(self, any_path, cut, flip):
        packed = bytearray(gzip.compress((HEADER + row()).encode(), mtime=0))
        packed[flip % len(packed)] ^= 0x55
        self.outcome(any_path, bytes(packed[: len(packed) - cut]))


@pytest.mark.real_data
@pytest.mark.skipif(not REAL_FILE.exists(), reason=f"needs the real month of calls, {REAL_FILE}")
class TestRealMonth:
    def test_figures_of_the_whole_file(self, real_rows):
        calls = [r for r in real_rows if isinstance(r, CallReport)]
        billable = [call for call in calls if call.is_billable]
        assert len(calls) == 31_566
        assert len(real_rows) - len(calls) == 33
        assert len(calls) - len(billable) == 239
        assert sum(call.live_seconds for call in billable) == 4_960_803
        assert sum(call.ivr_seconds for call in billable) == 317_923
        assert len({call.event_id for call in calls}) == 31_566
        assert len({call.account for call in calls}) == 27

    def test_figures_of_one_line(self, real_rows):
        calls = [r for r in real_rows if isinstance(r, CallReport) and r.account == "AA0101"]
        assert len(calls) == 1_405
        assert sum(call.live_seconds for call in calls if call.is_billable) == 229_042
        assert sum(call.ivr_seconds for call in calls if call.is_billable) == 13_318

    def test_its_faults_are_times_in_the_menu_that_come_out_negative(self, real_rows):
        faults = [r for r in real_rows if isinstance(r, MalformedRow)]
        assert Counter(fault.reason.split()[0] for fault in faults) == {"vru_time": 33}
        assert (faults[0].line_number, faults[0].reason) == (637, "vru_time '-37' is negative")
        assert (faults[-1].line_number, faults[-1].reason) == (29_092, "vru_time '-40' is negative")
