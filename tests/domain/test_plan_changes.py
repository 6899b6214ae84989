"""Changing the plan: the whole month swapped at once, or from the next month on (rules 13, 14, 15, 18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import BASE_LINE_KINDS, LineKind
from app.domain.invoices import compute_invoice
from app.domain.ledger import OpenInvoice
from app.domain.periods import Period
from app.domain.plan_changes import (
    AlreadyOnPlan,
    DowngradeNotCostEffective,
    PlanSnapshot,
    When,
    offer_plan_change,
    plan_change_facts,
)
from app.domain.policies import policies_on
from app.domain.position_fold import position_after
from app.domain.positions import NOTHING_BILLED, PositionKey
from app.domain.pricing import allowance_seconds
from app.domain.proration import prorated_cents
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.taxes import TaxRate
from app.domain.upgrades import find_upgrade
from app.domain.usage import UsageTotals
from tests import calculator
from tests.factories.calls import usage
from tests.factories.invoices import billed_base
from tests.factories.strategies import DAYS

AUGUST_10 = date(2026, 8, 10)
OLD_PRICES = date(2016, 8, 10)
CODES = st.sampled_from(["economy", "100", "220", "500", "1000", "2500", "5000", "10000"])


def plan(code, on=AUGUST_10):
    return SEED_CATALOGUE.get(code, on)


def snapshot(code="100", on=AUGUST_10, *, paid_starts_on=date(2015, 1, 1), **changes):
    """An account whose month was billed on its plan when the month began."""
    month_plan, period = plan(code, on), Period.containing(on)
    base_cents = prorated_cents(month_plan.base_cents, period, paid_starts_on)
    billed = billed_base(base_cents, month_plan, month=period.month, taxes=changes.get("taxes", ()))
    known = PlanSnapshot(
        today=on,
        period=period,
        paid_starts_on=paid_starts_on,
        month_plan=month_plan,
        chosen_plan=month_plan,
        pending_plan=None,
        next_cycle_on=period.ends_before,
        usage=UsageTotals(),
        billed_base=billed,
    )
    return replace(known, **changes)


def offered(stands, code, when=When.NOW):
    return offer_plan_change(stands, plan(code, stands.today), when, SEED_CATALOGUE)


def after(stands, offer):
    """Where the account stands once the change is confirmed."""
    base = position_after(stands.billed_base, PositionKey(stands.period.starts_on, LineKind.BASE), offer.draft.lines)
    credit = stands.credit_available_cents - offer.draft.credit_applied_cents + offer.draft.credit_created_cents
    return replace(
        stands, month_plan=offer.target, chosen_plan=offer.target, billed_base=base, credit_available_cents=credit
    )


def amounts(draft):
    return [(line.kind, line.amount_cents) for line in draft.lines]


class TestNow:
    def test_rule_13_an_upgrade_on_10_august_charges_the_new_base_and_gives_back_the_old(self):
        offer = offered(snapshot(), "220")
        assert offer.draft.kind is InvoiceKind.PLAN_CHANGE
        assert amounts(offer.draft) == [(LineKind.BASE, 239_00), (LineKind.BASE_REVERSAL, -139_00)]
        assert (offer.amount_due_now_cents, offer.effective_on) == (100_00, date(2026, 8, 1))

    def test_rule_13_names_both_plans_on_its_lines(self):
        new, old = offered(snapshot(), "220").draft.lines
        assert (new.rule, new.inputs["plan_name"], new.quantity, new.unit) == (13, "220 Minutes", 1, "month")
        assert (old.rule, old.unit_price) == (13, 139_0000)
        assert old.inputs == {"plan": "100", "plan_name": "100 Minutes", "invoice": "100001", "line": 1}

    def test_rule_14_a_downgrade_at_the_old_prices_leaves_credit(self):
        draft = offered(snapshot("220", OLD_PRICES), "100").draft
        assert amounts(draft) == [(LineKind.BASE, 128_00), (LineKind.BASE_REVERSAL, -219_00)]
        assert (draft.total_cents, draft.amount_due_cents, draft.credit_created_cents) == (-91_00, 0, 91_00)

    def test_rule_14_that_credit_pays_for_the_way_back_up(self):
        stands = snapshot("220", OLD_PRICES)
        stands = after(stands, offered(stands, "100"))
        back = offered(stands, "220")
        assert (back.draft.credit_applied_cents, back.amount_due_now_cents) == (91_00, 0)

    def test_rule_18_two_upgrades_in_one_month_add_up_to_the_last_plan(self):
        """100, then 220, then 500: 139 + 100 + 260 = $499."""
        first = offered(snapshot(), "220")
        second = offered(after(snapshot(), first), "500")
        assert amounts(second.draft) == [(LineKind.BASE, 499_00), (LineKind.BASE_REVERSAL, -239_00)]
        assert (first.draft.total_cents, second.draft.total_cents) == (100_00, 260_00)
        assert 139_00 + first.draft.total_cents + second.draft.total_cents == 499_00

    def test_rule_13_gives_back_what_was_billed_and_not_what_the_plan_costs(self):
        stands = snapshot("220", billed_base=billed_base(140_00, plan("220"), month="2026-08"))
        assert amounts(offered(stands, "500").draft) == [(LineKind.BASE, 499_00), (LineKind.BASE_REVERSAL, -140_00)]

    def test_rule_13_gives_back_what_is_still_billed_of_each_line_and_keeps_the_credit(self):
        """$139.00 less a note of $20.00 were billed, then 220: the note stays off the price of 500."""
        stands = snapshot(billed_base=billed_base(plan=plan("100"), month="2026-08", credited_cents=20_00))
        stands = after(stands, offered(stands, "220"))
        assert stands.billed_base.net_cents == 219_00
        assert amounts(offered(stands, "500").draft) == [
            (LineKind.BASE, 499_00),
            (LineKind.BASE_REVERSAL, -219_00),
            (LineKind.CREDIT_KEPT, -20_00),
        ]
        assert amounts(offered(stands, "economy").draft) == [(LineKind.BASE, 39_00), (LineKind.BASE_REVERSAL, -219_00)]

    def test_rule_13_in_a_first_partial_month_both_sides_use_the_same_paid_days(self):
        """Paid from 11 September: 20 days at $7.97 and at $4.63, and an allowance of 147 minutes."""
        paid_from = date(2026, 9, 11)
        stands = snapshot(on=date(2026, 9, 20), paid_starts_on=paid_from)
        offer = offered(stands, "220")
        assert amounts(offer.draft) == [(LineKind.BASE, 159_40), (LineKind.BASE_REVERSAL, -92_60)]
        assert (offer.draft.lines[0].quantity, offer.draft.lines[0].unit_price) == (20, 7_9700)
        assert offer.amount_due_now_cents == 66_80
        assert allowance_seconds(offer.target, stands.period, paid_from) == 147 * 60

    def test_rule_35_credit_of_the_account_pays_first(self):
        offer = offered(snapshot(credit_available_cents=30_00), "220")
        assert (offer.draft.credit_applied_cents, offer.amount_due_now_cents) == (30_00, 70_00)

    def test_tax_is_on_the_difference(self):
        """Rule 11: 6.5 % of $100.00."""
        draft = offered(snapshot(taxes=(TaxRate("Kansas sales tax", 65_000),)), "220").draft
        assert (draft.tax_cents, draft.total_cents) == (6_50, 106_50)
        assert [line.amount_cents for line in draft.lines if line.kind is LineKind.TAX] == [15_54, -9_04]

    def test_before_the_months_invoice_changes_the_plan_without_an_invoice_of_its_own(self):
        offer = offered(snapshot(billed_base=NOTHING_BILLED), "220")
        assert (offer.draft, offer.amount_due_now_cents, offer.effective_on) == (None, 0, date(2026, 8, 1))

    def test_has_no_invoice_where_the_month_stands_on_the_plan_already(self):
        """An upgraded month: to keep its plan for good costs nothing now."""
        offer = offered(snapshot("220", chosen_plan=plan("100")), "220")
        assert (offer.draft, offer.amount_due_now_cents) == (None, 0)

    def test_is_refused_where_it_changes_nothing(self):
        with pytest.raises(AlreadyOnPlan) as refused:
            offered(snapshot(), "100")
        assert str(refused.value) == "The account has the plan 100 Minutes already."
        assert refused.value.plan == plan("100")

    def test_undoes_a_change_that_waits_for_the_next_month(self):
        offer = offered(snapshot(pending_plan=plan("220")), "100")
        assert (offer.target, offer.draft, offer.settled_cents) == (plan("100"), None, 0)


class TestSettledAtOnce:
    """Rule 14: credit of a lower plan pays what is open, and only what is left waits."""

    def test_the_month_that_is_not_paid_is_lowered_by_what_is_taken_back_of_it(self):
        offer = offered(snapshot(open_invoices=(OpenInvoice("inv_1", 139_00, 100_001),)), "economy")
        assert (offer.draft.credit_created_cents, offer.settled_cents) == (100_00, 100_00)

    def test_others_are_paid_with_credit_that_had_waited_as_well_but_none_by_hand(self):
        open_invoices = (
            OpenInvoice("inv_0", 70_00, 100_000, is_by_hand=True),
            OpenInvoice("inv_1", 30_00, 100_001),
            OpenInvoice("inv_2", 90_00, 100_002),
        )
        stands = snapshot(open_invoices=open_invoices, credit_available_cents=10_00)
        assert offered(stands, "economy").settled_cents == 110_00

    def test_nothing_is_settled_where_nothing_is_open_or_more_is_charged(self):
        open_invoices = (OpenInvoice("inv_1", 139_00, 100_001),)
        assert offered(snapshot(), "economy").settled_cents == 0
        assert offered(snapshot(open_invoices=open_invoices), "220").settled_cents == 0


class TestNextCycle:
    """Rule 15: always allowed, without an invoice, one at a time."""

    def test_takes_effect_when_the_next_month_begins(self):
        offer = offered(snapshot(), "220", When.NEXT_CYCLE)
        assert (offer.effective_on, offer.draft, offer.amount_due_now_cents) == (date(2026, 9, 1), None, 0)

    def test_takes_effect_with_the_months_own_invoice_where_that_is_still_to_come(self):
        stands = snapshot(next_cycle_on=date(2026, 8, 1), billed_base=NOTHING_BILLED)
        assert offered(stands, "220", When.NEXT_CYCLE).effective_on == date(2026, 8, 1)

    def test_is_allowed_whatever_was_used(self):
        stands = snapshot("500", usage=usage(live_minutes=2_000))
        assert offered(stands, "economy", When.NEXT_CYCLE).target == plan("economy")

    def test_a_newer_one_replaces_the_pending_one_even_by_the_plan_of_today(self):
        stands = snapshot(pending_plan=plan("220"))
        assert stands.next_plan == plan("220")
        assert offered(stands, "500", When.NEXT_CYCLE).target == plan("500")
        assert offered(stands, "100", When.NEXT_CYCLE).target == plan("100")

    @pytest.mark.parametrize("pending", [None, "220"])
    def test_is_refused_where_the_next_month_has_the_plan_already(self, pending):
        stands = snapshot(pending_plan=pending and plan(pending))
        with pytest.raises(AlreadyOnPlan):
            offered(stands, pending or "100", When.NEXT_CYCLE)


class TestDowngradeGuard:
    """Rule 15: refused once this month's usage is past what the lower plan is cost-effective to."""

    @pytest.mark.parametrize(
        ("target", "on", "minutes"), [("100", AUGUST_10, 177), ("100", OLD_PRICES, 176), ("economy", AUGUST_10, 71)]
    )
    def test_lets_the_last_cost_effective_minute_pass_and_refuses_one_second_more(self, target, on, minutes):
        offered(snapshot("220", on, usage=usage(live_minutes=minutes)), target)
        with pytest.raises(DowngradeNotCostEffective):
            offered(snapshot("220", on, usage=usage(live_minutes=minutes, live_seconds=1)), target)

    def test_in_a_first_month_goes_by_the_prices_of_its_paid_days(self):
        """Else usage would upgrade at once what it has just let down (rules 9, 10, 19)."""
        start = date(2026, 9, 11)  # 20 of 30 days: 67 of 100 minutes, and bases of $92.60 and $159.40
        stands = snapshot("220", date(2026, 9, 20), paid_starts_on=start, usage=usage(live_minutes=118))
        kept = offered(stands, "100")
        assert kept.draft.total_cents == 92_60 - 159_40
        upgrade = find_upgrade(
            plan=plan("100"),
            usage=stands.usage,
            period=stands.period,
            paid_starts_on=start,
            upgrades_so_far=0,
            catalogue=SEED_CATALOGUE,
        )
        assert upgrade is None
        with pytest.raises(DowngradeNotCostEffective) as refused:
            offered(replace(stands, usage=usage(live_minutes=118, live_seconds=1)), "100")
        assert refused.value.threshold_minutes == 118

    def test_says_what_both_plans_would_cost(self):
        stands = snapshot("220", usage=usage(live_minutes=300, patch_seconds=450))
        with pytest.raises(DowngradeNotCostEffective) as refused:
            offered(stands, "100")
        assert str(refused.value) == (
            "This month's usage of 300 minutes is past the 177 minutes up to which that plan is cost-effective. "
            "Change from the next month on instead."
        )
        assert (refused.value.usage_seconds, refused.value.threshold_minutes) == (18_000, 177)
        assert refused.value.current_cents == 239_00 + 80 * 1_19 + 75
        assert refused.value.target_cents == 139_00 + 200 * 1_29 + 75

    def test_does_not_look_at_automated_and_patched_time(self):
        stands = snapshot("220", usage=usage(live_minutes=177, patch_seconds=600_000, ivr_seconds=600_000))
        assert offered(stands, "100").draft.total_cents == -100_00

    def test_never_stands_in_the_way_up(self):
        assert offered(snapshot("100", usage=usage(live_minutes=9_000)), "220").amount_due_now_cents == 100_00

    def test_never_stands_in_the_way_of_keeping_the_plan_of_the_month(self):
        """What waited for the next month is undone, whatever was used since."""
        stands = snapshot("100", usage=usage(live_minutes=9_000), pending_plan=plan("220"))
        assert offered(stands, "100").target == plan("100")

    def test_knows_no_threshold_of_the_largest_plan(self):
        """A version of it that was dearer once: nothing lies above it."""
        dearer = replace(plan("10000"), id="plan_10000_old", base_cents=9_000_00)
        stands = snapshot("10000", month_plan=dearer, chosen_plan=dearer, usage=usage(live_minutes=30_000))
        stands = replace(stands, billed_base=billed_base(9_000_00, dearer, month="2026-08"))
        assert offered(stands, "10000").draft.total_cents == -401_00


