"""What an invoice bills besides the plan: single charges, tax, the last month of an account (rules 4, 11, 27)."""

from __future__ import annotations

import pytest

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind, TaxShare
from app.domain.invoices import compute_invoice
from app.domain.taxes import TaxRate
from tests.factories.calls import usage
from tests.factories.invoices import SALES_TAX, a_charge, a_late_fee, a_used_month, an_item, facts
from tests.factories.positions import billed_usage

ONE_CENT = TaxRate("Tax", 100_000)
"""A tax that is one cent on seven."""


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
        draft = drafted(recurring=(an_item(),), charges=(a_charge(),), taxes=(SALES_TAX,))
        line = draft.lines[-1]
        assert (line.kind, line.quantity, line.unit, line.unit_price) == (LineKind.TAX, 1, "percent", 65_000)
        assert line.inputs == {"tax_name": "Kansas sales tax", "taxed_cents": 204_00}
        assert (draft.tax_cents, draft.total_cents) == (13_26, 217_26)

    @pytest.mark.parametrize(
        ("rate", "tax_cents"), [(65_000, 7), (64_999, 6), (64_900, 6), (5_000, 1), (4_999, 0), (4_900, 0)]
    )
    def test_rule_4_of_a_dollar_is_rounded_half_up_once(self, rate, tax_cents):
        taxes = (TaxRate("Tax", rate),)
        draft = drafted(bills_base=False, charges=(a_charge(amount_cents=1_00),), taxes=taxes)
        assert draft.tax_cents == tax_cents

    @pytest.mark.parametrize(("rate", "tax_cents"), [(65_000, -7), (64_900, -6), (5_000, -1), (4_900, 0)])
    def test_rule_4_given_back_with_its_dollar_is_what_was_charged_on_it(self, rate, tax_cents):
        billed = billed_usage(overage=1_00, taxes=(TaxRate("Tax", rate),))
        draft = drafted(bills_base=False, used=(a_used_month("2026-08", billed=billed),))
        assert (draft.tax_cents, draft.total_cents) == (tax_cents, -1_00 + tax_cents)

    def test_is_rounded_on_the_sum_and_not_on_each_line(self):
        """Two lines of $0.07 at 6.5 %: 0.91 cents together, where each alone would be nothing."""
        seven = tuple(a_charge(amount_cents=7, number=number) for number in (1, 2))
        assert drafted(bills_base=False, charges=seven, taxes=(SALES_TAX,)).tax_cents == 1

    def test_needs_no_line_where_nothing_is_charged(self):
        assert drafted(bills_base=False, taxes=(SALES_TAX,)).lines == ()
        free = (a_charge(amount_cents=0), a_charge(amount_cents=7, number=2))
        assert [line.kind for line in drafted(bills_base=False, charges=free[:1], taxes=(SALES_TAX,)).lines] == [
            "CHARGE"
        ]
        assert [line.taxes for line in drafted(bills_base=False, charges=free, taxes=(ONE_CENT,)).lines] == [
            (),
            (TaxShare("Tax", 100_000, 1),),
            (),
        ]

    def test_of_what_is_charged_and_of_what_is_given_back_are_two_lines_even_where_they_cancel(self):
        billed = billed_usage(overage=5_00, taxes=(SALES_TAX,))
        draft = drafted(
            bills_base=False,
            used=(a_used_month("2026-08", billed=billed),),
            charges=(a_charge(amount_cents=5_00),),
            taxes=(SALES_TAX,),
        )
        assert [(line.kind, line.amount_cents) for line in draft.lines] == [
            (LineKind.ADJUSTMENT, -5_00),
            (LineKind.CHARGE, 5_00),
            (LineKind.TAX, 33),
            (LineKind.TAX, -33),
        ]
        assert (draft.tax_cents, draft.total_cents) == (0, 0)

    def test_is_paid_by_credit_as_everything_else(self):
        """Rule 35."""
        draft = drafted(taxes=(SALES_TAX,), credit_available_cents=200_00)
        assert (draft.credit_applied_cents, draft.amount_due_cents) == (148_04, 0)


class TestFinalInvoice:
    """A closing account is billed its last month's usage by line and no base."""

    def test_bills_the_current_month_by_line_and_earlier_ones_by_difference(self):
        used = (
            a_used_month("2026-10", usage=usage(live_minutes=110, ivr_seconds=200), is_current=True),
            a_used_month("2026-09", usage=usage(live_minutes=110), billed=billed_usage(overage=10_00)),
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


class TestSeveralTaxes:
    def test_each_is_of_the_charges_alone_and_none_is_taxed_by_another(self):
        draft = drafted(taxes=(TaxRate("State tax", 65_000), TaxRate("City tax", 12_500)))

        assert [(line.amount_cents, line.inputs["taxed_cents"]) for line in draft.lines if line.kind == "TAX"] == [
            (9_04, 139_00),
            (1_74, 139_00),
        ]
