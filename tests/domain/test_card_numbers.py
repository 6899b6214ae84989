"""Card numbers are found however they are written, and what merely looks like one is left alone."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.card_numbers import find_card_numbers, holds_card_number, is_card_number, without_card_numbers

VISA, AMEX, MASTERCARD = "4111111111111111", "378282246310005", "5555555555554444"

CARDS = [
    VISA,
    AMEX,
    MASTERCARD,
    "2223000048400011",
    "2201382000000013",
    "2720990000000007",
    "6304000000000000",
    "4222222222222",
    "4111 1111 1111 1111",
    "4111-1111-1111-1111",
    "4111\u00a01111\u20111111 - 1111",
    "3782 822463 10005",
    f"my card is {VISA}, thanks",
    f"({VISA})",
    f"{VISA} 12/27 123",
    f"12 {VISA}",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "41-11-11-11-11-11-11-11",
    "2 4111 1111 1111 1111 27",
    f"card:{VISA}",
    f'"{VISA}"',
    "٤١١١١١١١١١١١١١١١",
    "4111.1111.1111.1111",
    "4111 . 1111 . 1111 . 1111",
    "4111\u00b71111\u20221111/1111",
    "4111_1111_1111_1111",
    "3782.822463.10005",
    f"x{VISA}",
    f"{VISA}x",
    f"card{VISA}exp",
    f"card_{VISA}",
    f"CVV{AMEX}\u00fc",
    "Visa4111 1111 1111 1111thanks",
    "4111x1111x1111x1111",
    "3782x822463x10005",
    "411\u200b1 1111\u200d 1111 11\u206011",
    "\ufeff".join(VISA),
    "\u00ad".join(VISA),
    "\ufe0f\u20e3".join(VISA),
    f"paid.{VISA}",
    f"{VISA}.00",
]

OTHERS = [
    "",
    "4111111111111112",
    "411111111111",
    "41111111111111111111",
    "pm_00000000000000000000000001",
    "inv_00000000004111111111111111",
    f"1.{VISA}",
    f"0.{VISA}",
    f"7a{VISA}",
    f"{VISA}a7",
    f"pm_0{AMEX}ABCDEFGHIJ7",
    "9f3c4111111111111111a77e01b2c3d4",
    "4111x1111y1111x1111",
    "a4111x1111x1111x1111",
    "4111x1111x1111x1112",
    "192.168.100.200 192.168.100.201",
    "2026.08.31 2026.09.30 2026.10.31",
    "press-1790000000004",
    "1790000000004",
    "2026-08-31 2026-09-30 2026-10-31",
    "+1 415 555 2671 +1 415 555 2672",
    "1000007",
    "2000000000000008",
]


class TestFinding:
    @pytest.mark.parametrize("text", CARDS)
    def test_a_card_number_is_found(self, text):
        assert holds_card_number(text)

    @pytest.mark.parametrize("text", OTHERS)
    def test_other_figures_are_not(self, text):
        assert not holds_card_number(text)

    def test_it_is_found_among_other_groups_where_it_stands(self):
        text = f"7 {VISA} 27 and {AMEX}"
        assert [text[begin:end] for begin, end in find_card_numbers(text)] == [VISA, AMEX]
        assert without_card_numbers(text, "[removed]") == "7 [removed] 27 and [removed]"

    @pytest.mark.parametrize(
        "value",
        [int(VISA), float(VISA), [VISA], {"a": [{"b": VISA}]}, {VISA: None}, {"a": "4111 1111 1111 1111"}],
    )
    def test_it_is_found_anywhere_in_a_value(self, value):
        assert holds_card_number(value)

    @pytest.mark.parametrize("value", [None, True, 5, 1.5, [], {}, {"a": [1, "x", None]}, float("inf")])
    def test_values_without_one_pass(self, value):
        assert not holds_card_number(value)

    def test_what_nobody_sees_goes_with_it(self):
        text = f"a 4\u200b{VISA[1:]}\u200b b"
        assert [text[begin:end] for begin, end in find_card_numbers(text)] == [f"4\u200b{VISA[1:]}"]
        assert without_card_numbers("4111x1111x1111x1111 b", "[removed]") == "[removed] b"

    def test_its_length_counts(self):
        assert is_card_number(VISA)
        assert not is_card_number(VISA[:12])

    @given(st.uuids())
    def test_a_uuid_is_none(self, key):
        assert not holds_card_number(str(key))
        assert not holds_card_number(key.hex)

    def test_a_uuid_of_digits_alone_is_none_but_a_card_beside_it_is(self):
        key = uuid.UUID("41111111-1111-1111-8888-888888888888")
        assert not holds_card_number(f"{key}")
        assert holds_card_number(f"{key} {VISA}")
