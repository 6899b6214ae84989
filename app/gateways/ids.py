"""Identifiers that sort by the time they were made and give nothing away: a prefix and a UUIDv7 in 26 letters."""

from __future__ import annotations

from uuid_utils import uuid7

# Crockford's letters: no i, l, o or u, and in the order of their values, so that text order is time order.
ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH = 26

# Two letters, ten bits, at a time; 13 pairs hold the 128 bits with two to spare.
_PAIRS = tuple(high + low for high in ALPHABET for low in ALPHABET)
_SHIFTS = tuple(range(120, -10, -10))


class RandomIds:
    """Mints identifiers from the time and from the system's randomness."""

    def new(self, prefix: str) -> str:
        """Return `prefix_` followed by 26 characters that sort by time of minting."""
        return f"{prefix}_{encode(uuid7().int)}"


def encode(number: int) -> str:
    """Return a 128-bit number as 26 characters of Crockford's base 32, in lower case."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])
