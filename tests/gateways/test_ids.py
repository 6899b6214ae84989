"""Identifiers and the machine's clock."""

from __future__ import annotations

from datetime import UTC, datetime

import time_machine
from hypothesis import given
from hypothesis import strategies as st

from app.gateways.clock import SystemClock
from app.gateways.ids import ALPHABET, RandomIds, encode

NUMBERS = st.integers(0, 2**128 - 1)


class TestRandomIds:
    def test_an_id_is_its_prefix_and_26_letters(self):
        prefix, letters = RandomIds().new("inv").split("_")
        assert (prefix, len(letters)) == ("inv", 26)
        assert set(letters) <= set(ALPHABET)

    def test_ids_sort_by_the_time_they_were_made(self):
        ids = [RandomIds().new("inv") for _ in range(1_000)]
        assert ids == sorted(set(ids))

    @given(NUMBERS, NUMBERS)
    def test_text_order_is_number_order(self, one, other):
        assert (encode(one) < encode(other)) == (one < other)

    def test_the_ends_of_the_range_are_written_out(self):
        assert encode(0) == "0" * 26
        assert encode(2**128 - 1) == "7" + "z" * 25


class TestSystemClock:
    def test_it_tells_the_machines_time_in_utc(self):
        with time_machine.travel(datetime(2026, 8, 31, 7, tzinfo=UTC), tick=False):
            assert SystemClock().now() == datetime(2026, 8, 31, 7, tzinfo=UTC)
            assert SystemClock().now().tzinfo is UTC
