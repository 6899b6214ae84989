"""Why a line costs what it costs, in one sentence built from its stored inputs when it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.domain.invoice_lines import LineKind
from app.domain.money import UNIT_PRICE_PER_CENT
from app.domain.taxes import ONE_PER_CENT, TAX_UNIT

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.domain.invoice_lines import InvoiceLine


OLD_RATE_SCALE = 100
"""A rate of engine 1, in ten-thousandths of the amount, is a hundredth of one in ten-thousandths of a per cent."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """A line in words: what it is, and the arithmetic that leads to its amount."""

    title: str
    arithmetic: str


def explain(line: InvoiceLine) -> Explanation:
    """Return the words for a line; amounts in dollars, durations in minutes and seconds."""
    return Explanation(_TITLES[line.kind](line), _ARITHMETIC[line.kind](line))


def dollars(cents: int) -> str:
    """Return an amount as `$1,234.50`, with a leading minus where it is negative."""
    sign = "-" if cents < 0 else ""
    whole, rest = divmod(abs(cents), 100)
    return f"{sign}${whole:,}.{rest:02d}"


def rate(ten_thousandths: int) -> str:
    """Return a unit price as `$1.29`, with more decimals only where it has them."""
    cents, rest = divmod(ten_thousandths, UNIT_PRICE_PER_CENT)
    return dollars(cents) + (f"{rest:02d}" if rest else "")


def duration(seconds: int) -> str:
    """Return a duration as `3,717 min 22 s`."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes:,} min {rest} s" if rest else f"{minutes:,} min"


def percent(rate: int) -> str:
    """Return a tax rate, in ten-thousandths of a per cent, as a percentage without its sign: `8.875` or `7`."""
    whole, rest = divmod(rate, ONE_PER_CENT)
    return f"{whole}.{rest:04d}".rstrip("0").rstrip(".")


def tax_rate_of(line: InvoiceLine) -> int:
    """Return the rate of a tax line in ten-thousandths of a per cent; engine 1 wrote ten-thousandths of the amount."""
    return line.unit_price if line.unit == TAX_UNIT else line.unit_price * OLD_RATE_SCALE


def _base_title(line: InvoiceLine) -> str:
    return f"{line.inputs['plan_name']} plan, {line.period.starts_on:%B %Y}"


def _month_arithmetic(line: InvoiceLine) -> str:
    if line.unit == "month":
        return f"1 month at {rate(line.unit_price)}"
    inputs = line.inputs
    return (
        f"{dollars(int(inputs['monthly_cents']))} / {inputs['days']} days = {rate(line.unit_price)} a day; "
        f"{line.quantity} paid days × {rate(line.unit_price)} = {dollars(line.amount_cents)}"
    )


def is_issued(number: int | str) -> bool:
    """Tell whether a line names an invoice that has been issued; a forecast also names those yet to come."""
    return int(number) > 0


def invoice_words(number: int | str) -> str:
    """Return the invoice that a line names in words."""
    return f"invoice {number}" if is_issued(number) else "an invoice to come"


def reversed_number(line: InvoiceLine) -> str | None:
    """Return the number of the issued invoice whose tax a line gives back, if it gives one back."""
    number = line.inputs.get("reverses")
    return None if number is None or not is_issued(number) else str(number)


def _reversal_title(line: InvoiceLine) -> str:
    return f"{line.inputs['plan_name']} plan, {line.period.starts_on:%B %Y}: given back"


def _reversal_arithmetic(line: InvoiceLine) -> str:
    billed = dollars(-line.amount_cents)
    if "line" not in line.inputs:
        return f"what was billed for the month before the change: {billed}"
    place = f"line {line.inputs['line']} of {invoice_words(line.inputs['invoice'])}"
    if "charged_cents" not in line.inputs:
        return f"{place} charged {billed}"
    return f"{place} charged {dollars(int(line.inputs['charged_cents']))}; {billed} of it was still billed"


def _kept_title(line: InvoiceLine) -> str:
    return f"Credit kept from {line.inputs['kept_from']}"


def _kept_arithmetic(line: InvoiceLine) -> str:
    return f"this much of it stays off the new price: {dollars(-line.amount_cents)}"


def _item_title(line: InvoiceLine) -> str:
    return f"{line.inputs['item_name']}, {line.period.starts_on:%B %Y}"


def _charge_title(line: InvoiceLine) -> str:
    return str(line.inputs["title"])


def _charge_arithmetic(line: InvoiceLine) -> str:
    return dollars(line.amount_cents)


