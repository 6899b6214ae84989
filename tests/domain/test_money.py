"""Rounding and prices: whole cents, rounded once, halves up (rule 4)."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.money import UnitPrice, price_of, round_half_up, share_out


class TestRoundHalfUp:
    @pytest.mark.parametrize(
        ("numerator", "denominator", "expected"),
        [(0, 7, 0), (1, 2, 1), (3, 2, 2), (5, 2, 3), (149, 100, 1), (151, 100, 2), (13_900, 30, 463), (-1, 2, -1)],
    )
    def test_rule_4_takes_a_half_away_from_zero(self, numerator, denominator, expected):
        assert round_half_up(numerator, denominator) == expected

    @given(numerator=st.integers(-(10**15), 10**15), places=st.integers(0, 8))
    @example(numerator=5, places=1)
    @example(numerator=-25, places=1)
    def test_agrees_with_the_decimals_of_the_standard_library(self, numerator, places):
        exact = Decimal(numerator).scaleb(-places)
        assert round_half_up(numerator, 10**places) == exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)

    @given(numerator=st.integers(0, 10**15), denominator=st.integers(1, 10**6))
    def test_rule_4_is_never_further_off_than_a_half_and_takes_a_half_up(self, numerator, denominator):
        error = Fraction(round_half_up(numerator, denominator)) - Fraction(numerator, denominator)
        assert Fraction(-1, 2) < error <= Fraction(1, 2)

    @given(halves=st.integers(-(10**12), 10**12))
    def test_agrees_with_decimals_on_every_half(self, halves):
        exact = Decimal(halves) / 2
        assert round_half_up(halves, 2) == exact.quantize(Decimal(1), rounding=ROUND_HALF_UP)

    @given(numerator=st.integers(-(10**9), 10**9), denominator=st.integers(1, 10**6))
    def test_a_reversal_is_the_amount_negated(self, numerator, denominator):
        """Rule 4: what is taken back is what was charged, to the cent."""
        assert round_half_up(-numerator, denominator) == -round_half_up(numerator, denominator)

    @pytest.mark.parametrize("denominator", [0, -1])
    def test_refuses_a_denominator_that_is_not_positive(self, denominator):
        with pytest.raises(ValueError, match=f"must be positive, not {denominator}"):
            round_half_up(1, denominator)


class TestShareOut:
    """Largest remainder: whole cents, in proportion, none lost."""

    @pytest.mark.parametrize(
        ("cents", "weights", "parts"),
        [
            (10_00, [1, 1], [5_00, 5_00]),
            (1, [1, 1], [1, 0]),
            (10, [1, 1, 1], [4, 3, 3]),
            (11, [1, 1, 1], [4, 4, 3]),
            (8, [25, 25, 25], [3, 3, 2]),
            (100, [2, 1], [67, 33]),
            (100, [1, 2], [33, 67]),
            (7, [0, 5, 0, 2], [0, 5, 0, 2]),
            (5, [0, 0, 1], [0, 0, 5]),
            (-10, [1, 1, 1], [-4, -3, -3]),
            (-1, [1, 1], [-1, 0]),
            (0, [3, 4], [0, 0]),
            (0, [0, 0], [0, 0]),
            (0, [], []),
        ],
    )
    def test_left_over_cents_go_to_the_largest_remainders_and_on_a_tie_to_the_earlier_part(self, cents, weights, parts):
        assert share_out(cents, weights) == parts

    @pytest.mark.parametrize("weights", [[], [0], [0, 0], [-1]])
    def test_refuses_to_share_something_over_nothing(self, weights):
        with pytest.raises(ValueError, match="nothing to share the amount out over"):
            share_out(1, weights)

    @given(
        cents=st.integers(-(10**9), 10**9),
        weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=8).filter(any),
    )
    def test_the_parts_add_up_and_each_is_its_proportion_to_within_a_cent(self, cents, weights):
        parts = share_out(cents, weights)
        assert sum(parts) == cents
        exact = [Fraction(cents * weight, sum(weights)) for weight in weights]
        assert all(abs(part - due) < 1 for part, due in zip(parts, exact, strict=True))
        assert all(part == 0 for part, weight in zip(parts, weights, strict=True) if weight == 0)

    @given(weights=st.lists(st.integers(0, 10**6), min_size=1, max_size=6).filter(any), share=st.integers(0, 100))
    def test_no_part_of_a_part_is_more_than_its_weight(self, weights, share):
        parts = share_out(sum(weights) * share // 100, weights)
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


class TestPriceOf:
    @pytest.mark.parametrize(
        ("seconds", "rate", "cents"),
        [
            (600, 1_2900, 12_90),
            (450, 1_000, 75),
            (200, 1_500, 50),
            (1, 1_2900, 2),
            (0, 1_2900, 0),
            (3, 1_000, 1),
            (2, 1_000, 0),
        ],
    )
    def test_prices_seconds_at_a_rate_a_minute(self, seconds, rate, cents):
        assert price_of(seconds, UnitPrice(rate), 60) == cents

    def test_rule_4_rounds_the_sum_of_a_month_and_not_each_call(self):
        two_seconds = price_of(2, UnitPrice(1_000), 60)
        assert (1_000 * two_seconds, price_of(2_000, UnitPrice(1_000), 60)) == (0, 3_33)
