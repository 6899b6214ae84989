"""The inputs of a line in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.line_inputs import LineInput, inputs_of
from app.domain.money import UnitPrice
from tests.factories.calls import usage
from tests.factories.invoices import (
    SALES_TAX,
    a_charge,
    a_correction,
    a_line,
    a_used_month,
    an_item,
    billed_base,
    facts,
    lines_of_every_kind,
)
from tests.factories.plans import a_220_plan
from tests.factories.positions import billed_usage, books_of, credited
from tests.factories.positions import used as used_line


def words(line):
    return {key: f"{name}: {value}" for key, name, value in inputs_of(line)}


def line_of(kind, /, **options):
    return next(line for line in compute_invoice(facts(**options)).lines if line.kind is kind)


class TestInputsOf:
    def test_a_full_month_are_its_price_and_plan(self):
        assert words(line_of(LineKind.BASE)) == {
            "quantity": "Quantity: 1 month",
            "unit_price": "Unit price: $139.00 a month",
            "plan_name": "Plan: 100 Minutes",
            "paid_days": "Paid days: 31",
            "days": "Days in the month: 31",
        }

    def test_a_partial_month_are_its_days(self):
        """Rule 9: $139.00 / 30 days = $4.63, 20 days."""
        line = line_of(LineKind.BASE, month="2026-09", paid_starts_on=date(2026, 9, 11))

        assert (
            words(line).items()
            >= {
                "quantity": "Quantity: 20 days",
                "unit_price": "Unit price: $4.63 a day",
                "monthly_cents": "Price of a full month: $139.00",
                "daily_cents": "Price of a day: $4.63",
            }.items()
        )

    def test_one_day_is_a_day(self):
        line = line_of(LineKind.BASE, month="2026-09", paid_starts_on=date(2026, 9, 30))
        assert words(line)["quantity"] == "Quantity: 1 day"

    def test_usage_are_times(self):
        used = (a_used_month(usage=usage(live_minutes=110, live_seconds=30, patch_seconds=450)),)

        assert (
            words(line_of(LineKind.OVERAGE, used=used)).items()
            >= {
                "quantity": "Quantity: 10 min 30 s",
                "unit_price": "Unit price: $1.29 a minute",
                "live_seconds": "Live time of the month: 110 min 30 s",
                "allowance_seconds": "Included live time: 100 min",
            }.items()
        )
        assert words(line_of(LineKind.PATCH, used=used)) == {
            "quantity": "Quantity: 7 min 30 s",
            "unit_price": "Unit price: $0.10 a minute",
        }

    def test_a_correction_are_both_sides_of_the_difference(self):
        used = (
            a_used_month("2026-09"),
            a_used_month("2026-08", usage=usage(ivr_seconds=600), billed=billed_usage(ivr=50)),
        )
        found = words(line_of(LineKind.ADJUSTMENT, used=used))

        assert "quantity" not in found
        assert found == {
            "plan_name": "Plan: 100 Minutes",
            "ivr_seconds": "Automated (IVR) time of the month: 10 min",
            "rated_cents": "What the month's usage costs now: $1.50",
            "billed_cents": "Already billed for it: $0.50",
        }

    def test_a_correction_beside_a_credit_note_are_the_credit_that_is_kept_and_its_name(self):
        """Rule 25: $12.90 billed and $2.90 of it credited; now 20 minutes over."""
        billed = books_of(used_line(12_90), credited(2_90)).usage(date(2026, 10, 1))
        late = a_used_month("2026-08", usage=usage(live_minutes=120), billed=billed)
        assert words(line_of(LineKind.ADJUSTMENT, used=(late,))) == {
            "plan_name": "Plan: 100 Minutes",
            "live_seconds": "Live time of the month: 120 min",
            "allowance_seconds": "Included live time: 100 min",
            "rated_cents": "What the month's usage costs now: $25.80",
            "billed_cents": "Already billed for it: $10.00",
            "kept_cents": "Credit kept: $2.90",
            "kept_from": "Kept from: credit note 100002",
        }

    def test_what_is_given_back_has_a_plan_and_its_line_and_no_quantity(self):
        change = {"kind": InvoiceKind.PLAN_CHANGE, "plan": a_220_plan(), "billed_base": billed_base()}
        assert words(line_of(LineKind.BASE_REVERSAL, **change)) == {
            "plan_name": "Plan: 100 Minutes",
            "invoice": "Invoice: 100001",
            "line": "Line of that invoice: 1",
        }

    def test_what_is_given_back_of_a_line_that_was_credited_in_part_says_what_it_had_charged(self):
        billed = billed_base(credited_cents=20_00)
        change = {"kind": InvoiceKind.PLAN_CHANGE, "plan": a_220_plan(), "billed_base": billed}
        assert words(line_of(LineKind.BASE_REVERSAL, **change))["charged_cents"] == "Charged on that line: $139.00"
        assert words(line_of(LineKind.CREDIT_KEPT, **change)) == {
            "plan_name": "Plan: 220 Minutes",
            "kept_from": "Kept from: credit note 100002",
        }

    def test_an_add_on_of_part_of_a_month_are_its_name_and_its_days(self):
        """Rule 22."""
        line = line_of(LineKind.ADD_ON, month="2026-09", recurring=(an_item(first_day=date(2026, 9, 11)),))
        assert words(line) == {
            "quantity": "Quantity: 20 days",
            "unit_price": "Unit price: $0.83 a day",
            "item_name": "Item: On-Call",
            "paid_days": "Paid days: 20",
            "days": "Days in the month: 30",
            "monthly_cents": "Price of a full month: $25.00",
            "daily_cents": "Price of a day: $0.83",
        }

    def test_a_single_charge_is_its_title(self):
        assert words(line_of(LineKind.CHARGE, charges=(a_charge(),))) == {"title": "Charge: Script rewritten"}

    def test_what_a_credit_note_gives_back_are_the_invoice_and_its_line(self):
        assert words(a_correction(credited_before_cents=20_00)) == {
            "title": "Charge: Credit on invoice 100001: 100 Minutes plan, October 2026",
            "invoice": "Invoice: 100001",
            "line": "Line of that invoice: 1",
            "charged_cents": "Charged on that line: $139.00",
            "credited_before_cents": "Given back before: $20.00",
        }

    def test_tax_are_its_rate_and_what_it_is_on(self):
        assert words(line_of(LineKind.TAX, taxes=(SALES_TAX,))) == {
            "tax_rate": "Rate: 6.5 %",
            "tax_name": "Tax: Kansas sales tax",
            "taxed_cents": "Taxed amount: $139.00",
        }

    def test_tax_that_is_given_back_are_the_invoice_that_had_charged_it_as_well(self):
        change = {
            "kind": InvoiceKind.PLAN_CHANGE,
            "plan": a_220_plan(),
            "billed_base": billed_base(taxes=(SALES_TAX,)),
        }
        assert words(line_of(LineKind.TAX, **change)) == {
            "tax_rate": "Rate: 6.5 %",
            "tax_name": "Tax: Kansas sales tax",
            "taxed_cents": "Taxed amount: -$139.00",
            "reverses": "Tax of invoice: 100001",
        }

    def test_tax_of_an_invoice_of_engine_1_has_the_same_rate_in_words(self):
        old = replace(line_of(LineKind.TAX, taxes=(SALES_TAX,)), unit="ten-thousandths", unit_price=UnitPrice(650))
        assert words(old)["tax_rate"] == "Rate: 6.5 %"

    def test_of_every_kind_have_names(self):
        assert [key for line in lines_of_every_kind() for key, name, _ in inputs_of(line) if name == key] == []

    def test_several_months_and_inputs_without_words_are_shown_as_they_are(self):
        line = replace(a_line(), quantity=2, inputs={"seats": 1_200, "plan": "100"})
        assert inputs_of(line)[0] == LineInput("quantity", "Quantity", "2 months")
        assert inputs_of(line)[2:] == (LineInput("seats", "seats", "1,200"),)
