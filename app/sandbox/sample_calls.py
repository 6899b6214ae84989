"""Writes a made month of calls in the call file's own format, for whoever has no file; one seed, one month."""

from __future__ import annotations

import gzip
from contextlib import contextmanager
from datetime import datetime, time, timedelta
from math import log
from random import Random
from typing import TYPE_CHECKING, Final, NamedTuple

from app.domain.periods import BILLING_ZONE, billing_instant
from app.services.usage.call_file import FIELD_NAMES, HANG_UP_OUTCOME, LIVE_OUTCOME, VIRTUAL_OUTCOME

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date
    from io import BufferedWriter
    from pathlib import Path

    from app.domain.periods import Period

    _Row = dict[str, str]
    _Spoiler = Callable[[_Row], list[str]]

USUAL_FAULTS: Final = 6

_LINE_END = "\r\n"
_NO_TIME = "0:00:00"
_NO_SERVER = "NO_SERVER"
_LINES_PER_TRUNK = 16
_DAY_SECONDS = 86_400

# Shares and lengths follow a real call centre's month; lengths are medians or means in seconds.
_OUTCOME_SHARES = {LIVE_OUTCOME: 0.856, HANG_UP_OUTCOME: 0.136, VIRTUAL_OUTCOME: 0.008}
_QUEUED_SHARES = {LIVE_OUTCOME: 0.5, HANG_UP_OUTCOME: 0.72, VIRTUAL_OUTCOME: 1.0}
_TYPE_SHARES = {"PS": 0.727, "NW": 0.177, "NE": 0.05, "TT": 0.031, "IN": 0.01, "PE": 0.005}
_SMALL_LINE_SHARE = 0.25
_SMALL_LINE_CALLS = (140, 300)
_LARGE_LINE_CALLS = (900, 1600)
_MENU_SECONDS = 8
_QUEUE_SECONDS = 70
_SERVICE_SECONDS = 113
_LONGEST_SERVICE_SECONDS = 5300
_VIRTUAL_SECONDS = 20

# Monday to Sunday, and midnight to midnight: offices call on weekdays, from eight to six.
_WEEKDAY_WEIGHTS = (1.15, 1.05, 1.0, 1.0, 0.9, 0.25, 0.15)
_HOUR_WEIGHTS = (3, 1, 1, 1, 1, 2, 8, 35, 90, 120, 130, 118, 100, 105, 122, 124, 118, 85, 50, 38, 26, 18, 11, 6)
_OPERATORS = ("ADA", "BRUNO", "CARLA", "DEVON", "ELENA", "FRANK", "GRETA", "HUGO", "IRENE", "JONAS", "KIM", "LUCIA")


class SampleRefused(ValueError):
    """A sample file cannot be written as asked; the message says what to change."""


class SampleMonth(NamedTuple):
    """What was written: rows that will be accepted, those of them that are not billable, and faulty rows."""

    accepted: int
    not_billable: int
    faulty: int


def write_sample_calls(path: Path, *, month: Period, lines: int, seed: int, faults: int = USUAL_FAULTS) -> SampleMonth:
    """Write one month of calls on so many phone lines, 140 to 1,600 calls each, gzip when the name ends in `.gz`.

    `faults` of the rows are spoilt as real ones are. An existing file is replaced.

    :raises SampleRefused: when there is no line, more faults than rows, a month that two digits of a year cannot
        name (1970 to 2069 can), or a path that cannot be written.
    """
    if not 1970 <= month.starts_on.year <= 2069:
        raise SampleRefused("A call file writes years with two digits. Choose a month from 1970 to 2069.")
    if lines < 1:
        raise SampleRefused("A month of calls needs at least one line.")
    random = Random(seed)
    calls_by_line = {_line_name(index): _call_count(random) for index in range(lines)}
    total = sum(calls_by_line.values())
    if not 0 <= faults <= total:
        raise SampleRefused(f"This month has {total:,} rows. Choose from 0 to {total:,} faulty ones.")
    # A source of their own, so that the other rows stay the same however many faults are asked for.
    faulty = sorted(Random(~seed).sample(range(total), faults))
    spoilers = {row: _SPOILERS[order % len(_SPOILERS)] for order, row in enumerate(faulty)}
    try:
        with _opened(path) as file:
            return _write(file, _rows(random, month, calls_by_line), spoilers)
    except OSError as error:
        raise SampleRefused(f"{str(path)!r} cannot be written ({error.strerror}). Choose another path.") from error


@contextmanager
def _opened(path: Path) -> Iterator[BufferedWriter | gzip.GzipFile]:
    """Open for writing; the compressed file holds neither name nor time, so that it too is the same every time."""
    with path.open("wb") as file:
        if path.suffix != ".gz":
            yield file
            return
        with gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed:
            yield compressed


