"""The import bench's baseline: one loop and plain `sqlite3`, as fast as we know how to make it.

It reads the same fields as strictly, looks every event id up and compares what it finds, refuses calls too old or in
the future, and keeps the sums of each day, in batches as large as the product's with the same pragmas. It is quick
because it knows this one format and this one case: instants are text from the first, nothing is typed, no call is a
correction, and there is one policy.
"""

from __future__ import annotations

import gzip
import json
from contextlib import closing
from datetime import date, time, timedelta
from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

from app.domain.periods import billing_instant
from app.domain.policies import policies_on
from app.gateways.ids import RandomIds
from app.services.usage.call_file import DEFAULT_SOURCE, LONGEST_CALL_SECONDS, MalformedRow, read_call_line
from app.services.usage.import_calls import ImportCounts
from app.services.usage.record_calls import BATCH_SIZE
from scripts.bench.databases import connect, instant_text
from scripts.bench.import_facts import MONTH, NOW

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable, Iterable
    from pathlib import Path

_FIND = """
SELECT event_id, account_id, started_at, script_seconds, ivr_seconds, disposition, is_billable
FROM call WHERE source = ? AND event_id IN (SELECT value FROM json_each(?))"""
_INSERT_CALL = "INSERT INTO call VALUES (?,?,?,?,?,?,?,0,?,0,?,?,?,NULL,?)"
_ADD_TO_DAY = """
INSERT INTO usage_day VALUES (?,?,?,?,0,?,?,?,?) ON CONFLICT (account_id, on_date) DO UPDATE SET
live_seconds = live_seconds + excluded.live_seconds, ivr_seconds = ivr_seconds + excluded.ivr_seconds,
call_count = call_count + excluded.call_count, free_call_count = free_call_count + excluded.free_call_count,
last_started_at = max(last_started_at, excluded.last_started_at)"""
_QUARANTINE = """
INSERT INTO quarantined_call VALUES (?,?,?,?,?,?,?,?,NULL,NULL,NULL,NULL) ON CONFLICT (fingerprint) DO NOTHING"""
_ADVANCE = "UPDATE account SET usage_seq = ? WHERE id = ?"
_TELL = "INSERT INTO event VALUES (?,?,'usage.recorded',NULL,'import',NULL,?,?,NULL)"

_POLICIES = policies_on(MONTH.starts_on)
_NOW = instant_text(NOW)
_LATEST = instant_text(NOW + _POLICIES.future_tolerance)
_EARLIEST = instant_text(NOW - timedelta(days=_POLICIES.late_call_days))
_MINUTES = {f"{m:02}:{s:02}": f"{m:02}:{s:02}.000000" for m in range(60) for s in range(60)}


class _Known(dict[str, Any]):
    """Remembers what each text means."""

    def __init__(self, read: Callable[[str], Any]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, text: str) -> Any:  # noqa: ANN401 -- a value of any field
        value = self[text] = self._read(text)
        return value


def import_file(*, database: Path, file: Path) -> ImportCounts:
    """Import the whole file into a database that has its accounts, and count its rows."""
    with closing(connect(database)) as connection, _opened(file) as lines:
        next(lines)
        first_line = 2
        importer = _Importer(connection)
        while batch := list(islice(lines, BATCH_SIZE)):
            importer.take(first_line, batch)
            first_line += len(batch)
        return importer.counts


def _opened(file: Path) -> TextIO:
    with file.open("rb") as raw:
        is_gzip = raw.read(2) == b"\x1f\x8b"
    return (gzip.open if is_gzip else open)(file, "rt", encoding="utf-8", errors="replace", newline="\n")


