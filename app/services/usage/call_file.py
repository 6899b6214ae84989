"""Reads a call centre's tab-separated call file, plain or gzip, row by row; knows no database.

Memory stays the same however long the file or one of its lines is, and a faulty row never stops the reading.
"""

from __future__ import annotations

import gzip
import zlib
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from app.domain.accounts import is_external_id
from app.domain.periods import billing_instant
from app.domain.usage import CallReport

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import BufferedReader
    from pathlib import Path

FIELD_NAMES: Final = (
    "vru+line", "call_id", "customer_id", "priority", "type", "date", "vru_entry", "vru_exit", "vru_time",
    "q_start", "q_exit", "q_time", "outcome", "ser_start", "ser_exit", "ser_time", "server",
)  # fmt: skip
LIVE_OUTCOME: Final = "AGENT"
HANG_UP_OUTCOME: Final = "HANG"
VIRTUAL_OUTCOME: Final = "PHANTOM"
OUTCOMES: Final = (LIVE_OUTCOME, HANG_UP_OUTCOME, VIRTUAL_OUTCOME)
DEFAULT_SOURCE: Final = "call-file"

LONGEST_LINE_CHARACTERS: Final = 4096
LONGEST_NAME_CHARACTERS: Final = 64  # of a line or an outcome; names are keys in the database, which bounds those
LONGEST_CALL_ID_DIGITS: Final = 20
LONGEST_CALL_SECONDS: Final = 86_400  # a slipped digit must reach a person, not an invoice
LAST_TWO_DIGIT_YEAR: Final = 69  # 70 to 99 are 19xx, 00 to 69 are 20xx

_CHUNK_BYTES = 65_536
_LONGEST_LINE_BYTES = 4 * (LONGEST_LINE_CHARACTERS + 1)  # no character takes more than four
_KNOWN_TEXTS = 4096
_HOURS = {text: time(hour) for hour in range(24) for text in (str(hour), f"{hour:02}")}
_GZIP_MAGIC = b"\x1f\x8b"
_OTHER_SEPARATORS = {",": "commas", ";": "semicolons", "|": "bars", " ": "blanks"}
_EXPECTED = (
    f"expected a tab-separated file, plain or gzip, whose first row names the {len(FIELD_NAMES)} fields "
    f"{' '.join(FIELD_NAMES)}"
)

Value = TypeVar("Value")


