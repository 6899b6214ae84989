"""Exact money: integer cents, unit prices in ten-thousandths of a dollar, and the one rounding of the product."""

from __future__ import annotations

from typing import NewType

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