class TestContentHash:
    """Rule 16: what a quote covers, so that confirming does what was shown."""

    def test_stays_when_calls_come_in(self):
        later = snapshot(usage=usage(live_minutes=90, patch_seconds=60))
        assert offered(later, "220").content_hash == offered(snapshot(), "220").content_hash

    def test_is_another_for_all_that_confirming_does(self):
        hashes = {
            offered(snapshot(), "220").content_hash,
            offered(snapshot(), "500").content_hash,
            offered(snapshot(), "220", When.NEXT_CYCLE).content_hash,
            offered(snapshot(on=date(2026, 9, 10)), "220", When.NEXT_CYCLE).content_hash,
            offered(snapshot(credit_available_cents=1), "220").content_hash,
            offered(snapshot(billed_base=NOTHING_BILLED), "220").content_hash,
            offered(snapshot(taxes=(TaxRate("Tax", 10_000),)), "220").content_hash,
        }
        assert len(hashes) == 7


class TestFacts:
    def test_are_those_of_the_month_without_its_usage(self):
        stands = snapshot(credit_available_cents=5_00, taxes=(TaxRate("Tax", 10_000),))
        facts = plan_change_facts(stands, plan("220"), InvoiceKind.PLAN_UPGRADE)
        assert (facts.kind, facts.plan, facts.period) == (InvoiceKind.PLAN_UPGRADE, plan("220"), stands.period)
        assert (facts.billed_base, facts.credit_available_cents) == (stands.billed_base, 5_00)
        assert facts.taxes == stands.taxes == (TaxRate("Tax", 10_000),)
        assert (facts.used, facts.recurring, facts.charges) == ((), (), ())
        assert facts.policies == policies_on(date(2026, 8, 1))


