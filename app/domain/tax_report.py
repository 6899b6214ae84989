"""What a month's invoices say of taxes, by name and rate: what was taxed, what was not, and what was given back."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from app.domain.invoice_lines import LineKind
from app.domain.ledger import Book, Posting, PostingKind, moved_cents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from app.domain.invoice_lines import InvoiceLine
    from app.domain.reports import ReportMonth

RATE_UNITS = {"ten-thousandths": 100, "percent": 1}
"""How many ten-thousandths of a per cent one unit of a tax line's price is, by the line's unit.

The first engine wrote 6.5 % as 650, later ones write it as 65,000.
"""


class TaxKey(NamedTuple):
    """A tax at one rate, which is in ten-thousandths of a per cent: 65,000 is 6.5 %."""

    name: str
    rate: int


class TaxSums(NamedTuple):
    """Cents of one tax: what it was charged on, its cents, and both of what was given back, above zero."""

    taxable_cents: int = 0
    charged_cents: int = 0
    base_back_cents: int = 0
    tax_back_cents: int = 0

    def plus(self, other: TaxSums) -> TaxSums:
        """Return the sum of both."""
        return TaxSums(*map(sum, zip(self, other, strict=True)))

    @property
    def base_cents(self) -> int:
        """What it was charged on, less what was given back of that."""
        return self.taxable_cents - self.base_back_cents

    @property
    def tax_cents(self) -> int:
        """What was charged, less what was given back."""
        return self.charged_cents - self.tax_back_cents


class TaxLine(NamedTuple):
    """A tax line in a month: of an invoice issued in it, or of one that was issued earlier and voided in it."""

    line: InvoiceLine
    is_void: bool


def key_of(line: InvoiceLine) -> TaxKey:
    """Return which tax a tax line is of, whichever engine wrote it.

    :raises ValueError: when its unit is none that an engine has written.
    """
    if line.kind is not LineKind.TAX or line.unit not in RATE_UNITS:
        raise ValueError(f"A line of kind {line.kind} in {line.unit!r} is not of a tax.")
    return TaxKey(str(line.inputs["tax_name"]), line.unit_price * RATE_UNITS[line.unit])


def sums_of(tax_line: TaxLine) -> TaxSums:
    """Return what a tax line adds to its tax: to what is charged, or to what is given back where it is below zero.

    The whole tax of an invoice that was voided is given back; what it had given back itself lowers that.
    """
    line = tax_line.line
    base_cents, tax_cents = abs(int(line.inputs["taxed_cents"])), abs(line.amount_cents)
    gives_back = (line.amount_cents or int(line.inputs["taxed_cents"])) < 0
    if tax_line.is_void:
        sign = -1 if gives_back else 1
        return TaxSums(0, 0, sign * base_cents, sign * tax_cents)
    return TaxSums(0, 0, base_cents, tax_cents) if gives_back else TaxSums(base_cents, tax_cents)


def add_tax_lines(taxes: Mapping[TaxKey, TaxSums], lines: Iterable[TaxLine]) -> dict[TaxKey, TaxSums]:
    """Return the sums of each tax with those of more lines."""
    found = dict(taxes)
    for each in lines:
        key = key_of(each.line)
        found[key] = found.get(key, TaxSums()).plus(sums_of(each))
    return found


@dataclass(frozen=True, slots=True)
class TaxReport:
    """The taxes of the invoices issued in a month, in the order of name and rate.

    `exempt_cents`, by name of a tax: what these invoices charge without it, less what they give back of such; all of it
    under no name in a month without a tax. An
    invoice that is voided in the month that it was issued in counts for nothing; one that is voided later counts as
    issued in its month, and as given back in the month of the void. `posted_cents` is by how much the book of tax
    payable rose in the month.
    """

    month: ReportMonth
    taxes: tuple[tuple[TaxKey, TaxSums], ...]
    exempt_cents: Mapping[str, int]
    posted_cents: int

    @property
    def tax_cents(self) -> int:
        """What is charged less what is given back, of all taxes."""
        return sum(sums.tax_cents for _, sums in self.taxes)

    @property
    def agrees(self) -> bool:
        """Whether the tax payable in the journal rose by what the invoices say."""
        return self.tax_cents == self.posted_cents


def tax_report(
    month: ReportMonth, taxes: Mapping[TaxKey, TaxSums], total_cents: int, posted: Mapping[PostingKind, int]
) -> TaxReport:
    """Return the report of a month from the sums of its taxes, the totals of its invoices and its postings by kind.

    `total_cents`: all invoices issued in the month, tax included, less those issued earlier and voided in it.
    """
    charged_cents = total_cents - sum(sums.tax_cents for sums in taxes.values())
    bases: Counter[str] = Counter()
    for key, sums in taxes.items():
        bases[key.name] += sums.base_cents
    exempt_cents = {name: charged_cents - bases[name] for name in sorted(bases) or [""]}
    posted_cents = -sum(moved_cents(Posting(kind, cents), Book.TAX_PAYABLE) for kind, cents in posted.items())
    return TaxReport(month, tuple(sorted(taxes.items())), exempt_cents, posted_cents)
