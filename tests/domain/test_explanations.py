"""Each line in words, from its stored inputs alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.explanations import Explanation, dollars, duration, explain, percent, rate
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.money import UnitPrice
from tests.factories.calls import usage
from tests.factories.invoices import (
    SALES_TAX,
    a_charge,
    a_correction,
    a_late_fee,
    a_line,
    a_used_month,
    an_extra_line,
    an_item,
    billed_base,
    facts,
    lines_of_every_kind,
)
from tests.factories.plans import a_220_plan
from tests.factories.positions import billed_usage, books_of, credited, given_back, old_adjusted, used


def explanations(invoice_facts):
    return [explain(line) for line in compute_invoice(invoice_facts).lines]


class TestExplain:
    def test_a_whole_month(self):
        assert explain(a_line()) == Explanation("100 Minutes plan, October 2026", "1 month at $139.00")

    def test_a_first_month_shows_the_day_rounded_first(self):
        """Rule 9: $4.63 a day, and not two thirds of $139.00."""
        assert explanations(facts("2026-09", paid_starts_on=date(2026, 9, 11))) == [
            Explanation(
                "100 Minutes plan, September 2026",
                "$139.00 / 30 days = $4.63 a day; 20 paid days × $4.63 = $92.60",
            )
        ]

    def test_the_usage_of_the_month_that_ended(self):
        used = usage(live_seconds=229_042, patch_seconds=450, ivr_seconds=200)
        assert explanations(facts(used=(a_used_month(usage=used),)))[1:] == [
            Explanation(
                "Minutes above the allowance of 100 Minutes, September 2026",
                "3,817 min 22 s live - 100 min included = 3,717 min 22 s × $1.29 a minute = $4,795.40",
            ),
            Explanation("Patched calls, September 2026", "7 min 30 s × $0.10 a minute = $0.75"),
            Explanation("Automated (IVR) time, September 2026", "3 min 20 s × $0.15 a minute = $0.50"),
        ]

    @pytest.mark.parametrize(
        ("billed_cents", "arithmetic"),
        [
            (10_00, "usage of the month $12.90 - already billed $10.00 = $2.90"),
            (25_80, "usage of the month $12.90 - already billed $25.80 = -$12.90"),
        ],
    )
    def test_a_correction_of_either_sign(self, billed_cents, arithmetic):
        billed = billed_usage(overage=billed_cents)
        late = a_used_month("2026-08", usage=usage(live_minutes=110), billed=billed)
        assert explanations(facts(used=(late,)))[1:] == [
            Explanation(
                "Correction for August 2026: minutes above the allowance that reached us after its invoice", arithmetic
            )
        ]

    def test_corrections_of_each_kind_of_usage(self):
        late = a_used_month("2026-08", usage=usage(patch_seconds=450, ivr_seconds=200))
        assert explanations(facts(used=(late,)))[1:] == [
            Explanation(
                "Correction for August 2026: patched calls that reached us after its invoice",
                "usage of the month $0.75 - already billed $0.00 = $0.75",
            ),
            Explanation(
                "Correction for August 2026: automated (IVR) time that reached us after its invoice",
                "usage of the month $0.50 - already billed $0.00 = $0.50",
            ),
        ]

    def test_a_correction_of_an_old_invoice_is_for_all_calls_together(self):
        old = replace(
            old_adjusted(2_90, rated_cents=12_90),
            inputs={"rated_cents": 12_90, "billed_cents": 10_00, "patch_seconds": 0, "ivr_seconds": 0},
        )
        assert explain(old) == Explanation(
            "Correction for October 2026: calls that reached us after its invoice",
            "usage of the month $12.90 - already billed $10.00 = $2.90",
        )

    def test_a_correction_beside_a_credit_note_says_what_is_kept(self):
        """Rule 25."""
        billed = books_of(used(12_90), credited(2_90)).usage(date(2026, 10, 1))
        late = a_used_month("2026-08", usage=usage(live_minutes=120), billed=billed)
        [correction] = explanations(facts(used=(late,)))[1:]
        assert correction.arithmetic == (
            "usage of the month $25.80 - credit kept from credit note 100002 $2.90 - already billed $10.00 = $12.90"
        )

    def test_a_change_of_plan_names_what_is_charged_and_what_is_given_back(self):
        """Rule 13."""
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed_base())
        assert explanations(change) == [
            Explanation("220 Minutes plan, October 2026", "1 month at $239.00"),
            Explanation("100 Minutes plan, October 2026: given back", "line 1 of invoice 100001 charged $139.00"),
        ]

    def test_a_change_of_plan_of_an_old_invoice_gave_back_the_sum_of_what_was_billed(self):
        assert explain(given_back(139_00, None)) == Explanation(
            "100 Minutes plan, October 2026: given back", "what was billed for the month before the change: $139.00"
        )

    def test_a_change_of_plan_after_a_credit_note_names_what_is_kept(self):
        billed = billed_base(credited_cents=20_00)
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed)
        assert explanations(change)[1:] == [
            Explanation(
                "100 Minutes plan, October 2026: given back",
                "line 1 of invoice 100001 charged $139.00; $119.00 of it was still billed",
            ),
            Explanation("Credit kept from credit note 100002", "this much of it stays off the new price: $20.00"),
        ]

    def test_an_add_on_by_day_and_a_line_by_month(self):
        """Rule 22."""
        bought = (an_item(first_day=date(2026, 9, 11)), an_extra_line(first_day=date(2026, 9, 11)))
        assert explanations(facts("2026-09", bills_base=False, recurring=bought)) == [
            Explanation("On-Call, September 2026", "$25.00 / 30 days = $0.83 a day; 20 paid days × $0.83 = $16.60"),
            Explanation("Additional line, September 2026", "1 month at $10.00"),
        ]

    def test_single_charges_in_their_own_words(self):
        charges = (a_charge(), a_late_fee())
        assert explanations(facts(bills_base=False, charges=charges)) == [
            Explanation("Script rewritten", "$40.00"),
            Explanation("Late fee for invoice 100001", "$25.00"),
        ]

    @pytest.mark.parametrize(
        ("given", "arithmetic"),
        [
            ({}, "charged $139.00, given back now $50.00"),
            ({"credited_before_cents": 20_00}, "charged $139.00, given back before $20.00, given back now $50.00"),
        ],
    )
    def test_what_a_credit_note_gives_back(self, given, arithmetic):
        """Rule 27."""
        title = "Credit on invoice 100001: 100 Minutes plan, October 2026"
        assert explain(a_correction(**given)) == Explanation(title, arithmetic)

    def test_tax(self):
        taxed = facts(taxes=(SALES_TAX,))
        assert explanations(taxed)[1:] == [Explanation("Kansas sales tax", "6.5 % of $139.00 = $9.04")]

    def test_tax_of_an_old_invoice_reads_the_same(self):
        line = compute_invoice(facts(taxes=(SALES_TAX,))).lines[1]
        old = replace(line, unit="ten-thousandths", unit_price=UnitPrice(650))
        assert explain(old) == explain(line)

    def test_tax_that_is_given_back_names_the_invoice_that_had_charged_it(self):
        billed = billed_base(taxes=(SALES_TAX,))
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed)
        assert explanations(change)[2:] == [
            Explanation("Kansas sales tax of invoice 100001: given back", "6.5 % charged on $139.00: -$9.04")
        ]

    def test_tax_of_a_credit_that_is_kept_is_told_from_that_of_the_new_price(self):
        billed = billed_base(credited_cents=20_00, taxes=(SALES_TAX,))
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed, taxes=(SALES_TAX,))
        assert explanations(change)[3:] == [
            Explanation("Kansas sales tax", "6.5 % of $239.00 = $15.54"),
            Explanation("Kansas sales tax of the credit kept", "6.5 % of -$20.00 = -$1.30"),
            Explanation("Kansas sales tax of invoice 100001: given back", "6.5 % charged on $119.00: -$7.74"),
        ]

    def test_tax_below_zero_of_an_old_invoice_has_its_name_alone(self):
        line = compute_invoice(facts(taxes=(SALES_TAX,))).lines[1]
        old = replace(line, unit="ten-thousandths", unit_price=UnitPrice(650), amount_cents=-9_04)
        assert explain(old).title == "Kansas sales tax"

    def test_has_words_for_every_kind_of_line(self):
        lines = lines_of_every_kind()
        assert [line.kind for line in lines] == list(LineKind)
        assert all(explain(line).title and explain(line).arithmetic for line in lines)


class TestFigures:
    @pytest.mark.parametrize(
        ("cents", "text"),
        [(0, "$0.00"), (5, "$0.05"), (139_00, "$139.00"), (4_967_70, "$4,967.70"), (-91_05, "-$91.05")],
    )
    def test_dollars(self, cents, text):
        assert dollars(cents) == text

    @pytest.mark.parametrize(
        ("ten_thousandths", "text"), [(1_2900, "$1.29"), (1_000, "$0.10"), (1_2905, "$1.2905"), (9_905, "$0.9905")]
    )
    def test_unit_prices_have_more_decimals_only_where_needed(self, ten_thousandths, text):
        assert rate(ten_thousandths) == text

    @pytest.mark.parametrize(
        ("rate", "text"),
        [
            (65_000, "6.5"),
            (70_000, "7"),
            (100_000, "10"),
            (82_500, "8.25"),
            (500, "0.05"),
            (88_750, "8.875"),
            (1, "0.0001"),
        ],
    )
    def test_percentages_without_needless_zeros(self, rate, text):
        assert percent(rate) == text

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0, "0 min"), (22, "0 min 22 s"), (6_000, "100 min"), (223_042, "3,717 min 22 s")]
    )
    def test_durations(self, seconds, text):
        assert duration(seconds) == text
