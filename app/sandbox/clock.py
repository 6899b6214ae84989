"""The sandbox's clock: real time plus an offset that is kept in the data folder, so that the server, the command line
and everything else that shares the folder agree.

The file only ever grows, by whole lines, and the largest step since the last start counts: whoever moves the clock at
the same moment as another can never turn it back.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app.domain.periods import BILLING_ZONE, billing_instant

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CLOCK_FILE = "clock.txt"
FIRST_YEAR, LAST_YEAR = 1990, 2199

_START, _ADVANCE = "start", "advance"


class ClockRefused(ValueError):
    """The clock cannot be moved like that; the message says what can be done."""


def _real_time() -> datetime:
    return datetime.now(UTC)


class OffsetClock:
    """Tells real time plus the offset of a data folder, and looks again whenever its file has changed."""

    def __init__(self, folder: Path, real_time: Callable[[], datetime] = _real_time) -> None:
        self._path = folder / CLOCK_FILE
        self._real_time = real_time
        self._seen: tuple[int, int, int] | None = None
        self._offset = timedelta()

    def now(self) -> datetime:
        """Return the present instant of the sandbox, aware and in UTC."""
        return self._real_time() + self.offset

    @property
    def offset(self) -> timedelta:
        """How far the sandbox is from real time; negative when it lies in the past."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._seen, self._offset = None, timedelta()
            return self._offset
        state = (status.st_ino, status.st_size, status.st_mtime_ns)
        if state != self._seen:
            self._offset = _read_offset(self._path)
            self._seen = state
        return self._offset

    def start(self, at: datetime) -> datetime:
        """Set the clock to any instant, for a sandbox that is still empty; the caller makes sure that it is.

        :raises ClockRefused: when the instant lies outside the years that the sandbox knows.
        """
        self._append(_START, at)
        return self.now()

    def advance(self, to: datetime) -> datetime:
        """Move the clock forward.

        :raises ClockRefused: when that would turn it back, or leave the years that the sandbox knows.
        """
        now = self.now()
        if to < now:
            raise ClockRefused(
                f"The clock never goes backwards, and it is {written(now)} already. Choose a later instant."
            )
        self._append(_ADVANCE, to)
        return self.now()

    def _append(self, word: str, to: datetime) -> None:
        if not FIRST_YEAR <= to.year <= LAST_YEAR:
            raise ClockRefused(f"The sandbox knows the years from {FIRST_YEAR} to {LAST_YEAR}. Choose one of them.")
        seconds = (to - self._real_time()).total_seconds()
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # One write in append mode: two writers leave two whole lines.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, f"{word} {seconds:.6f} {to.isoformat()}\n".encode())
        finally:
            os.close(descriptor)


class SeedingClock:
    """Stands still until it is moved, and only ever moves forward."""

    def __init__(self, at: datetime) -> None:
        self._at = at

    def now(self) -> datetime:
        """Return the instant that the history has come to."""
        return self._at

    def move_to(self, at: datetime) -> None:
        """Go on to an instant; an earlier one is ignored."""
        self._at = max(self._at, at)


def _read_offset(path: Path) -> timedelta:
    offset: float | None = None
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        word, seconds = _read_line(path, number, line)
        offset = seconds if word == _START or offset is None else max(offset, seconds)
    return timedelta(seconds=offset or 0.0)


def _read_line(path: Path, number: int, line: str) -> tuple[str, float]:
    words = line.split(" ")
    try:
        seconds = float(words[1])
        timedelta(seconds=seconds)
    except (IndexError, ValueError, OverflowError):
        seconds = float("nan")
    if words[0] not in {_START, _ADVANCE} or seconds != seconds:  # noqa: PLR0124  (a number is equal to itself)
        raise ClockRefused(f"Line {number} of {str(path)!r} cannot be read. Delete the file to go back to real time.")
    return words[0], seconds


def parse_instant(text: str) -> datetime:
    """Read an instant as people write it; without an offset from UTC it is the wall clock of the billing zone (rule 1).

    :raises ClockRefused: when the text is no date with a time.
    """
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is not None:
            return found.astimezone(UTC)
        return billing_instant(found.date(), found.time())
    except (ValueError, OverflowError):
        raise ClockRefused(
            f'{text!r} is not an instant. Write it as "1999-02-01 06:00" (Pacific time), or with its offset.'
        ) from None


def written(instant: datetime) -> str:
    """Write an instant by the wall clock of the billing zone."""
    return f"{instant.astimezone(BILLING_ZONE):%Y-%m-%d %H:%M:%S %Z}"
