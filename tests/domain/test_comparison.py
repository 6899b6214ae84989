"""Two invoices compared: what changed, by kind of line, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.comparison import KIND_NAMES, KindDifference, compare_lines, movement
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.invoices import compute_invoice
from app.domain.money import UnitPrice
from app.domain.plans import PlanVersion
from app.domain.taxes import TaxRate
from tests.factories.calls import usage
from tests.factories.invoices import (
    SALES_TAX,
    a_charge,
    a_correction,
    a_used_month,
    an_extra_line,
    an_item,
    billed_base,
    facts,
    lines_of_every_kind,
)
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.positions import billed_usage
from tests.factories.strategies import TOTALS, any_facts


def lines(
    *, live_minutes=0, live_seconds=0, patch_seconds=0, ivr_seconds=0, plan=None, base_plan=None, used=None, **changes
) -> tuple[InvoiceLine, ...]:
    """The lines of October's invoice for these minutes of September."""
    totals = usage(
        live_minutes=live_minutes, live_seconds=live_seconds, patch_seconds=patch_seconds, ivr_seconds=ivr_seconds
    )
    months = (a_used_month(usage=totals, plan=plan), *(used or ()))
    return compute_invoice(facts(used=months, plan=base_plan, **changes)).lines


def causes(before, after) -> list[str]:
    return [difference.cause for difference in compare_lines(before, after)]


class TestDifferences:
    def test_more_minutes_above_the_allowance_raise_the_overage(self):
        assert compare_lines(lines(live_minutes=110), lines(live_minutes=160)) == (
            KindDifference(LineKind.BASE, 139_00, 139_00, "Base price stayed at $139.00."),
            KindDifference(
                LineKind.OVERAGE, 12_90, 77_40, "Overage rose by $64.50: 50 more minutes above the allowance."
            ),
        )

    def test_the_difference_is_the_later_amount_less_the_earlier(self):
        fell = compare_lines(lines(live_minutes=160), lines(live_minutes=110))[1]
        assert fell.difference_cents == -64_50
        assert fell.cause == "Overage fell by $64.50: 50 fewer minutes above the allowance."

    def test_a_kind_that_only_one_invoice_has_is_compared_with_nothing(self):
        appeared = compare_lines(lines(), lines(live_minutes=101, patch_seconds=450, ivr_seconds=200))
        assert [(one.kind, one.before_cents, one.after_cents, one.cause) for one in appeared[1:]] == [
            (LineKind.OVERAGE, 0, 1_29, "Overage rose by $1.29: 1 more minute above the allowance."),
            (LineKind.PATCH, 0, 75, "Patched calls rose by $0.75: 7 min 30 s more of patched calls."),
            (LineKind.IVR, 0, 50, "Automated (IVR) time rose by $0.50: 3 min 20 s more of IVR time."),
        ]

    def test_seconds_less_are_said_with_their_seconds(self):
        assert causes(lines(patch_seconds=450), lines(patch_seconds=360))[1] == (
            "Patched calls fell by $0.15: 1 min 30 s less of patched calls."
        )

    def test_no_line_on_either_side_gives_no_difference(self):
        assert compare_lines((), ()) == ()


class TestCausesOfTheBase:
    def test_another_plan(self):
        assert causes(lines(), lines(base_plan=a_220_plan())) == [
            "Base price rose by $100.00: the plan is 220 Minutes instead of 100 Minutes."
        ]

    def test_another_price_of_the_same_plan(self):
        assert causes(lines(base_plan=a_plan(base_cents=128_00)), lines()) == [
            "Base price rose by $11.00: a month of the plan costs $139.00 instead of $128.00."
        ]

    def test_a_first_month_billed_by_days(self):
        """Rule 9."""
        first = compute_invoice(facts("2026-09", paid_starts_on=date(2026, 9, 11))).lines
        assert causes(first, lines()) == [
            "Base price rose by $46.40: the earlier invoice bills 20 of the 30 days of its month."
        ]
        assert causes(lines(), first) == [
            "Base price fell by $46.40: the later invoice bills 20 of the 30 days of its month."
        ]

    @pytest.mark.parametrize(
        ("before", "after", "cause"),
        [
            ((), lines(), "Base price rose by $139.00: only the later invoice has one."),
            (lines(), (), "Base price fell by $139.00: only the earlier invoice has one."),
        ],
    )
    def test_an_invoice_without_a_base(self, before, after, cause):
        assert causes(before, after) == [cause]


