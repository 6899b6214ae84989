"""Taxes of an invoice: each rounds once on what it applies to, and its cents belong to lines that can be reversed."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app.domain.invoice_lines import InvoiceLine, LineKind, TaxShare
from app.domain.money import UnitPrice, round_half_up, share_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date

    from app.domain.billed_lines import GiveBack
    from app.domain.periods import Period

ONE_PER_CENT = 10_000
"""A rate of 1 %: rates are in ten-thousandths of a per cent."""

WHOLE = 100 * ONE_PER_CENT
"""A rate of 100 %."""

TAX_UNIT = "percent"
"""The unit of a tax line; its unit price is the rate. Engine 1 wrote ten-thousandths of the amount instead."""


@dataclass(frozen=True, slots=True)
class TaxRate:
    """One tax: `rate` in ten-thousandths of a per cent (88,750 is 8.875 %), and the kinds of charge it applies to.

    No kinds means all of them.
    """

    name: str
    rate: int
    kinds: tuple[LineKind, ...] = ()

    def applies_to(self, line: InvoiceLine) -> bool:
        """Tell whether a charge is taxed by it; an adjustment counts as the usage that it adjusts."""
        return not self.kinds or line.usage_kind in self.kinds


@dataclass(frozen=True, slots=True)
class TaxList:
    """All the taxes that an account pays from a day on, until the next list begins; an empty one ends them."""

    valid_from: date
    taxes: tuple[TaxRate, ...] = ()


def taxes_in_force(lists: Iterable[TaxList], on: date) -> tuple[TaxRate, ...]:
    """Return the taxes of the newest list that has begun on the date; `lists` oldest first."""
    begun = [each.taxes for each in lists if each.valid_from <= on]
    return begun[-1] if begun else ()


def with_taxes(lines: Sequence[InvoiceLine], taxes: Iterable[TaxRate]) -> list[InvoiceLine]:
    """Return the lines with their shares of the taxes on what they charge.

    Each tax is rounded half up once, on the sum of the lines above zero that it applies to, and its cents are shared
    over them by largest remainder.
    """
    taxed = list(lines)
    for tax in taxes:
        places = [place for place, line in enumerate(lines) if line.amount_cents > 0 and tax.applies_to(line)]
        amounts = [lines[place].amount_cents for place in places]
        cents = round_half_up(sum(amounts) * tax.rate, WHOLE)
        for place, part in zip(places, share_out(cents, amounts), strict=True):
            if part:
                share = TaxShare(tax.name, tax.rate, part)
                taxed[place] = replace(taxed[place], taxes=(*taxed[place].taxes, share))
    return taxed


def tax_lines(
    period: Period, lines: Sequence[InvoiceLine], taxes: Iterable[TaxRate], given_back: Sequence[GiveBack]
) -> Iterator[InvoiceLine]:
    """Yield the tax lines of an invoice: one for each tax charged, then one for each that is given back of an invoice.

    `lines` carry their shares already. A tax that is zero in cents has no line.
    """
    for tax in taxes:
        cents = sum(s.cents for line in lines for s in line.taxes if s.cents > 0 and s[:2] == (tax.name, tax.rate))
        base = sum(line.amount_cents for line in lines if line.amount_cents > 0 and tax.applies_to(line))
        if cents:
            yield _tax_line(period, TaxShare(tax.name, tax.rate, cents), base)
    yield from _give_back_lines(period, given_back)


def _give_back_lines(period: Period, given_back: Iterable[GiveBack]) -> Iterator[InvoiceLine]:
    sums: defaultdict[tuple[int, str, int], list[int]] = defaultdict(lambda: [0, 0])
    for each in given_back:
        for share in each.taxes:
            found = sums[each.reverses or 0, share.name, share.rate]
            found[0] += share.cents
            found[1] += each.cents
    for (number, name, rate), (cents, base) in sorted(sums.items(), key=lambda item: item[0][0]):
        yield _tax_line(period, TaxShare(name, rate, -cents, number or None), -base)


def _tax_line(period: Period, share: TaxShare, taxed_cents: int) -> InvoiceLine:
    inputs: dict[str, int | str] = {"tax_name": share.name, "taxed_cents": taxed_cents}
    if share.reverses is not None:
        inputs["reverses"] = str(share.reverses)
    return InvoiceLine(LineKind.TAX, period, 1, TAX_UNIT, UnitPrice(share.rate), share.cents, 11, inputs)