class NotACallFile(ValueError):
    """A file cannot be read as a call file; the message is one sentence that says what was expected."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{str(path)!r} {problem}.")
        self.path = path
        self.problem = problem


class MalformedRow(NamedTuple):
    """A row that cannot be read as a call: its line in the file (the header is line 1), its text and why.

    A text longer than `LONGEST_LINE_CHARACTERS` is cut there.
    """

    line_number: int
    text: str
    reason: str


def call_file_bytes(path: Path) -> int:
    """Return the size of the file on disk: the total against which `read_call_file` reports its progress.

    :raises NotACallFile: when there is no such file, or it cannot be looked at.
    """
    try:
        return path.stat().st_size
    except OSError as error:
        raise _unreadable(path, error) from error


def read_call_file(
    path: Path, source: str = DEFAULT_SOURCE, on_progress: Callable[[int], None] | None = None
) -> Iterator[CallReport | MalformedRow]:
    """Yield every row of the file in order: a call, or what is wrong with it. Blank lines are no rows.

    Live seconds are `ser_time` where an operator took the call (rule 6), a `PHANTOM` is not billable (rule 8), and the
    event id is `<vru+line>/<call_id>/<date>` (rule 24). `on_progress` hears how many bytes of the file on disk were
    read, after the rows in them. The file is opened when the first row is asked for.

    :raises NotACallFile: when the file cannot be opened, has another header, or its compression breaks off.
    """
    try:
        raw = path.open("rb")
    except OSError as error:
        raise _unreadable(path, error) from error
    with raw:
        rows = _Rows(source)
        for lines in _blocks(raw, path, rows):
            yield from rows.read(lines)
            if on_progress is not None and raw.seekable():
                on_progress(raw.tell())


def _unreadable(path: Path, error: OSError) -> NotACallFile:
    return NotACallFile(path, f"cannot be read ({error.strerror or error}): {_EXPECTED}")


def _blocks(raw: BufferedReader, path: Path, rows: _Rows) -> Iterator[list[str]]:
    """Yield the lines after the header, some hundred at a time, none longer than a little more than a chunk."""
    try:
        stream = gzip.GzipFile(fileobj=raw) if raw.peek(2)[:2] == _GZIP_MAGIC else raw
        header = stream.readline(_LONGEST_LINE_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise NotACallFile(path, f"is not a call file: {_EXPECTED}") from error
    fault = _fault_of_header(header.decode("utf-8-sig", "replace").rstrip("\r\n"))
    if fault is not None:
        raise NotACallFile(path, f"is not a call file ({fault}): {_EXPECTED}")
    tail = b""
    while chunk := _read_chunk(stream, path, rows):
        complete, newline, rest = (tail + chunk).rpartition(b"\n")
        if newline:
            yield complete.decode("utf-8", "replace").split("\n")
        tail = rest[:_LONGEST_LINE_BYTES]  # what a line has beyond this is dropped: it is malformed already
    yield [tail.decode("utf-8", "replace")] if tail else []  # even when empty, so that progress ends at the end


def _fault_of_header(header: str) -> str | None:
    """Return what is wrong with the first row, or None when it is as it has to be."""
    names = header.split("\t")
    if tuple(names) == FIELD_NAMES:
        return None
    for separator, word in _OTHER_SEPARATORS.items():
        if len(names) == 1 and {name.strip(' "') for name in header.split(separator)} & set(FIELD_NAMES[1:]):
            return f"its fields are separated by {word}"
    missing = [name for name in FIELD_NAMES if name not in names]
    if len(missing) == len(FIELD_NAMES):
        return "its first row names none of the fields"
    if missing:
        return f"its first row lacks {', '.join(missing)}"
    if len(names) == len(FIELD_NAMES):
        return "its fields are in another order"
    return "its first row names more than the fields"


def _read_chunk(stream: BufferedReader | gzip.GzipFile, path: Path, rows: _Rows) -> bytes:
    try:
        return stream.read(_CHUNK_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        remedy = "fetch it again and repeat the import, no call counts twice"
        raise NotACallFile(path, f"is damaged after line {rows.line_number:,}: {remedy}") from error


class _Unreadable(ValueError):
    """One field cannot be read; the message goes behind the field's name."""