class TestCausesOfUsage:
    def test_another_plan_changes_allowance_and_rate(self):
        before, after = lines(live_minutes=300), lines(live_minutes=300, plan=a_220_plan())
        assert causes(before, after)[1] == (
            "Overage fell by $162.80: 120 fewer minutes above the allowance; "
            "the allowance is 220 min instead of 100 min; a minute costs $1.19 instead of $1.29."
        )

    def test_the_same_minutes_at_another_rate(self):
        cheaper = a_plan(overage_rate=1_1900)
        assert causes(lines(live_minutes=110), lines(live_minutes=110, plan=cheaper))[1] == (
            "Overage fell by $1.00: a minute costs $1.19 instead of $1.29."
        )

    def test_corrections_name_their_months_on_both_sides(self):
        def corrected(month: str, billed_cents: int) -> tuple[InvoiceLine, ...]:
            return lines(
                used=[a_used_month(month, usage=usage(live_minutes=110), billed=billed_usage(overage=billed_cents))]
            )

        assert causes(corrected("2026-07", 10_00), corrected("2026-08", 15_00))[1] == (
            "Corrections fell by $5.00: August 2026 was corrected by -$2.10 on the later invoice; "
            "July 2026 was corrected by $2.90 on the earlier one."
        )

    def test_the_corrections_of_a_month_are_told_as_one_whatever_kinds_of_usage_they_are_of(self):
        late = a_used_month("2026-07", usage=usage(live_minutes=110, patch_seconds=600))
        assert causes(lines(), lines(used=[late]))[1] == (
            "Corrections rose by $13.90: July 2026 was corrected by $13.90 on the later invoice."
        )


class TestCausesOfWhatRecurs:
    """Rule 22."""

    def test_an_add_on_that_is_new_or_gone(self):
        with_add_on = lines(recurring=(an_item(),))
        assert causes(lines(), with_add_on)[1] == "Add-ons rose by $25.00: On-Call: 1 instead of 0."
        assert causes(with_add_on, lines())[1] == "Add-ons fell by $25.00: On-Call: 0 instead of 1."

    def test_more_lines(self):
        one, two = lines(recurring=(an_extra_line(),)), lines(recurring=(an_extra_line(),) * 2)
        assert causes(one, two)[1] == "Additional lines rose by $10.00: Additional line: 2 instead of 1."

    def test_another_price(self):
        dear = lines(recurring=(an_item(monthly_cents=30_00),))
        assert causes(lines(recurring=(an_item(),)), dear)[1] == (
            "Add-ons rose by $5.00: On-Call costs $30.00 a month instead of $25.00."
        )

    def test_part_of_the_month_it_was_bought_in(self):
        bought = lines(recurring=(an_item(first_day=date(2026, 10, 12)),))
        assert causes(bought, lines(recurring=(an_item(),)))[1] == (
            "Add-ons rose by $8.80: the earlier invoice bills On-Call for 20 of 31 days."
        )

    def test_the_same_items_have_no_cause(self):
        both = (an_item(), an_item(name="Live Call"))
        assert causes(lines(recurring=both), lines(recurring=both))[1] == "Add-ons stayed at $50.00."


class TestCausesOfSingleAmounts:
    def test_are_named_on_both_sides(self):
        before = lines(charges=(a_charge(),))
        after = lines(charges=(a_charge(amount_cents=15_00, title="Number set up"),))
        assert causes(before, after)[1] == (
            "One-time charges fell by $25.00: Number set up ($15.00) on the later invoice; "
            "Script rewritten ($40.00) on the earlier one."
        )

    def test_a_change_of_plan_beside_the_months_own_invoice(self):
        """Rule 13."""
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed_base())
        base, given_back = causes(lines(), compute_invoice(change).lines)
        assert base == "Base price rose by $100.00: the plan is 220 Minutes instead of 100 Minutes."
        assert given_back == (
            "Base price given back fell by $139.00: 100 Minutes plan, October 2026: given back (-$139.00) "
            "on the later invoice."
        )

    def test_a_credit_that_a_change_of_plan_keeps(self):
        billed = billed_base(credited_cents=20_00)
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed)
        assert causes(lines(), compute_invoice(change).lines)[-1] == (
            "Credit kept fell by $20.00: Credit kept from credit note 100002 (-$20.00) on the later invoice."
        )

    def test_a_credit_note_beside_its_invoice(self):
        """Rule 27."""
        assert causes(lines(), (a_correction(),))[1] == (
            "Credit on earlier invoices fell by $50.00: Credit on invoice 100001: 100 Minutes plan, October 2026 "
            "(-$50.00) on the later invoice."
        )


