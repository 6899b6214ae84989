"""Exact money: integer cents, unit prices in ten-thousandths of a dollar, and the one rounding of the product."""

from __future__ import annotations

from typing import TYPE_CHECKING, NewType

if TYPE_CHECKING:
    from collections.abc import Sequence

CURRENCY = "USD"

UnitPrice = NewType("UnitPrice", int)
"""A price for one unit, in ten-thousandths of a dollar: $1.29 is 12,900."""

UNIT_PRICE_PER_CENT = 100


def round_half_up(numerator: int, denominator: int) -> int:
    """Return `numerator / denominator` rounded to the nearest integer, halves away from zero (rule 4).

    :raises ValueError: when the denominator is not positive.
    """
    if denominator <= 0:
        raise ValueError(f"A denominator must be positive, not {denominator}.")
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return magnitude if numerator >= 0 else -magnitude


def price_of(quantity: int, unit_price: UnitPrice, units_per_price: int) -> int:
    """Return the cents for `quantity` small units when `units_per_price` of them cost `unit_price`.

    Seconds at a rate a minute: `price_of(seconds, rate, 60)`. Rounded half up, once (rule 4).
    """
    return round_half_up(quantity * unit_price, units_per_price * UNIT_PRICE_PER_CENT)


def share_out(cents: int, weights: Sequence[int]) -> list[int]:
    """Split `cents` in proportion to weights, none below zero, so that the parts add up to it: largest remainder.

    Left-over cents go to the largest remainders, on a tie to the earlier part; below zero the parts are those of the
    amount above, negated.

    :raises ValueError: when there is something to split and no weight above zero.
    """
    total = sum(weights)
    if cents == 0:
        return [0] * len(weights)
    if total <= 0:
        raise ValueError("There is nothing to share the amount out over.")
    if cents < 0:
        return [-part for part in share_out(-cents, weights)]
    parts, remainders = map(list, zip(*(divmod(cents * weight, total) for weight in weights), strict=True))
    for place in sorted(range(len(parts)), key=lambda place: -remainders[place])[: cents - sum(parts)]:
        parts[place] += 1
    return parts
