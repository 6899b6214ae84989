"""The lines of an invoice as a table."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.money import UnitPrice
from app.domain.taxes import TaxRate
from app.messages.invoice_tables import line_rows
from tests.factories.invoices import change_with_credit_kept, facts, lines_of_every_kind
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
        assert shown == ["Kansas sales tax", "266.05", "dollar", "0.0650", "17.29"]

    def test_each_of_several_taxes_has_a_row_and_what_is_given_back_names_its_invoice(self):
        invoice = an_invoice(lines=change_with_credit_kept())
        rows = table(invoice)
        assert [(row["Kind"], row["Amount"]) for row in rows[:3]] == [
            ("BASE", "239.00"),
            ("BASE_REVERSAL", "-119.00"),
            ("CREDIT_KEPT", "-20.00"),
        ]
        assert [[row[name] for name in ("Description", "Quantity", "Unit price", "Amount")] for row in rows[3:]] == [
            ["Kansas sales tax", "239.00", "0.0650", "15.54"],
            ["Wichita sales tax", "239.00", "0.0125", "2.99"],
            ["Kansas sales tax of the credit kept", "-20.00", "0.0650", "-1.30"],
            ["Wichita sales tax of the credit kept", "-20.00", "0.0125", "-0.25"],
            ["Kansas sales tax of invoice 100001: given back", "-119.00", "0.0650", "-7.74"],
            ["Wichita sales tax of invoice 100001: given back", "-119.00", "0.0125", "-1.49"],
        ]
        assert sum(Decimal(row["Amount"]) for row in rows).scaleb(2) == invoice.facts.total_cents

    @pytest.mark.parametrize(("rate", "shown"), [(88_750, "0.088750"), (92_500, "0.0925"), (100_000, "0.1000")])
    def test_a_rate_of_tax_has_six_decimals_where_it_needs_them(self, rate, shown):
        taxed = compute_invoice(facts("2026-08", taxes=(TaxRate("Tax", rate),))).lines
        assert table(an_invoice(lines=taxed))[-1]["Unit price"] == shown

    def test_a_rate_of_tax_of_an_old_invoice_is_shown_as_one_of_a_new(self):
        old = replace(lines_of_every_kind()[-1], unit="ten-thousandths", unit_price=UnitPrice(650))
        assert table(an_invoice(lines=[old]))[-1]["Unit price"] == "0.0650"