def _write(file: BufferedWriter | gzip.GzipFile, rows: Iterator[_Row], spoilers: dict[int, _Spoiler]) -> SampleMonth:
    accepted = not_billable = 0
    file.write(("\t".join(FIELD_NAMES) + _LINE_END).encode())
    for number, row in enumerate(rows):
        fields = spoilers[number](row) if number in spoilers else list(row.values())
        file.write(("\t".join(fields) + _LINE_END).encode())
        if number not in spoilers:
            accepted += 1
            not_billable += row["outcome"] == VIRTUAL_OUTCOME
    return SampleMonth(accepted, not_billable, len(spoilers))


def _line_name(index: int) -> str:
    trunk, line = divmod(index, _LINES_PER_TRUNK)
    return f"AA{trunk + 1:02}{line + 1:02}"


def _call_count(random: Random) -> int:
    return random.randint(*(_SMALL_LINE_CALLS if random.random() < _SMALL_LINE_SHARE else _LARGE_LINE_CALLS))


def _rows(random: Random, month: Period, calls_by_line: dict[str, int]) -> Iterator[_Row]:
    """Yield the rows line after line, each line's in the order of its calls, with call ids counting up."""
    for line, count in calls_by_line.items():
        first_call_id = random.randint(10_000, 40_000)
        for offset, entry in enumerate(_entries(random, month, count)):
            yield _row(random, line, first_call_id + offset, entry)


def _entries(random: Random, month: Period, count: int) -> list[datetime]:
    """Return when calls begin, as the wall clock shows it: never in the hour that the spring change skips."""
    days = [month.starts_on + timedelta(days=day) for day in range(month.days)]
    weights = [_WEEKDAY_WEIGHTS[day.weekday()] for day in days]
    return sorted(_entry(random, on) for on in random.choices(days, weights, k=count))


def _entry(random: Random, on: date) -> datetime:
    hour = random.choices(range(24), _HOUR_WEIGHTS)[0]
    instant = billing_instant(on, time(hour, random.randrange(60), random.randrange(60)))
    return instant.astimezone(BILLING_ZONE).replace(tzinfo=None)


def _row(random: Random, line: str, call_id: int, entry: datetime) -> _Row:
    outcome = _pick(random, _OUTCOME_SHARES)
    menu_seconds = round(random.lognormvariate(log(_MENU_SECONDS), 0.4))
    is_queued = random.random() < _QUEUED_SHARES[outcome]
    queue_seconds = 1 + round(random.expovariate(1 / _QUEUE_SECONDS)) if is_queued else 0
    service_seconds = _service_seconds(random, outcome)
    is_known_caller = random.random() < 0.42
    queue_start = entry + timedelta(seconds=menu_seconds)
    service_start = queue_start + timedelta(seconds=queue_seconds)
    is_served = outcome != HANG_UP_OUTCOME
    values = (
        line,
        str(call_id),
        str(random.randint(10_000_000, 69_999_999)) if is_known_caller else "0",
        str(random.randint(1, 2)) if is_known_caller else "0",
        _pick(random, _TYPE_SHARES),
        f"{entry:%y%m%d}",
        _clock(entry),
        _clock(queue_start),
        str(menu_seconds),
        _clock(queue_start) if is_queued else _NO_TIME,
        _clock(service_start) if is_queued else _NO_TIME,
        str(queue_seconds),
        outcome,
        _clock(service_start) if is_served else _NO_TIME,
        _clock(service_start + timedelta(seconds=service_seconds)) if is_served else _NO_TIME,
        str(service_seconds),
        random.choice(_OPERATORS) if outcome == LIVE_OUTCOME else _NO_SERVER,
    )
    return dict(zip(FIELD_NAMES, values, strict=True))


def _service_seconds(random: Random, outcome: str) -> int:
    if outcome == LIVE_OUTCOME:
        return min(round(random.lognormvariate(log(_SERVICE_SECONDS), 1.0)), _LONGEST_SERVICE_SECONDS)
    return round(random.expovariate(1 / _VIRTUAL_SECONDS)) if outcome == VIRTUAL_OUTCOME else 0


def _pick(random: Random, shares: dict[str, float]) -> str:
    return random.choices(list(shares), list(shares.values()))[0]


def _clock(at: datetime) -> str:
    """Write a time of day as phone systems do, `h:mm:ss`."""
    return f"{at.hour}:{at:%M:%S}"


def _with_clock_set_back(row: _Row) -> list[str]:
    """The menu's clock ran ahead of the queue's, so the time in the menu comes out negative: the usual fault."""
    menu_seconds = int(row["vru_time"]) + 40
    entry = datetime.strptime(row["vru_entry"], "%H:%M:%S")  # noqa: DTZ007 — a time of day
    left = _clock(entry - timedelta(seconds=menu_seconds))
    return list((row | {"vru_exit": left, "vru_time": str(-menu_seconds)}).values())


def _cut_short(row: _Row) -> list[str]:
    return list(row.values())[:11]


def _garbled(row: _Row) -> list[str]:
    return list((row | {"ser_time": f"{row['ser_time']}?"}).values())


_SPOILERS: Final[tuple[_Spoiler, ...]] = (
    _with_clock_set_back,
    _with_clock_set_back,
    _cut_short,
    _with_clock_set_back,
    _garbled,
)
