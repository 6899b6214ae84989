"""The sandbox's clock: real time and an offset that every process of a data folder shares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.sandbox.clock import CLOCK_FILE, ClockRefused, OffsetClock, parse_instant, written

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


class RealTime:
    def __init__(self):
        self.at = NOON

    def __call__(self):
        return self.at


class TestOffsetClock:
    def test_is_real_time_until_it_is_moved(self, tmp_path):
        assert OffsetClock(tmp_path, RealTime()).now() == NOON

    def test_runs_on_from_where_it_was_started(self, tmp_path):
        real = RealTime()
        clock = OffsetClock(tmp_path / "new", real)
        start = datetime(1999, 2, 1, 8, 30, tzinfo=UTC)
        assert clock.start(start) == start
        real.at += timedelta(hours=1)
        assert clock.now() == start + timedelta(hours=1)

    def test_another_process_sees_every_move_at_once(self, tmp_path):
        real = RealTime()
        server, command = OffsetClock(tmp_path, real), OffsetClock(tmp_path, real)
        assert server.now() == NOON
        command.advance(NOON + timedelta(days=3))
        assert server.now() == NOON + timedelta(days=3)
        command.advance(NOON + timedelta(days=4))
        assert server.now() == NOON + timedelta(days=4)

    def test_never_goes_backwards(self, tmp_path):
        clock = OffsetClock(tmp_path, RealTime())
        clock.advance(NOON + timedelta(days=3))
        with pytest.raises(ClockRefused, match="never goes backwards, and it is 2026-11-27 04:00:00 PST already"):
            clock.advance(NOON + timedelta(days=2))
        assert clock.now() == NOON + timedelta(days=3)

    def test_two_moves_at_the_same_moment_leave_the_later_one(self, tmp_path):
        one, other = OffsetClock(tmp_path, RealTime()), OffsetClock(tmp_path, RealTime())
        one.advance(NOON + timedelta(days=3))
        other._append("advance", NOON + timedelta(days=2))  # had looked before the first one wrote
        assert one.now() == NOON + timedelta(days=3)

    def test_deleting_the_file_goes_back_to_real_time(self, tmp_path):
        clock = OffsetClock(tmp_path, RealTime())
        clock.advance(NOON + timedelta(days=3))
        (tmp_path / CLOCK_FILE).unlink()
        assert (clock.now(), clock.offset) == (NOON, timedelta())

    @pytest.mark.parametrize("line", ["advance", "advance soon", "back 5", "advance nan", "advance 1e300"])
    def test_a_spoilt_file_is_refused_with_its_line(self, tmp_path, line):
        (tmp_path / CLOCK_FILE).write_text(f"start 10\n{line}\n")
        with pytest.raises(ClockRefused, match=r"Line 2 of .* cannot be read"):
            OffsetClock(tmp_path, RealTime()).now()

    @pytest.mark.parametrize("year", [1989, 2200])
    def test_knows_two_centuries(self, tmp_path, year):
        with pytest.raises(ClockRefused, match="from 1990 to 2199"):
            OffsetClock(tmp_path, RealTime()).start(datetime(year, 1, 1, tzinfo=UTC))


class TestParseInstant:
    @pytest.mark.parametrize(
        ("text", "instant"),
        [
            ("1999-02-01 00:30", datetime(1999, 2, 1, 8, 30, tzinfo=UTC)),
            ("1999-07-01", datetime(1999, 7, 1, 7, 0, tzinfo=UTC)),
            ("1999-02-01T00:30:00Z", datetime(1999, 2, 1, 0, 30, tzinfo=UTC)),
            ("1999-02-01T00:30:00-08:00", datetime(1999, 2, 1, 8, 30, tzinfo=UTC)),
        ],
    )
    def test_reads_wall_clock_of_the_billing_zone_and_offsets(self, text, instant):
        """Rule 1: dates are those of the billing zone."""
        assert parse_instant(text) == instant

    @pytest.mark.parametrize("text", ["", "soon", "1999-13-01", "1999-02-01 25:00", "0001-01-01T00:00:00+23:00"])
    def test_refuses_anything_else(self, text):
        with pytest.raises(ClockRefused, match="is not an instant"):
            parse_instant(text)

    def test_is_written_by_the_wall_clock(self):
        assert written(datetime(1999, 2, 1, 8, 30, tzinfo=UTC)) == "1999-02-01 00:30:00 PST"