class TestCausesOfTax:
    def test_what_it_is_on(self):
        before, after = lines(taxes=(SALES_TAX,)), lines(taxes=(SALES_TAX,), charges=(a_charge(),))
        assert causes(before, after)[-1] == "Tax rose by $2.60: it is on $179.00 instead of $139.00."

    def test_its_rate(self):
        assert causes(lines(taxes=(SALES_TAX,)), lines(taxes=(TaxRate("Tax", 70_000),)))[-1] == (
            "Tax rose by $0.69: the rate is 7 % instead of 6.5 %."
        )

    def test_a_rate_of_an_old_invoice_is_the_same_in_the_words_of_a_new(self):
        [*charged, tax] = lines(taxes=(SALES_TAX,))
        old = replace(tax, unit="ten-thousandths", unit_price=UnitPrice(650))
        assert causes((*charged, old), lines(taxes=(SALES_TAX,)))[-1] == "Tax stayed at $9.04."

    def test_several_are_compared_by_their_names(self):
        state, city, county = TaxRate("State", 65_000), TaxRate("City", 12_500), TaxRate("County", 20_000)
        before = lines(taxes=(state, city))
        after = lines(taxes=(replace(state, rate=70_000), county), charges=(a_charge(),))
        assert causes(before, after)[-1] == (
            "Tax rose by $5.33: State: the rate is 7 % instead of 6.5 %; State: it is on $179.00 instead of $139.00; "
            "City ($1.74) on the earlier one; County ($3.58) on the later invoice."
        )

    def test_what_a_change_of_plan_gives_back_is_named(self):
        """Rule 13."""
        billed = billed_base(taxes=(SALES_TAX,))
        change = facts(kind=InvoiceKind.PLAN_CHANGE, plan=a_220_plan(), billed_base=billed, taxes=(SALES_TAX,))
        assert causes(lines(taxes=(SALES_TAX,)), compute_invoice(change).lines)[-1] == (
            "Tax fell by $2.54: Kansas sales tax: it is on $239.00 instead of $139.00; "
            "Kansas sales tax of invoice 100001: given back (-$9.04) on the later invoice."
        )

    def test_on_one_invoice_only(self):
        assert causes(lines(), lines(taxes=(SALES_TAX,)))[-1] == "Tax rose by $9.04: only the later invoice is taxed."
        assert causes(lines(taxes=(SALES_TAX,)), lines())[-1] == "Tax fell by $9.04: only the earlier invoice is taxed."


class TestEveryKind:
    def test_has_a_name_and_its_own_cause(self):
        assert set(KIND_NAMES) == set(LineKind)
        found = compare_lines((), lines_of_every_kind())
        assert [one.kind for one in found] == list(LineKind)
        assert all(": " in one.cause for one in found)


class TestMovement:
    @pytest.mark.parametrize(
        ("before", "after", "words"),
        [
            (100_00, 250_50, "The total rose by $150.50"),
            (100_00, -20_00, "The total fell by $120.00"),
            (-5_00, -5_00, "The total stayed at -$5.00"),
        ],
    )
    def test_it_says_direction_and_size(self, before, after, words):
        assert movement("The total", before, after) == words


PLANS: list[PlanVersion] = [a_plan(), a_220_plan(), a_plan(code="economy", base_cents=39_00, included_minutes=0)]


PAID_FROM = st.dates(date(2026, 8, 1), date(2026, 10, 31))


class TestEveryPair:
    @given(any_facts(), any_facts())
    def test_of_any_two_invoices_adds_up(self, one, other):
        before, after = compute_invoice(one), compute_invoice(other)
        differences = compare_lines(before.lines, after.lines)
        assert sum(each.difference_cents for each in differences) == after.total_cents - before.total_cents

    @given(TOTALS, TOTALS, st.sampled_from(PLANS), st.sampled_from(PLANS), PAID_FROM)
    def test_the_differences_add_up_to_the_difference_of_the_totals(self, used, later_used, plan, later_plan, paid_on):
        before = compute_invoice(facts("2026-10", paid_starts_on=paid_on, used=(a_used_month(usage=used, plan=plan),)))
        late = a_used_month("2026-09", usage=later_used, plan=plan, billed=billed_usage(overage=5_00))
        now = a_used_month("2026-10", usage=later_used, plan=later_plan)
        after = compute_invoice(facts("2026-11", plan=later_plan, used=(now, late)))
        differences = compare_lines(before.lines, after.lines)
        assert sum(one.difference_cents for one in differences) == after.total_cents - before.total_cents
        assert all(one.cause.endswith(".") for one in differences)
