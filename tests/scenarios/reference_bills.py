"""Bills of the reference model: lines with their taxes, what they take off other lines, and what is left of each.

In integers and fractions, and sharing nothing with the product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from typing import NamedTuple

from tests.scenarios.reference_prices import Month, half_up

USAGE_KINDS = ("OVERAGE", "PATCH", "IVR")


class Refused(Exception):
    """What the rules forbid; the text is the name of the refusal."""


class Rate(NamedTuple):
    """A tax of so much; it applies to lines of its kinds, to all where it names none."""

    name: str
    rate: int
    kinds: tuple[str, ...] = ()


Tax = tuple[str, int]
"""A tax by its name and its rate."""


class Position(NamedTuple):
    """What is billed once for a month: its base, its overage, its patched or its automatic time."""

    month: Month
    kind: str


class Place(NamedTuple):
    """Where a line stands: the number of its invoice, 0 for the bill in hand, and its place there."""

    number: int
    line: int


class Take(NamedTuple):
    """What a bill takes off a line, and the tax that goes with it."""

    place: Place
    cents: int
    taxes: tuple[tuple[Tax, int], ...] = ()

    @property
    def gross_cents(self) -> int:
        return self.cents + sum(cents for _, cents in self.taxes)


class Line(NamedTuple):
    """A line before tax; `usage` names the kind of usage that an adjustment is of."""

    kind: str
    month: Month
    cents: int
    usage: str = ""
    takes: tuple[Take, ...] = ()

    @property
    def position(self) -> Position | None:
        if self.kind in {"BASE", "BASE_REVERSAL", "CREDIT_KEPT"}:
            return Position(self.month, "BASE")
        kind = self.usage or self.kind
        return Position(self.month, kind) if kind in USAGE_KINDS else None


@dataclass(frozen=True)
class Bill:
    """An invoice before it is issued. `taxes`: what each line is taxed. `gross`: the new price of each position."""

    kind: str
    month: Month
    lines: tuple[Line, ...]
    taxes: tuple[tuple[tuple[Tax, int], ...], ...]
    gross: tuple[tuple[Position, int], ...]
    credit_applied_cents: int = 0

    @property
    def takes(self) -> list[Take]:
        return [take for line in self.lines for take in line.takes]

    @property
    def net_cents(self) -> int:
        return sum(line.cents for line in self.lines)

    @property
    def tax_cents(self) -> int:
        return sum(cents for *_, cents in self.tax_lines)

    @property
    def total_cents(self) -> int:
        return self.net_cents + self.tax_cents

    @property
    def tax_lines(self) -> list[tuple[str, int, int, int]]:
        """Name, rate, the invoice whose tax is given back (0 for none), and cents, which no line has none of."""
        charged: Counter[Tax] = Counter()
        given: Counter[tuple[Tax, int]] = Counter()
        for taxes in self.taxes:
            charged.update(dict(taxes))
        for take in self.takes:
            given.update({(tax, take.place.number): cents for tax, cents in take.taxes})
        lines = [(*tax, 0, cents) for tax, cents in charged.items() if cents]
        return sorted(lines + [(*tax, number, -cents) for (tax, number), cents in given.items() if cents])


@dataclass(eq=False)
class Entry:
    """A line of an invoice that was issued, with what is left of it and of its taxes."""

    line: Line
    taxes: dict[Tax, int]
    left: int = 0
    taxes_left: dict[Tax, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left, self.taxes_left = max(0, self.line.cents), dict(self.taxes)

    @property
    def gross_left(self) -> int:
        return self.left + sum(self.taxes_left.values())

    def given_back(self, cents: int) -> tuple[tuple[Tax, int], ...]:
        """The tax that goes with so much of the line: with the last cent the last of the tax has gone."""
        off = Fraction(self.line.cents - self.left + cents, self.line.cents)
        kept = {tax: billed - half_up(billed * off) for tax, billed in self.taxes.items()}
        return tuple((tax, max(0, self.taxes_left[tax] - kept[tax])) for tax in self.taxes)

    def take(self, cents: int, taxes: Iterable[tuple[Tax, int]]) -> None:
        self.left -= cents
        for tax, part in taxes:
            self.taxes_left[tax] -= part
        assert 0 <= self.left <= self.line.cents
        assert all(0 <= left <= self.taxes[tax] for tax, left in self.taxes_left.items())
