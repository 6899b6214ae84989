"""The one computation of a bill: its lines, its totals and its hashes (rules 4, 7, 9, 11, 14, 25, 27 and 28).

Single charges, tax and the last invoice of an account: `test_charges_and_tax.py`; changes of plan and add-ons: in files
of their own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import USAGE_LINE_KINDS, LineKind
from app.domain.invoices import BillingFacts, UsedPeriod, compute_invoice, facts_hash
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.policies import POLICY_VERSIONS, Policies
from app.domain.position_fold import Books
from app.domain.positions import NO_USAGE_BILLED, NOTHING_BILLED
from app.domain.taxes import TaxRate
from tests.factories.calls import usage
from tests.factories.invoices import (
    SALES_TAX,
    a_charge,
    a_draft,
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
from tests.factories.positions import (
    a_base,
    a_document,
    a_position,
    billed_usage,
    books_of,
    credited,
    given_back,
    used,
)
from tests.factories.strategies import any_facts, billing_facts

POLICIES = POLICY_VERSIONS[-1]
# Recorded once: an invoice issued long ago has to show the same hash when it is computed again.
HASH_OF_KNOWN_FACTS = "c0b84573d5b0c627591f1ae07ad0b5c3d4329067efff6352e93e2387c03b73dd"
HASH_OF_FURTHER_FACTS = "c0ef0a372798b37a387d97eccbc9cbd4298c7a1c7e137a1076493df0d7537bd2"
ALL_KINDS_OF_USAGE = usage(live_minutes=110, patch_seconds=450, ivr_seconds=200, call_count=61)


def drafted(**given_facts):
    return compute_invoice(facts(**given_facts))


def charges(draft):
    return [(line.kind, line.period.month, line.amount_cents) for line in draft.lines]


def unit_prices(draft):
    return [(line.kind, line.quantity, line.unit, line.unit_price, line.amount_cents) for line in draft.lines]


def what_bills(known):
    """What of the facts bills: not the number of calls, and of an issued line its place and what is left of it."""
    months = [replace(month, usage=replace(month.usage, call_count=0), billed=NO_USAGE_BILLED) for month in known.used]
    billed = [[position.content for position in month.billed] for month in known.used]
    return replace(known, used=tuple(months), billed_base=NOTHING_BILLED), billed, known.billed_base.content


def after(billed, month, draft):
    """What a month is billed for its usage once the draft is issued."""
    books = Books.begin(billed.by_key(month.period.starts_on))
    lines = [line for line in draft.lines if line.period == month.period and line.kind in USAGE_LINE_KINDS]
    books.add(a_document(books.next_number, *lines))
    return books.usage(month.period.starts_on)


class TestLines:
    def test_rule_11_puts_the_base_first_then_what_recurs_usage_corrections_single_charges_and_tax(self):
        late = a_used_month("2026-08", usage=ALL_KINDS_OF_USAGE, billed=billed_usage(overage=12_90))
        draft = drafted(
            used=(a_used_month(usage=ALL_KINDS_OF_USAGE), late),
            recurring=(an_item(), an_extra_line()),
            charges=(a_charge(), a_late_fee()),
            taxes=(SALES_TAX,),
        )
        assert charges(draft) == [
            (LineKind.BASE, "2026-10", 139_00),
            (LineKind.ADD_ON, "2026-10", 25_00),
            (LineKind.ADDITIONAL_LINE, "2026-10", 10_00),
            (LineKind.OVERAGE, "2026-09", 12_90),
            (LineKind.PATCH, "2026-09", 75),
            (LineKind.IVR, "2026-09", 50),
            (LineKind.ADJUSTMENT, "2026-08", 75),
            (LineKind.ADJUSTMENT, "2026-08", 50),
            (LineKind.CHARGE, "2026-10", 40_00),
            (LineKind.LATE_FEE, "2026-10", 25_00),
            (LineKind.TAX, "2026-10", 16_54),
        ]
        assert [line.rule for line in draft.lines] == [11, 22, 22, 7, 6, 6, 25, 25, 27, 32, 11]

    def test_of_every_kind_have_one_order(self):
        assert [line.kind for line in lines_of_every_kind()] == list(LineKind)

    def test_bill_only_the_base_when_nothing_was_used(self):
        assert charges(drafted(used=(a_used_month(),))) == [(LineKind.BASE, "2026-10", 139_00)]

    def test_carry_what_explains_a_whole_month(self):
        [line] = drafted().lines
        assert line == a_line()

    def test_rule_9_carry_what_explains_a_first_month(self):
        [line] = drafted(month="2026-09", paid_starts_on=date(2026, 9, 11)).lines
        assert (line.quantity, line.unit, line.unit_price, line.amount_cents) == (20, "day", 4_6300, 92_60)
        assert line.rule == 9
        assert line.inputs == {
            "plan": "100",
            "plan_name": "100 Minutes",
            "paid_days": 20,
            "days": 30,
            "monthly_cents": 139_00,
            "daily_cents": 4_63,
        }

    def test_rule_7_carry_what_explains_the_overage(self):
        line = drafted(used=(a_used_month(usage=usage(live_minutes=110)),)).lines[1]
        assert (line.quantity, line.unit, line.unit_price) == (600, "second", 1_2900)
        assert line.inputs == {
            "plan": "100",
            "plan_name": "100 Minutes",
            "live_seconds": 6_600,
            "allowance_seconds": 6_000,
        }

    def test_bill_a_month_on_its_own_plan_and_not_on_the_new_one(self):
        used = (a_used_month(usage=usage(live_minutes=220)),)
        draft = drafted(plan=a_220_plan(), used=used)
        assert charges(draft) == [(LineKind.BASE, "2026-10", 239_00), (LineKind.OVERAGE, "2026-09", 154_80)]

    def test_rule_4_round_the_total_of_a_line_and_not_each_call(self):
        """Ten calls of two patched seconds are 20 s: 3.33 cents, where each alone would be nothing."""
        used = (a_used_month(usage=usage(patch_seconds=20, call_count=10)),)
        assert drafted(used=used).lines[1].amount_cents == 3

    def test_rule_13_of_a_change_show_what_one_of_them_costs_takes_back_or_keeps(self):
        change = drafted(plan=a_220_plan(), billed_base=billed_base(139_00, credited_cents=20_00))
        assert unit_prices(change) == [
            (LineKind.BASE, 1, "month", 239_0000, 239_00),
            (LineKind.BASE_REVERSAL, 1, "reversal", 119_0000, -119_00),
            (LineKind.CREDIT_KEPT, 1, "credit", -20_0000, -20_00),
        ]
        assert [line.rule for line in change.lines] == [13, 13, 13]
        assert change.lines[1].inputs["charged_cents"] == 139_00
        whole = drafted(plan=a_220_plan(), billed_base=billed_base(139_00))
        assert "charged_cents" not in whole.lines[1].inputs

    def test_rule_13_the_base_is_billed_anew_for_another_plan_or_another_price_alone(self):
        assert drafted(billed_base=billed_base(139_00)).lines == ()
        changed = a_position(a_base(139_00), (a_base(239_00, plan="220"), given_back(139_00)))
        assert drafted(plan=a_220_plan(), billed_base=changed).lines == ()
        for billed_cents in (100_00, 150_00):
            draft = drafted(billed_base=billed_base(billed_cents))
            assert [line.amount_cents for line in draft.lines] == [139_00, -billed_cents]
        of_another = drafted(billed_base=billed_base(139_00, a_220_plan()))
        assert [line.amount_cents for line in of_another.lines] == [139_00, -139_00]
        by_another = drafted(plan=a_220_plan(), billed_base=billed_base(239_00))
        assert [line.amount_cents for line in by_another.lines] == [239_00, -239_00]

    def test_what_recurs_is_charged_whole_from_the_first_day_of_a_month_on(self):
        items = [an_item(first_day=day) for day in (date(2026, 9, 10), date(2026, 10, 1), date(2026, 10, 2))]
        units = [(line.quantity, line.unit) for line in drafted(recurring=tuple(items)).lines[1:]]
        assert units == [(1, "month"), (1, "month"), (30, "day")]

    def test_rule_25_the_last_invoice_corrects_the_month_before_its_own(self):
        month = a_used_month("2026-09", usage=usage(live_minutes=110), billed=billed_usage(overage=2_90))
        draft = drafted(kind=InvoiceKind.FINAL, bills_base=False, used=(month,))
        assert charges(draft) == [(LineKind.ADJUSTMENT, "2026-09", 10_00)]

    def test_show_what_one_unit_of_them_costs(self):
        items = (an_item(), an_item(first_day=date(2026, 10, 16)))
        late = a_used_month("2026-08", usage=usage(live_minutes=110), billed=billed_usage(overage=2_90))
        draft = drafted(used=(late,), recurring=items, charges=(a_charge(), a_late_fee()))
        assert unit_prices(draft) == [
            (LineKind.BASE, 1, "month", 139_0000, 139_00),
            (LineKind.ADD_ON, 1, "month", 25_0000, 25_00),
            (LineKind.ADD_ON, 16, "day", 8100, 12_96),
            (LineKind.ADJUSTMENT, 1, "correction", 10_0000, 10_00),
            (LineKind.CHARGE, 1, "charge", 40_0000, 40_00),
            (LineKind.LATE_FEE, 1, "charge", 25_0000, 25_00),
        ]
        assert [line.rule for line in draft.lines] == [11, 22, 22, 25, 27, 32]

    def test_name_usage_too_small_to_cost_a_cent(self):
        used = (a_used_month(usage=usage(patch_seconds=2, ivr_seconds=1)),)
        assert charges(drafted(used=used))[1:] == [(LineKind.PATCH, "2026-09", 0), (LineKind.IVR, "2026-09", 0)]

    def test_take_unit_prices_from_the_policies(self):
        policies = Policies("test", date.min, patch_rate=UnitPrice(2_000), ivr_rate=UnitPrice(3_000))
        draft = compute_invoice(facts(used=(a_used_month(usage=ALL_KINDS_OF_USAGE, policies=policies),)))
        assert [(line.unit_price, line.amount_cents) for line in draft.lines[2:]] == [(2_000, 1_50), (3_000, 1_00)]


class TestCorrections:
    @pytest.mark.parametrize(("billed_cents", "amount_cents"), [(0, 12_90), (10_00, 2_90), (25_80, -12_90)])
    def test_rule_25_bill_the_difference_to_what_was_billed(self, billed_cents, amount_cents):
        billed = billed_usage(overage=billed_cents)
        late = a_used_month("2026-08", usage=usage(live_minutes=110), billed=billed)
        line = drafted(used=(a_used_month(), late)).lines[1]
        assert (line.kind, line.period.month, line.amount_cents) == (LineKind.ADJUSTMENT, "2026-08", amount_cents)
        assert (line.quantity, line.unit, line.unit_price) == (1, "correction", amount_cents * 100)
        assert line.inputs == {
            "usage": "OVERAGE",
            "plan": "100",
            "plan_name": "100 Minutes",
            "live_seconds": 6_600,
            "allowance_seconds": 6_000,
            "rated_cents": 12_90,
            "billed_cents": billed_cents,
        }

    def test_rule_25_are_one_line_a_kind_of_usage_each_by_what_it_was_billed(self):
        late = a_used_month("2026-08", usage=ALL_KINDS_OF_USAGE, billed=billed_usage(patch=1_00, ivr=20))
        overage, patch, ivr = drafted(used=(a_used_month(), late)).lines[1:]
        assert [line.amount_cents for line in (overage, patch, ivr)] == [12_90, 75 - 1_00, 50 - 20]
        names = {"plan": "100", "plan_name": "100 Minutes"}
        assert patch.inputs == names | {"usage": "PATCH", "patch_seconds": 450, "rated_cents": 75, "billed_cents": 1_00}
        assert ivr.inputs == names | {"usage": "IVR", "ivr_seconds": 200, "rated_cents": 50, "billed_cents": 20}

    def test_rule_25_keep_every_credit_and_name_it(self):
        """$12.90 were billed and $2.90 of it credited; 20 minutes over are $25.80."""
        billed = books_of(used(12_90), credited(2_90)).usage(date(2026, 10, 1))
        late = a_used_month("2026-08", usage=usage(live_minutes=120), billed=billed)
        line = drafted(used=(late,)).lines[1]
        assert line.amount_cents == 12_90
        kept = {"rated_cents": 25_80, "billed_cents": 10_00, "kept_cents": 2_90, "kept_from": "credit note 100002"}
        assert line.inputs.items() >= kept.items()

    def test_rule_25_need_no_line_when_the_month_is_billed_right(self):
        late = a_used_month("2026-08", usage=ALL_KINDS_OF_USAGE, billed=billed_usage(overage=12_90, patch=75, ivr=50))
        assert len(drafted(used=(a_used_month(), late)).lines) == 1

    def test_rule_26_late_calls_are_billed_on_the_months_own_plan_however_many_they_are(self):
        """1,000 minutes in a closed month: dear on the 100 plan, and still no upgrade of it."""
        late = a_used_month("2026-08", usage=usage(live_minutes=1_000))
        draft = drafted(plan=a_220_plan(), used=(a_used_month(), late))
        assert charges(draft) == [(LineKind.BASE, "2026-10", 239_00), (LineKind.ADJUSTMENT, "2026-08", 1_161_00)]

    def test_rule_10_of_a_first_month_use_its_prorated_allowance(self):
        late = a_used_month("2026-08", usage=usage(live_minutes=77))
        line = drafted(paid_starts_on=date(2026, 8, 11), used=(a_used_month(), late)).lines[1]
        assert (line.inputs["allowance_seconds"], line.amount_cents) == (68 * 60, 11_61)

    @given(billing_facts())
    def test_rule_25_once_made_are_not_made_again(self, known):
        """What an invoice bills for each month, after what was billed before, leaves nothing for the next one."""
        draft = compute_invoice(known)
        ended = known.period.shifted(-1)
        settled = tuple(
            replace(month, billed=after(NO_USAGE_BILLED if month.period == ended else month.billed, month, draft))
            for month in known.used
        )
        again = compute_invoice(replace(known, period=known.period.shifted(1), used=settled))
        assert [line.kind for line in again.lines] == [LineKind.BASE]


class TestTotals:
    @pytest.mark.parametrize(
        ("available", "applied", "due"),
        [(0, 0, 139_00), (91_00, 91_00, 48_00), (139_00, 139_00, 0), (200_00, 139_00, 0)],
    )
    def test_rule_35_apply_credit_up_to_the_total(self, available, applied, due):
        draft = drafted(credit_available_cents=available)
        assert (draft.credit_applied_cents, draft.amount_due_cents) == (applied, due)
        assert (draft.total_cents, draft.credit_created_cents) == (139_00, 0)

    def test_rule_14_leave_credit_when_more_comes_back_than_is_charged(self):
        late = a_used_month("2026-08", billed=billed_usage(overage=230_00))
        draft = drafted(used=(late,), credit_available_cents=50_00)
        assert (draft.total_cents, draft.credit_created_cents) == (-91_00, 91_00)
        assert (draft.credit_applied_cents, draft.amount_due_cents) == (0, 0)

    def test_rule_35_apply_none_where_the_facts_name_none(self):
        known = facts()
        assert BillingFacts(known.period, known.paid_starts_on, known.plan, known.policies) == known
        assert not UsedPeriod(known.period, known.plan, known.policies, ALL_KINDS_OF_USAGE).is_current

    def test_rule_27_a_total_of_zero_leaves_nothing_to_pay(self):
        draft = drafted(
            used=(a_used_month("2026-08", billed=billed_usage(overage=139_00)),), credit_available_cents=50_00
        )
        assert (draft.total_cents, draft.credit_applied_cents, draft.credit_created_cents) == (0, 0, 0)
        assert draft.amount_due_cents == 0

    def test_rule_27_an_invoice_stands_in_one_of_five_places(self):
        assert [status.value for status in InvoiceStatus] == ["DRAFT", "OPEN", "PAID", "VOID", "UNCOLLECTIBLE"]

    @given(any_facts())
    def test_are_never_negative_and_always_add_up(self, known):
        """Rules 14 and 35: no credit below zero, none above what there is, none left unused while money is due."""
        draft = compute_invoice(known)
        assert draft.total_cents == sum(line.amount_cents for line in draft.lines)
        assert min(draft.credit_applied_cents, draft.credit_created_cents, draft.amount_due_cents) >= 0
        assert draft.credit_applied_cents <= known.credit_available_cents
        assert draft.amount_due_cents == 0 or draft.credit_applied_cents == known.credit_available_cents
        assert draft.total_cents == draft.amount_due_cents + draft.credit_applied_cents - draft.credit_created_cents

    @given(any_facts())
    def test_lines_stand_in_the_order_of_rule_11(self, known):
        order = {kind: place for place, kind in enumerate(LineKind)}
        # Add-ons and lines stand together in the order in which they were bought, single charges and fees as well.
        order |= {LineKind.ADDITIONAL_LINE: order[LineKind.ADD_ON], LineKind.LATE_FEE: order[LineKind.CHARGE]}
        places = [order[line.kind] for line in compute_invoice(known).lines]
        assert places == sorted(places)
        assert places.count(order[LineKind.BASE]) == known.bills_base or known.billed_base.lines


class TestFactsHash:
    """Rule 28: an invoice names a hash of all its inputs."""

    KNOWN = facts(
        used=(
            a_used_month(usage=ALL_KINDS_OF_USAGE),
            a_used_month("2026-08", usage=usage(live_minutes=90), billed=billed_usage(overage=1_00)),
        ),
        credit_available_cents=91_00,
    )

    def changed(self, **changes):
        """The known facts with the newest month changed."""
        return replace(self.KNOWN, used=(replace(self.KNOWN.used[0], **changes), self.KNOWN.used[1]))

    def test_is_the_same_in_every_build(self):
        assert facts_hash(self.KNOWN) == HASH_OF_KNOWN_FACTS

    def test_of_what_most_invoices_have_none_of_is_the_same_in_every_build(self):
        further = facts(
            kind=InvoiceKind.ADD_ON,
            bills_base=False,
            billed_base=billed_base(credited_cents=20_00),
            recurring=(an_item(first_day=date(2026, 10, 16)), an_extra_line()),
            charges=(a_charge(), a_late_fee()),
            taxes=(SALES_TAX,),
        )
        assert facts_hash(further) == HASH_OF_FURTHER_FACTS

    @given(any_facts())
    def test_equal_facts_have_an_equal_hash_and_an_equal_invoice(self, known):
        twin = replace(known, used=tuple(replace(month) for month in known.used))
        assert facts_hash(twin) == facts_hash(known)
        assert compute_invoice(twin).content_hash == compute_invoice(known).content_hash

    @given(known=any_facts(), other=any_facts())
    def test_other_facts_have_another_hash(self, known, other):
        assert (facts_hash(known) == facts_hash(other)) == (what_bills(known) == what_bills(other))

    def test_of_an_issued_base_does_not_hang_on_what_explains_it(self):
        billed = billed_base()
        explained = [replace(each, line=replace(each.line, rule=13)) for each in billed.lines]
        known = replace(self.KNOWN, billed_base=billed)
        other = replace(self.KNOWN, billed_base=replace(billed, lines=tuple(explained)))
        assert known != other
        assert facts_hash(known) == facts_hash(other)

    def test_changes_with_every_single_input(self):
        month = self.KNOWN.used[0]
        others = {
            "period": replace(self.KNOWN, period=Period.parse("2026-11")),
            "paid start": replace(self.KNOWN, paid_starts_on=date(2026, 2, 2)),
            "plan": replace(self.KNOWN, plan=a_220_plan()),
            "credit": replace(self.KNOWN, credit_available_cents=91_01),
            "no used months": replace(self.KNOWN, used=()),
            "one used month": replace(self.KNOWN, used=self.KNOWN.used[:1]),
            "order of used months": replace(self.KNOWN, used=self.KNOWN.used[::-1]),
            "used period": self.changed(period=Period.parse("2026-07")),
            "used plan": self.changed(plan=a_220_plan()),
            "live": self.changed(usage=replace(month.usage, live_seconds=6_601)),
            "patch": self.changed(usage=replace(month.usage, patch_seconds=451)),
            "ivr": self.changed(usage=replace(month.usage, ivr_seconds=201)),
            "overage billed": self.changed(billed=billed_usage(overage=1)),
            "patch billed": self.changed(billed=billed_usage(patch=1)),
            "ivr billed": self.changed(billed=billed_usage(ivr=1)),
            "taxed": self.changed(billed=billed_usage(overage=1, taxes=(TaxRate("Whole", 1_000_000),))),
            "credited": self.changed(billed=books_of(used(2), credited(1)).usage(date(2026, 10, 1))),
            "credited before": self.changed(billed=books_of(used(1), credited(1), used(1)).usage(date(2026, 10, 1))),
            "billed in parts": self.changed(billed=books_of(used(1), used(0)).usage(date(2026, 10, 1))),
            "kind": replace(self.KNOWN, kind=InvoiceKind.FINAL),
            "no base": replace(self.KNOWN, bills_base=False),
            "base billed": replace(self.KNOWN, billed_base=billed_base()),
            "other base billed": replace(self.KNOWN, billed_base=billed_base(138_00)),
            "base billed and credited": replace(self.KNOWN, billed_base=billed_base(139_00, credited_cents=1_00)),
            "base billed with tax": replace(self.KNOWN, billed_base=billed_base(taxes=(SALES_TAX,))),
            "add-on": replace(self.KNOWN, recurring=(an_item(),)),
            "add-on bought now": replace(self.KNOWN, recurring=(an_item(first_day=date(2026, 10, 2)),)),
            "line": replace(self.KNOWN, recurring=(an_extra_line(),)),
            "charge": replace(self.KNOWN, charges=(a_charge(),)),
            "fee": replace(self.KNOWN, charges=(a_late_fee(),)),
            "tax": replace(self.KNOWN, taxes=(SALES_TAX,)),
            "other tax": replace(self.KNOWN, taxes=(replace(SALES_TAX, rate=65_001),)),
            "tax of another name": replace(self.KNOWN, taxes=(replace(SALES_TAX, name="Tax"),)),
            "tax on something": replace(self.KNOWN, taxes=(replace(SALES_TAX, kinds=(LineKind.BASE,)),)),
            "two taxes": replace(self.KNOWN, taxes=(SALES_TAX, TaxRate("City", 1))),
        }
        hashes = {name: facts_hash(other) for name, other in others.items()}
        hashes["as it was"] = facts_hash(self.KNOWN)
        later = replace(POLICIES, version="2027-01")
        hashes["policies"] = facts_hash(replace(self.KNOWN, policies=later))
        hashes["used policies"] = facts_hash(self.changed(policies=later))
        assert len(set(hashes.values())) == len(hashes)

    def test_does_not_hang_on_the_number_of_calls_which_bills_nothing(self):
        other = self.changed(usage=replace(ALL_KINDS_OF_USAGE, call_count=62))
        assert facts_hash(other) == facts_hash(self.KNOWN)
        assert compute_invoice(other) == compute_invoice(self.KNOWN)


class TestContentHash:
    """Rule 28: equal content gives an equal hash, any other content another."""

    @given(known=billing_facts(), order=st.randoms(use_true_random=False))
    def test_does_not_hang_on_the_order_of_inputs(self, known, order):
        draft = compute_invoice(known)
        lines = []
        for line in draft.lines:
            inputs = list(line.inputs.items())
            order.shuffle(inputs)
            lines.append(replace(line, inputs=dict(inputs)))
        assert replace(draft, lines=tuple(lines)).content_hash == draft.content_hash

    def test_changes_with_everything_that_is_billed(self):
        line = a_line()
        lines = [
            replace(line, kind=LineKind.PATCH),
            replace(line, period=Period.parse("2026-09")),
            replace(line, quantity=2),
            replace(line, unit="day"),
            replace(line, unit_price=UnitPrice(1)),
            replace(line, amount_cents=139_01),
            replace(line, rule=9),
            replace(line, inputs={**line.inputs, "days": 30}),
            replace(line, inputs={**line.inputs, "days": "31"}),
            replace(line, inputs={}),
        ]
        drafts = [a_draft(lines=(changed,)) for changed in lines]
        drafts += [
            a_draft(),
            a_draft(lines=()),
            a_draft(lines=(line, line)),
            a_draft(lines=(line,), month="2026-11"),
            a_draft(credit_applied_cents=1),
        ]
        assert len({draft.content_hash for draft in drafts}) == len(drafts)

    def test_hangs_on_the_order_of_lines(self):
        one, other = a_line(), a_line(amount_cents=1_29, kind=LineKind.OVERAGE, month="2026-09")
        assert a_draft(lines=(one, other)).content_hash != a_draft(lines=(other, one)).content_hash

    @given(known=billing_facts(), other=billing_facts())
    def test_differs_when_the_amounts_differ(self, known, other):
        drafts = [compute_invoice(each) for each in (known, other)]
        if charges(drafts[0]) != charges(drafts[1]):
            assert drafts[0].content_hash != drafts[1].content_hash
