"""Which type of the schema a line of an invoice is shown as, by its kind."""

from collections.abc import Callable
from datetime import date

import strawberry

from app.domain.explanations import explain, percent, reversed_number, tax_rate_of
from app.domain.invoice_lines import LineKind
from app.graphql.types.common import Period
from app.graphql.types.duration import Duration
from app.graphql.types.invoice_line import (
    AddOnLine,
    AdjustmentLine,
    ChargeLine,
    InvoiceLine,
    PlanLine,
    TaxLine,
    UsageLine,
)
from app.graphql.types.money import Money
from app.graphql.types.plan import UnitPrice
from app.graphql.types.underlying_calls import MonthUsage
from app.views import invoices as views


def lines_of(invoice: views.Invoice) -> list[InvoiceLine]:
    """Return the lines of an invoice for clients."""
    months: dict[date, MonthUsage] = {}
    return [line_of(placed, months) for placed in invoice.lines]


def line_of(placed: views.PlacedLine, months: dict[date, MonthUsage]) -> InvoiceLine:
    """Return a line for clients, as the type of its kind; `months` holds what lines of the invoice read together."""
    line, behind = placed.line, placed.behind
    shared = {
        "id": strawberry.ID(placed.id),
        "kind": line.kind,
        "display_name": explain(line).title,
        "amount": Money.of(line.amount_cents),
        "period": Period.of(line.period),
        "line": line,
    }
    if behind is not None:
        shared |= {"behind": behind, "month": months.setdefault(line.period.starts_on, MonthUsage(behind))}
    make, own = KIND_TYPES[line.kind]
    return make(**shared, **own(placed))


_LineFields = Callable[[views.PlacedLine], dict[str, object]]


def _plan_fields(placed: views.PlacedLine) -> dict[str, object]:
    inputs = placed.line.inputs
    return {"plan_code": inputs["plan"], "plan_name": inputs["plan_name"], "paid_days": placed.paid_days}


def _add_on_fields(placed: views.PlacedLine) -> dict[str, object]:
    inputs = placed.line.inputs
    return {"add_on_code": inputs["item"], "add_on_name": inputs["item_name"], "paid_days": placed.paid_days}


def _usage_fields(placed: views.PlacedLine) -> dict[str, object]:
    return {"quantity": Duration.of(placed.line.quantity), "rate": UnitPrice.of(placed.line.unit_price)}


def _adjustment_fields(placed: views.PlacedLine) -> dict[str, object]:
    rated, billed = int(placed.line.inputs["rated_cents"]), int(placed.line.inputs["billed_cents"])
    usage, kept = placed.line.inputs.get("usage"), int(placed.line.inputs.get("kept_cents", 0))
    return {
        "usage_kind": None if usage is None else LineKind(str(usage)),
        "month_charges": Money.of(rated),
        "credit_kept": Money.of(kept),
        "already_billed": Money.of(billed),
    }


def _charge_fields(_: views.PlacedLine) -> dict[str, object]:
    return {"corrects": None, "corrects_number": None}


def _correction_fields(placed: views.PlacedLine) -> dict[str, object]:
    return {"corrects": placed.invoice.corrects_id, "corrects_number": placed.line.inputs["invoice"]}


def _tax_fields(placed: views.PlacedLine) -> dict[str, object]:
    line = placed.line
    taxed = Money.of(int(line.inputs["taxed_cents"]))
    return {
        "tax_name": line.inputs["tax_name"],
        "percentage": percent(tax_rate_of(line)),
        "taxed": taxed,
        "reverses_number": reversed_number(line),
    }


LINE_TYPES = (PlanLine, AddOnLine, UsageLine, AdjustmentLine, ChargeLine, TaxLine)

KIND_TYPES: dict[LineKind, tuple[Callable[..., InvoiceLine], _LineFields]] = {
    LineKind.BASE: (PlanLine, _plan_fields),
    LineKind.BASE_REVERSAL: (PlanLine, _plan_fields),
    LineKind.CREDIT_KEPT: (ChargeLine, _charge_fields),
    LineKind.ADD_ON: (AddOnLine, _add_on_fields),
    LineKind.ADDITIONAL_LINE: (AddOnLine, _add_on_fields),
    LineKind.OVERAGE: (UsageLine, _usage_fields),
    LineKind.PATCH: (UsageLine, _usage_fields),
    LineKind.IVR: (UsageLine, _usage_fields),
    LineKind.ADJUSTMENT: (AdjustmentLine, _adjustment_fields),
    LineKind.CHARGE: (ChargeLine, _charge_fields),
    LineKind.LATE_FEE: (ChargeLine, _charge_fields),
    LineKind.CORRECTION: (ChargeLine, _correction_fields),
    LineKind.TAX: (TaxLine, _tax_fields),
}