class TestAnyNumberOfChanges:
    @given(paid_starts_on=DAYS, codes=st.lists(CODES, min_size=1, max_size=6), later=st.integers(0, 2))
    def test_bill_what_the_calculator_bills_and_add_up_to_the_last_plan(self, paid_starts_on, codes, later):
        """Rules 13, 14 and 18, in a whole or a first partial month."""
        today = max(paid_starts_on, Period.containing(paid_starts_on).shifted(later).starts_on)
        stands = snapshot(codes[0], today, paid_starts_on=paid_starts_on)
        totals, bases, due = [stands.billed_base.net_cents], [stands.month_plan.base_cents], 0
        for code in codes[1:]:
            if code == stands.month_plan.code:
                continue
            draft = compute_invoice(plan_change_facts(stands, plan(code, today), InvoiceKind.PLAN_CHANGE))
            offer = offered(stands, code)
            assert offer.draft == draft
            assert {line.kind for line in draft.lines} <= set(BASE_LINE_KINDS)
            totals.append(draft.total_cents)
            bases.append(plan(code, today).base_cents)
            due += draft.amount_due_cents
            stands = after(stands, offer)
            assert stands.billed_base.net_cents == sum(totals)
        month = (stands.period.starts_on.year, stands.period.starts_on.month)
        assert totals == calculator.base_charges(month, paid_starts_on, bases)
        assert sum(totals) == calculator.base_of(month, paid_starts_on, bases[-1])
        assert (due, stands.credit_available_cents) == calculator.credit_after(totals[1:])
