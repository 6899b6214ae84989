"""A month's taxes by name and rate, read from the tax lines of every engine (rule 11)."""

from __future__ import annotations

import pytest

from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.ledger import PostingKind
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.reports import ReportMonth
from app.domain.tax_report import TaxKey, TaxLine, TaxSums, add_tax_lines, key_of, sums_of, tax_report

PERIOD = Period.parse("2026-11")
MONTH = ReportMonth(PERIOD, is_closed=True)
STATE, CITY = TaxKey("State", 65_000), TaxKey("City", 12_500)


def a_tax(
    amount_cents: int, taxed_cents: int, *, name: str = "State", rate: int = 65_000, unit: str = "percent", void=False
) -> TaxLine:
    inputs = {"tax_name": name, "taxed_cents": taxed_cents}
    return TaxLine(InvoiceLine(LineKind.TAX, PERIOD, 1, unit, UnitPrice(rate), amount_cents, 11, inputs), void)


class TestReading:
    @pytest.mark.parametrize(("unit", "price"), [("ten-thousandths", 650), ("percent", 65_000)])
    def test_a_rate_is_the_same_in_the_unit_of_each_engine(self, unit, price):
        assert key_of(a_tax(9_04, 139_00, rate=price, unit=unit).line) == STATE

    def test_a_line_of_another_kind_or_unit_is_no_tax(self):
        with pytest.raises(ValueError, match="'mills'"):
            key_of(a_tax(1, 1, unit="mills").line)
        with pytest.raises(ValueError, match="BASE"):
            key_of(InvoiceLine(LineKind.BASE, PERIOD, 1, "percent", UnitPrice(1), 1, 11))

    @pytest.mark.parametrize(
        ("line", "sums"),
        [
            (a_tax(9_04, 139_00), TaxSums(139_00, 9_04)),
            (a_tax(-6_50, -100_00), TaxSums(0, 0, 100_00, 6_50)),
            (a_tax(0, 3), TaxSums(3, 0)),
            (a_tax(0, -3), TaxSums(0, 0, 3, 0)),
            (a_tax(9_04, 139_00, void=True), TaxSums(0, 0, 139_00, 9_04)),
            (a_tax(-6_50, -100_00, void=True), TaxSums(0, 0, -100_00, -6_50)),
        ],
    )
    def test_what_is_below_zero_or_void_is_given_back(self, line, sums):
        assert sums_of(line) == sums


class TestReport:
    def test_by_name_and_rate_with_what_each_tax_leaves_out(self):
        """State and city tax on 139.00, state tax alone on 30.00, 20.00 of it credited, and 50.00 taxed by nobody."""
        lines = [
            a_tax(9_04, 139_00),
            a_tax(1_74, 139_00, name="City", rate=12_500),
            a_tax(1_95, 30_00),
            a_tax(-1_30, -20_00),
            a_tax(6_12, 87_43, rate=70_000),
        ]
        taxes = add_tax_lines(add_tax_lines({}, lines[:2]), lines[2:])
        total = 139_00 + 10_78 + 30_00 + 1_95 - 21_30 + 87_43 + 6_12 + 50_00

        found = tax_report(MONTH, taxes, total, {PostingKind.TAX_INVOICED: 18_85, PostingKind.TAX_CREDITED: 1_30})

        assert found.taxes == (
            (CITY, TaxSums(139_00, 1_74)),
            (STATE, TaxSums(169_00, 10_99, 20_00, 1_30)),
            (TaxKey("State", 70_000), TaxSums(87_43, 6_12)),
        )
        assert found.exempt_cents == {"City": 50_00 + 10_00 + 87_43, "State": 50_00}
        assert (found.tax_cents, found.posted_cents, found.agrees) == (17_55, 17_55, True)

    def test_a_month_in_which_a_void_takes_more_back_than_was_charged(self):
        taxes = add_tax_lines({}, [a_tax(9_04, 139_00, void=True)])

        found = tax_report(MONTH, taxes, -148_04, {PostingKind.TAX_VOIDED: 9_04, PostingKind.VOIDED: 139_00})

        assert (found.tax_cents, found.posted_cents, found.agrees) == (-9_04, -9_04, True)
        assert found.exempt_cents == {"State": 0}

    def test_a_posting_of_tax_that_no_invoice_charges_is_seen(self):
        found = tax_report(MONTH, {}, 139_00, {PostingKind.TAX_INVOICED: 1})

        assert (found.taxes, found.exempt_cents, found.agrees) == ((), {"": 139_00}, False)