def _correction_arithmetic(line: InvoiceLine) -> str:
    charged, before = int(line.inputs["charged_cents"]), int(line.inputs["credited_before_cents"])
    given = f"given back now {dollars(-line.amount_cents)}"
    return f"charged {dollars(charged)}, " + (f"given back before {dollars(before)}, {given}" if before else given)


def _tax_title(line: InvoiceLine) -> str:
    name = str(line.inputs["tax_name"])
    if "reverses" in line.inputs:
        return f"{name} of {invoice_words(line.inputs['reverses'])}: given back"
    is_of_kept = line.unit == TAX_UNIT and line.amount_cents < 0  # engine 1 had one line for all that it taxed
    return f"{name} of the credit kept" if is_of_kept else name


def _tax_arithmetic(line: InvoiceLine) -> str:
    rate_words, taxed_cents = f"{percent(tax_rate_of(line))} %", int(line.inputs["taxed_cents"])
    if "reverses" in line.inputs:
        return f"{rate_words} charged on {dollars(-taxed_cents)}: {dollars(line.amount_cents)}"
    return f"{rate_words} of {dollars(taxed_cents)} = {dollars(line.amount_cents)}"


def _overage_title(line: InvoiceLine) -> str:
    return f"Minutes above the allowance of {line.inputs['plan_name']}, {line.period.starts_on:%B %Y}"


def _overage_arithmetic(line: InvoiceLine) -> str:
    live, allowance = int(line.inputs["live_seconds"]), int(line.inputs["allowance_seconds"])
    return f"{duration(live)} live - {duration(allowance)} included = {_metered(line)}"


def _patch_title(line: InvoiceLine) -> str:
    return f"Patched calls, {line.period.starts_on:%B %Y}"


def _ivr_title(line: InvoiceLine) -> str:
    return f"Automated (IVR) time, {line.period.starts_on:%B %Y}"


def _metered(line: InvoiceLine) -> str:
    return f"{duration(line.quantity)} × {rate(line.unit_price)} a minute = {dollars(line.amount_cents)}"


def _adjustment_title(line: InvoiceLine) -> str:
    what = _ADJUSTED.get(str(line.inputs.get("usage")), "calls")
    return f"Correction for {line.period.starts_on:%B %Y}: {what} that reached us after its invoice"


def _adjustment_arithmetic(line: InvoiceLine) -> str:
    rated, billed = int(line.inputs["rated_cents"]), int(line.inputs["billed_cents"])
    kept = int(line.inputs.get("kept_cents", 0))
    stays = f" - credit kept from {line.inputs['kept_from']} {dollars(kept)}" if kept else ""
    said = f"usage of the month {dollars(rated)}{stays} - already billed {dollars(billed)}"
    return f"{said} = {dollars(line.amount_cents)}"


_ADJUSTED: dict[str, str] = {
    LineKind.OVERAGE: "minutes above the allowance",
    LineKind.PATCH: "patched calls",
    LineKind.IVR: "automated (IVR) time",
}


_TITLES: dict[LineKind, Callable[[InvoiceLine], str]] = {
    LineKind.BASE: _base_title,
    LineKind.BASE_REVERSAL: _reversal_title,
    LineKind.CREDIT_KEPT: _kept_title,
    LineKind.ADD_ON: _item_title,
    LineKind.ADDITIONAL_LINE: _item_title,
    LineKind.OVERAGE: _overage_title,
    LineKind.PATCH: _patch_title,
    LineKind.IVR: _ivr_title,
    LineKind.ADJUSTMENT: _adjustment_title,
    LineKind.CHARGE: _charge_title,
    LineKind.LATE_FEE: _charge_title,
    LineKind.CORRECTION: _charge_title,
    LineKind.TAX: _tax_title,
}

_ARITHMETIC: dict[LineKind, Callable[[InvoiceLine], str]] = {
    LineKind.BASE: _month_arithmetic,
    LineKind.BASE_REVERSAL: _reversal_arithmetic,
    LineKind.CREDIT_KEPT: _kept_arithmetic,
    LineKind.ADD_ON: _month_arithmetic,
    LineKind.ADDITIONAL_LINE: _month_arithmetic,
    LineKind.OVERAGE: _overage_arithmetic,
    LineKind.PATCH: _metered,
    LineKind.IVR: _metered,
    LineKind.ADJUSTMENT: _adjustment_arithmetic,
    LineKind.CHARGE: _charge_arithmetic,
    LineKind.LATE_FEE: _charge_arithmetic,
    LineKind.CORRECTION: _correction_arithmetic,
    LineKind.TAX: _tax_arithmetic,
}
