"""The lines of an invoice: what each charges or gives back, with the inputs that explain it and its taxes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from app.domain.money import UnitPrice
    from app.domain.periods import Period


class LineKind(StrEnum):
    """What a line charges, in the order of an invoice (rule 11)."""

    BASE = "BASE"
    BASE_REVERSAL = "BASE_REVERSAL"
    CREDIT_KEPT = "CREDIT_KEPT"
    ADD_ON = "ADD_ON"
    ADDITIONAL_LINE = "ADDITIONAL_LINE"
    OVERAGE = "OVERAGE"
    PATCH = "PATCH"
    IVR = "IVR"
    ADJUSTMENT = "ADJUSTMENT"
    CHARGE = "CHARGE"
    LATE_FEE = "LATE_FEE"
    CORRECTION = "CORRECTION"
    TAX = "TAX"


USAGE_KINDS = (LineKind.OVERAGE, LineKind.PATCH, LineKind.IVR)
"""The kinds of usage of a month; each is rated on its own."""

BASE_LINE_KINDS = (LineKind.BASE, LineKind.BASE_REVERSAL, LineKind.CREDIT_KEPT)
"""The kinds of line that together bill the base of a month (rule 18)."""

USAGE_LINE_KINDS = (*USAGE_KINDS, LineKind.ADJUSTMENT)
"""The kinds of line that together bill the usage of a month."""

TAXABLE_KINDS = (
    LineKind.BASE,
    LineKind.ADD_ON,
    LineKind.ADDITIONAL_LINE,
    *USAGE_KINDS,
    LineKind.CHARGE,
    LineKind.LATE_FEE,
)
"""The kinds of charge that a tax can name; an adjustment counts as the usage that it adjusts."""


class TaxShare(NamedTuple):
    """The part of one tax that belongs to a line; `rate` in ten-thousandths of a per cent, cents below zero given back.

    `reverses` is the number of the invoice that had billed what is given back; None on a charge.
    """

    name: str
    rate: int
    cents: int
    reverses: int | None = None


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One charge, with the inputs that explain it; `amount_cents` is negative where the customer gets money back.

    `quantity` is in `unit` ("month", "day", "second", "correction" …); `unit_price` is for one month or day, for a
    minute where the unit is seconds, and the rate of a tax. `rule` is the number of the billing rule. `inputs` are
    integers and short texts. `taxes` are the line's shares of the taxes of its invoice, none on a tax line itself.
    """

    kind: LineKind
    period: Period
    quantity: int
    unit: str
    unit_price: UnitPrice
    amount_cents: int
    rule: int
    inputs: Mapping[str, int | str] = field(default_factory=dict)
    taxes: tuple[TaxShare, ...] = ()

    @property
    def usage_kind(self) -> LineKind:
        """The kind of usage that an adjustment adjusts (overage on one of engine 1); any other line's own kind."""
        return (
            LineKind(str(self.inputs.get("usage", LineKind.OVERAGE))) if self.kind is LineKind.ADJUSTMENT else self.kind
        )
