"""What an invoice bills besides the plan: single charges, tax, the last month of an account (rules 4, 11, 27)."""

from __future__ import annotations

import pytest

from app.domain.billing_items import TaxRate
from app.domain.invoices import InvoiceKind, LineKind, compute_invoice
from tests.factories.calls import usage
from tests.factories.invoices import SALES_TAX, a_charge, a_late_fee, a_used_month, an_item, facts


def drafted(**given_facts):
    return compute_invoice(facts(**given_facts))


def charges(draft):
    return [(line.kind, line.period.month, line.amount_cents) for line in draft.lines]


class TestSingleCharges:
    def test_carry_the_words_that_the_customer_reads(self):
        line = drafted(charges=(a_charge(),)).lines[1]
        assert (line.quantity, line.unit, line.unit_price) == (1, "charge", 40_0000)
        assert line.inputs == {"charge": "chg_1", "title": "Script rewritten"}

    def test_stand_in_the_order_in_which_they_were_added(self):
        draft = drafted(charges=(a_charge(number=2, amount_cents=3_00), a_late_fee(), a_charge(number=1)))
        assert [amount for _, _, amount in charges(draft)[1:]] == [3_00, 25_00, 40_00]


class TestTax:
    """Rule 11: a line of its own, after all that it is on."""

    def test_is_on_everything_that_the_invoice_charges(self):
        draft = drafted(recurring=(an_item(),), charges=(a_charge(),), tax=SALES_TAX)
        line = draft.lines[-1]
        assert (line.kind, line.quantity, line.unit, line.unit_price) == (LineKind.TAX, 1, "ten-thousandths", 650)
        assert line.inputs == {"tax_name": "Kansas sales tax", "taxed_cents": 204_00}
        assert (draft.tax_cents, draft.total_cents) == (13_26, 217_26)

    @pytest.mark.parametrize(
        ("taxed_cents", "ten_thousandths", "tax_cents"),
        [(1_00, 650, 7), (1_00, 649, 6), (100, 50, 1), (100, 49, 0), (-1_00, 650, -7), (-1_00, 649, -6)],
    )
    def test_rule_4_is_rounded_half_up_once_away_from_zero(self, taxed_cents, ten_thousandths, tax_cents):
        tax = TaxRate("Tax", ten_thousandths)
        draft = drafted(bills_base=False, charges=(a_charge(amount_cents=taxed_cents),), tax=tax)
        assert draft.tax_cents == tax_cents

    def test_is_rounded_on_the_sum_and_not_on_each_line(self):
        """Two lines of $0.07 at 6.5 %: 0.91 cents together, where each alone would be nothing."""
        seven = tuple(a_charge(amount_cents=7, number=number) for number in (1, 2))
        assert drafted(bills_base=False, charges=seven, tax=SALES_TAX).tax_cents == 1

    def test_needs_no_line_where_nothing_is_charged(self):
        assert drafted(bills_base=False, tax=SALES_TAX).lines == ()
        even = (a_charge(amount_cents=5_00), a_charge(amount_cents=-5_00, number=2))
        assert [line.kind for line in drafted(bills_base=False, charges=even, tax=SALES_TAX).lines] == ["CHARGE"] * 2

    def test_is_paid_by_credit_as_everything_else(self):
        """Rule 35."""
        draft = drafted(tax=SALES_TAX, credit_available_cents=200_00)
        assert (draft.credit_applied_cents, draft.amount_due_cents) == (148_04, 0)


class TestFinalInvoice:
    """A closing account is billed its last month's usage by line and no base."""

    def test_bills_the_current_month_by_line_and_earlier_ones_by_difference(self):
        used = (
            a_used_month("2026-10", usage=usage(live_minutes=110, ivr_seconds=200), is_current=True),
            a_used_month("2026-09", usage=usage(live_minutes=110), billed_cents=10_00),
        )
        draft = drafted(kind=InvoiceKind.FINAL, bills_base=False, used=used)
        assert charges(draft) == [
            (LineKind.OVERAGE, "2026-10", 12_90),
            (LineKind.IVR, "2026-10", 50),
            (LineKind.ADJUSTMENT, "2026-09", 2_90),
        ]

    def test_knows_no_month_that_ends_but_a_cycle_invoice_does(self):
        september = a_used_month()
        assert facts(used=(september,)).ending is september
        assert facts(used=(a_used_month("2026-10", is_current=True),)).ending is None
