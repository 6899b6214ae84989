"""Names: which characters none holds, and which stay."""

from __future__ import annotations

import pytest

from app.domain.names import is_blank, is_breaking, is_unprintable

REAL = ["J.P. Morgan Dental", "Booking.com", "A+ Heating", "24/7 Locksmith", "東京デンタルクリニック", "Zahnärzte 🦷"]


class TestCharacters:
    @pytest.mark.parametrize("name", [*REAL, "می\u200cخواهم", "مريم الزهراء", "क्\u200dष"])
    def test_names_as_people_write_them_have_none_of_them(self, name):
        assert not is_breaking(name)
        assert not is_unprintable(name)
        assert not is_blank(name)

    @pytest.mark.parametrize("letter", [*"\n\r\t\0\x7f\x85\u2028\u2029\u061c\u200e\u200f\u202e\u2066\u2069", "\ud800"])
    def test_controls_bidi_and_separators_break_a_line(self, letter):
        assert is_breaking(f"Harbor{letter}Dental")
        assert is_unprintable(f"Harbor{letter}Dental")

    @pytest.mark.parametrize("letter", "\u200b\u2060\u00ad\ufeff\u3164\u115f\u2800\ue000\U000e0041")
    def test_what_cannot_be_seen_does_not_print_but_breaks_nothing(self, letter):
        assert not is_breaking(f"Harbor{letter}Dental")
        assert is_unprintable(f"Harbor{letter}Dental")

    @pytest.mark.parametrize("text", ["", " ", "\u00a0\u3000", "\u200b\u200d", "\u3164", "\u2800\u115f", "\u0301"])
    def test_what_nobody_sees_is_blank(self, text):
        assert is_blank(text)
