"""The tables of an invoice: its lines, and the calls that it is about."""

from __future__ import annotations

from datetime import UTC
from decimal import Decimal
from typing import TYPE_CHECKING

from app.domain.explanations import OLD_RATE_SCALE, explain, tax_rate_of
from app.domain.invoice_lines import LineKind
from app.domain.money import CURRENCY
from app.domain.periods import BILLING_ZONE, ZONE_NAME, day_before
from app.messages.tables import Figure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from app.domain.invoice_lines import InvoiceLine
    from app.views.calls import Call
    from app.views.invoices import Invoice, PlacedLine

LINE_COLUMNS = (
    "Invoice",
    "Account",
    "Line",
    "Kind",
    "Description",
    "First day",
    "Last day",
    "Quantity",
    "Unit",
    "Unit price",
    "Amount",
    "Currency",
    "Arithmetic",
)

CALL_COLUMNS = (
    "Part of the invoice",
    "Billing date",
    f"Began at ({ZONE_NAME})",
    "Began at (UTC)",
    "Live seconds",
    "Script seconds",
    "Recording seconds",
    "Patch seconds",
    "IVR seconds",
    "Disposition",
    "Billed",
    "Corrected",
    "Call",
    "Corrects call",
)


def line_rows(invoice: Invoice) -> Iterator[tuple[str, ...]]:
    """Yield the header, then one row a line; amounts add up to the invoice's total."""
    yield LINE_COLUMNS
    for placed in invoice.lines:
        yield _line_row(invoice, placed)


def call_rows(part: str, calls: Iterable[Call]) -> Iterator[tuple[str, ...]]:
    """Yield one row a call; `part` says which part of the invoice the calls belong to."""
    for call in calls:
        yield _call_row(part, call)


def _line_row(invoice: Invoice, placed: PlacedLine) -> tuple[str, ...]:
    line, words = placed.line, explain(placed.line)
    quantity, unit = _quantity(line)
    return (
        Figure(invoice.facts.number),
        invoice.facts.account_name,
        Figure(placed.position),
        line.kind,
        words.title,
        Figure(line.period.starts_on),
        Figure(day_before(line.period.ends_before)),
        quantity,
        unit,
        Figure(_unit_price(line)),
        Figure(Decimal(line.amount_cents).scaleb(-2)),
        CURRENCY,
        words.arithmetic,
    )


def _quantity(line: InvoiceLine) -> tuple[Figure, str]:
    """Return how much of which unit the price is for; a rate of tax is for each dollar of what is taxed."""
    if line.kind is LineKind.TAX:
        return Figure(Decimal(int(line.inputs["taxed_cents"])).scaleb(-2)), "dollar"
    return Figure(line.quantity), line.unit


def _unit_price(line: InvoiceLine) -> Decimal:
    """Return the dollars for one unit with four decimals; a rate of tax has six where it needs them."""
    if line.kind is not LineKind.TAX:
        return Decimal(line.unit_price).scaleb(-4)
    whole, rest = divmod(tax_rate_of(line), OLD_RATE_SCALE)
    return Decimal(tax_rate_of(line)).scaleb(-6) if rest else Decimal(whole).scaleb(-4)


def _call_row(part: str, call: Call) -> tuple[str, ...]:
    return (
        part,
        Figure(call.on),
        Figure(call.started_at.astimezone(BILLING_ZONE).replace(tzinfo=None).isoformat(" ", "seconds")),
        Figure(call.started_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="seconds") + "Z"),
        Figure(call.live_seconds),
        Figure(call.script_seconds),
        Figure(call.recording_seconds),
        Figure(call.patch_seconds),
        Figure(call.ivr_seconds),
        call.disposition,
        "yes" if call.is_billed else "no",
        "yes" if call.is_corrected else "no",
        call.id,
        call.corrects_id or "",
    )