class _Importer:
    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._ids = RandomIds()
        self.counts = ImportCounts()
        self._seconds = _Known(_seconds)
        self._days = _Known(_day)
        self._outcomes = _Known(_outcome)

    def take(self, first_line: int, lines: list[str]) -> None:
        """Record one batch in one transaction."""
        rows, faulty = self._parse(first_line, lines)
        execute = self._connection.execute
        execute("BEGIN IMMEDIATE")
        self._write(rows, self._accounts(rows), self._find([row[0] for row in rows]))
        self._connection.executemany(_QUARANTINE, [self._refused(*fault) for fault in faulty])
        execute("COMMIT")
        self.counts.quarantined += len(faulty)

    def _parse(self, first_line: int, lines: list[str]) -> tuple[list[tuple[Any, ...]], list[tuple[int, str]]]:
        rows, faulty = [], []
        days, seconds, outcomes, minutes = self._days, self._seconds, self._outcomes, _MINUTES
        for number, line in enumerate(lines, first_line):
            try:
                account, call, _, _, _, on, entry, _, menu, _, _, queue, outcome, _, _, service, _ = line.split("\t")
                if not call.isdecimal() or len(call) > 20 or len(line) > 4096:
                    raise ValueError  # noqa: TRY301 -- the fault is named on the slow path
                hour, _, within_hour = entry.partition(":")
                on_date, hours = days[on]
                seconds[queue]
                served = seconds[service]
                live = served if outcomes[outcome] else 0
                started_at = hours[hour] + minutes[within_hour]
                free = outcome == "PHANTOM"
                rows.append(
                    (f"{account}/{call}/{on}", account, started_at, on_date, live, seconds[menu], outcome, free)
                )
            except (ValueError, KeyError):
                faulty.append((number, line.rstrip("\r\n")))
        return rows, faulty

    def _accounts(self, rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
        names = json.dumps(list({row[1] for row in rows}))
        found = self._connection.execute(
            "SELECT external_id, id, date(next_cycle_on, 'start of month', '-1 month'), usage_seq, 0 FROM account "
            "WHERE external_id IN (SELECT value FROM json_each(?))",
            (names,),
        )
        return {name: list(rest) for name, *rest in found}

    def _find(self, event_ids: list[str]) -> dict[str, tuple[Any, ...]]:
        found = self._connection.execute(_FIND, (DEFAULT_SOURCE, json.dumps(event_ids)))
        return {event_id: tuple(rest) for event_id, *rest in found}

    def _write(
        self, rows: list[tuple[Any, ...]], accounts: dict[str, list[Any]], known: dict[str, tuple[Any, ...]]
    ) -> None:
        calls: list[tuple[Any, ...]] = []
        sums: dict[tuple[str, str], list[Any]] = {}
        for event_id, name, started_at, on_date, live, menu, outcome, free in rows:
            account = accounts[name]
            account_id, open_from, seq, _ = account
            content = (account_id, started_at, live, menu, outcome, not free)
            if event_id in known:
                if known[event_id] != content:
                    raise ValueError(f"{event_id} is there with other figures")
                self.counts.duplicate += 1
                continue
            if started_at > _LATEST or (on_date < open_from and started_at < _EARLIEST):
                raise ValueError(f"{event_id} is out of time")
            known[event_id] = content
            account[2] = seq = seq + 1
            account[3] += 1
            calls.append(
                (
                    account_id,
                    seq,
                    DEFAULT_SOURCE,
                    event_id,
                    started_at,
                    on_date,
                    live,
                    live,
                    menu,
                    outcome,
                    not free,
                    _NOW,
                )
            )
            day = sums.get((account_id, on_date))
            if day is None:
                day = sums[account_id, on_date] = [account_id, on_date, f"{on_date[:7]}-01", 0, 0, 0, 0, started_at]
            if free:
                day[6] += 1
            else:
                day[3] += live
                day[4] += menu
                day[5] += 1
            if started_at > day[7]:  # noqa: PLR1730 -- a call of max() would cost more
                day[7] = started_at
        self._count(len(calls), sums.values())
        self._store(calls, list(sums.values()), [account for account in accounts.values() if account[3]])

    def _count(self, accepted: int, days: Iterable[list[Any]]) -> None:
        self.counts.accepted += accepted
        for _, _, _, live, menu, _, free, _ in days:
            self.counts.not_billable += free
            self.counts.live_seconds += live
            self.counts.ivr_seconds += menu

    def _store(self, calls: list[Any], days: list[Any], touched: list[list[Any]]) -> None:
        many = self._connection.executemany
        many(_INSERT_CALL, calls)
        many(_ADD_TO_DAY, days)
        many(_ADVANCE, [(seq, account_id) for account_id, _, seq, _ in touched])
        many(
            _TELL,
            [
                (self._ids.new("evt"), account_id, f'{{"calls":{count},"last_call":{seq}}}', _NOW)
                for account_id, _, seq, count in touched
            ],
        )

    def _refused(self, number: int, line: str) -> tuple[Any, ...]:
        """The few faulty rows are put into words by the product's own reader."""
        fingerprint = sha256(f"{DEFAULT_SOURCE}\n{line}".encode()).hexdigest()
        fault = read_call_line(line, DEFAULT_SOURCE)
        message = fault.reason if isinstance(fault, MalformedRow) else ""
        return (self._ids.new("qua"), fingerprint, DEFAULT_SOURCE, number, line, "MALFORMED", message, _NOW)


def _seconds(text: str) -> int:
    value = int(text)
    if not text.removeprefix("-").isdigit() or not 0 <= value <= LONGEST_CALL_SECONDS:
        raise ValueError
    return value


def _outcome(text: str) -> bool:
    if not text.isprintable() or len(text) > 64:
        raise ValueError
    return text == "AGENT"


def _day(text: str) -> tuple[str, dict[str, str]]:
    if len(text) != 6 or not text.isdigit():
        raise ValueError
    year = int(text[:2])
    on = date((1900 if year >= 70 else 2000) + year, int(text[2:4]), int(text[4:]))
    begins = {hour: instant_text(billing_instant(on, time(hour)))[:14] for hour in range(24)}
    return on.isoformat(), {text: begins[hour] for hour in range(24) for text in (str(hour), f"{hour:02}")}
