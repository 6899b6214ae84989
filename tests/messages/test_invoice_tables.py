"""The lines of an invoice as a table."""

from __future__ import annotations

from decimal import Decimal

from app.domain.invoices import LineKind
from app.messages.invoice_tables import line_rows
from tests.factories.invoices import lines_of_every_kind
from tests.factories.issued import an_invoice


def table(invoice):
    header, *rows = line_rows(invoice)
    return [dict(zip(header, row, strict=True)) for row in rows]


class TestLineRows:
    def test_every_kind_of_line_has_a_row_and_all_add_up_to_the_total(self):
        invoice = an_invoice(lines=lines_of_every_kind())
        rows = table(invoice)
        assert [row["Kind"] for row in rows] == list(LineKind)
        assert sum(Decimal(row["Amount"]) for row in rows).scaleb(2) == invoice.facts.total_cents
        assert all(row["Description"] and row["Arithmetic"] for row in rows)

    def test_tax_is_a_rate_on_each_dollar_of_what_is_taxed(self):
        tax = table(an_invoice(lines=lines_of_every_kind()))[-1]
        shown = [tax[name] for name in ("Description", "Quantity", "Unit", "Unit price", "Amount")]
        assert shown == ["Kansas sales tax", "267.30", "dollar", "0.0650", "17.37"]
