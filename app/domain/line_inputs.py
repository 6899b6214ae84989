"""What went into the arithmetic of an invoice line: each input with its key, and its name and value in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from app.domain.explanations import dollars, duration, invoice_words, is_issued, percent, rate, tax_rate_of
from app.domain.invoice_lines import LineKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.invoice_lines import InvoiceLine


class LineInput(NamedTuple):
    """One input: `key` never changes, `name` and `value` are for people."""

    key: str
    name: str
    value: str


def inputs_of(line: InvoiceLine) -> tuple[LineInput, ...]:
    """Return the quantity and the price of a line, then its stored inputs in their order (rule 28).

    An input that this release has no words for is shown as it is stored.
    """
    stored = [_stored(key, value) for key, value in line.inputs.items() if key not in _LEFT_OUT]
    return (*_quantity_and_price(line), *stored)


def _quantity_and_price(line: InvoiceLine) -> tuple[LineInput, ...]:
    if line.kind is LineKind.TAX:
        return (LineInput("tax_rate", "Rate", f"{percent(tax_rate_of(line))} %"),)
    if line.unit not in _UNITS:
        return ()
    quantity, price_unit = _UNITS[line.unit]
    return (
        LineInput("quantity", "Quantity", quantity(line.quantity)),
        LineInput("unit_price", "Unit price", f"{rate(line.unit_price)} a {price_unit}"),
    )


def _stored(key: str, value: int | str) -> LineInput:
    name = _NAMES.get(key, key)
    if key in _INVOICES and not is_issued(value):
        return LineInput(key, name, invoice_words(value))
    if isinstance(value, str):
        return LineInput(key, name, value)
    if key.endswith("_cents"):
        return LineInput(key, name, dollars(value))
    if key.endswith("_seconds"):
        return LineInput(key, name, duration(value))
    return LineInput(key, name, f"{value:,}")


def _months(quantity: int) -> str:
    return "1 month" if quantity == 1 else f"{quantity} months"


def _days(quantity: int) -> str:
    return "1 day" if quantity == 1 else f"{quantity} days"


_UNITS: dict[str, tuple[Callable[[int], str], str]] = {
    "month": (_months, "month"),
    "day": (_days, "day"),
    "second": (duration, "minute"),
}

_LEFT_OUT = frozenset({"plan", "item", "charge", "usage"})  # codes and ids, which a name beside them says better

_INVOICES = frozenset({"invoice", "reverses"})

_NAMES = {
    "plan_name": "Plan",
    "paid_days": "Paid days",
    "days": "Days in the month",
    "monthly_cents": "Price of a full month",
    "daily_cents": "Price of a day",
    "live_seconds": "Live time of the month",
    "allowance_seconds": "Included live time",
    "patch_seconds": "Patched time of the month",
    "ivr_seconds": "Automated (IVR) time of the month",
    "rated_cents": "What the month's usage costs now",
    "kept_cents": "Credit kept",
    "kept_from": "Kept from",
    "reverses": "Tax of invoice",
    "billed_cents": "Already billed for it",
    "item_name": "Item",
    "title": "Charge",
    "tax_name": "Tax",
    "taxed_cents": "Taxed amount",
    "invoice": "Invoice",
    "line": "Line of that invoice",
    "charged_cents": "Charged on that line",
    "credited_before_cents": "Given back before",
}