class _Known(dict[str, Value]):
    """What the texts of one field mean. Files repeat themselves, so each is read once; a few thousand are kept."""

    def __init__(self, read: Callable[[str], Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Value:
        value = self._read(text)
        if len(self) >= _KNOWN_TEXTS:
            self.clear()
        self[text] = value
        return value


class _Rows:
    """Turns lines into calls, and counts them. This is the hot path of an import: about a microsecond a row."""

    def __init__(self, source: str) -> None:
        self.line_number = 1
        self._source = source
        self._accounts = _Known(_read_account)
        self._hours = _Known(_read_hours)
        self._seconds = _Known(_read_seconds)
        self._outcomes = _Known(_read_outcome)
        self._within_hour = _times_within_hour()

    def read(self, lines: list[str]) -> list[CallReport | MalformedRow]:
        """Return what the next lines of the file hold."""
        rows: list[CallReport | MalformedRow] = []
        for line_number, line in enumerate(lines, self.line_number + 1):
            try:
                rows.append(self._call(line))
            except (ValueError, KeyError):
                if line.strip("\r"):
                    text = line.rstrip("\r")[:LONGEST_LINE_CHARACTERS].replace("\0", "\ufffd")
                    rows.append(MalformedRow(line_number, text, self._fault(line)))
        self.line_number += len(lines)
        return rows

    def _call(self, line: str) -> CallReport:
        account, call_id, _, _, _, on, entry, _, vru_time, _, _, q_time, outcome, _, _, ser_time, _ = line.split("\t")
        if len(line) > LONGEST_LINE_CHARACTERS:
            raise _Unreadable("is too long")
        hour, _, within_hour = entry.partition(":")
        seconds = self._seconds
        seconds[q_time]  # never billed, but a row that has it wrong is not to be trusted
        service_seconds = seconds[ser_time]
        return CallReport(
            self._source,
            f"{account}/{_read_call_id(call_id)}/{on}",
            self._accounts[account],
            self._hours[on][hour] + self._within_hour[within_hour],
            service_seconds if outcome == LIVE_OUTCOME else 0,
            0,
            0,
            seconds[vru_time],
            self._outcomes[outcome],
            outcome != VIRTUAL_OUTCOME,
        )

    def _fault(self, line: str) -> str:
        """Return why `_call` could not read the line; it asks the same readers, field by field."""
        fields = line.split("\t")
        if len(line) > LONGEST_LINE_CHARACTERS:
            return f"the row is longer than {LONGEST_LINE_CHARACTERS:,} characters"
        if len(fields) != len(FIELD_NAMES):
            return f"the row has {len(fields)} fields instead of {len(FIELD_NAMES)}"
        named = dict(zip(FIELD_NAMES, fields, strict=True))
        for name, read in _READERS.items():
            try:
                read(named[name])
            except _Unreadable as fault:
                return f"{name} {named[name][:LONGEST_NAME_CHARACTERS]!r} {fault}"
        return f"vru_entry {named['vru_entry'][:LONGEST_NAME_CHARACTERS]!r} is not a time of day written h:mm:ss"


@cache
def _times_within_hour() -> dict[str, timedelta]:
    """Return every `mm:ss` with its length: a look-up is both the quickest reading and the strictest check."""
    return {
        f"{minute:02}:{second:02}": timedelta(minutes=minute, seconds=second)
        for minute in range(60)
        for second in range(60)
    }


def _read_hours(text: str) -> dict[str, datetime]:
    """Return at which instant each hour of the day `yymmdd` begins, by its text (rule 3).

    The clocks change on whole hours, so minutes and seconds may be added to these.
    """
    if not (len(text) == 6 and text.isascii() and text.isdigit()):
        raise _Unreadable("is not a date written yymmdd")
    year = int(text[:2])
    try:
        on = date((2000 if year <= LAST_TWO_DIGIT_YEAR else 1900) + year, int(text[2:4]), int(text[4:]))
    except ValueError:
        raise _Unreadable("is not a day of the calendar") from None
    return {hour: billing_instant(on, at) for hour, at in _HOURS.items()}


def _read_seconds(text: str) -> int:
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise _Unreadable("is not a whole number of seconds")
    if digits != text and digits.strip("0"):
        raise _Unreadable("is negative")
    if len(digits.lstrip("0")) > len(str(LONGEST_CALL_SECONDS)) or int(digits) > LONGEST_CALL_SECONDS:
        raise _Unreadable("is longer than a day")
    return int(digits)


def _read_account(text: str) -> str:
    if len(text) > LONGEST_NAME_CHARACTERS or not is_external_id(text):
        raise _Unreadable("is not the name of a line")
    return text


def _read_outcome(text: str) -> str:
    """Return the outcome; in another spelling it might be one that is billed, or one that is not."""
    if text not in OUTCOMES:
        raise _Unreadable(f"is not an outcome; known are {', '.join(OUTCOMES)}")
    return text


def _read_call_id(text: str) -> str:
    """Return the id as it was written: 007 is another call than 7."""
    if len(text) > LONGEST_CALL_ID_DIGITS or not (text.isascii() and text.isdigit()):
        raise _Unreadable("is not a number")
    return text


_READERS: Final[dict[str, Callable[[str], object]]] = {
    "vru+line": _read_account,
    "call_id": _read_call_id,
    "date": _read_hours,
    "vru_time": _read_seconds,
    "q_time": _read_seconds,
    "outcome": _read_outcome,
    "ser_time": _read_seconds,
}


def read_call_line(text: str, source: str) -> CallReport | MalformedRow:
    """Return what one row of a call file holds, for a row that is read again on its own."""
    return _Rows(source).read([text])[0]
