"""A month that might be, billed on each plan."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.add_ons import AddOnNotAvailable, AddOnSubscription, AddOnVersion
from app.domain.billing_items import RecurringItem
from app.domain.invoice_lines import LineKind
from app.domain.periods import Period
from app.domain.pricing import month_cost_cents
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.domain.taxes import TaxRate
from app.domain.usage import UsageTotals
from app.domain.what_if import (
    LinesOutOfRange,
    MinutesOutOfRange,
    WhatIf,
    WhatIfBill,
    items_of,
    usage_of_minutes,
    what_if,
)
from tests.factories.calls import usage
from tests.factories.plans import a_220_plan, a_plan
from tests.factories.strategies import TOTALS, plans

OCTOBER = Period.parse("2026-10")
TODAY = date(2026, 9, 15)
ADD_ONS = {version.code: version for version in SEED_ADD_ONS}
ON_CALL = RecurringItem(LineKind.ADD_ON, "on_call", "On-Call", 25_00)
LINE = RecurringItem(LineKind.ADDITIONAL_LINE, "line", "Additional line", 10_00)


def month(used: UsageTotals, *, items=(), plan=None, versions=(), taxes=()) -> WhatIf:
    return what_if(period=OCTOBER, usage=used, items=items, plan=plan or a_plan(), versions=versions, taxes=taxes)


def amounts(bill: WhatIfBill) -> tuple[int, ...]:
    return bill.base_cents, bill.add_on_cents, bill.overage_cents, bill.patch_cents, bill.ivr_cents, bill.tax_cents


class TestBills:
    def test_are_those_of_one_whole_month_line_by_line(self):
        """Rules 6, 7, 11 and 22; patch 7:30 and IVR 3:20 are the golden vector."""
        found = month(usage(live_minutes=110, patch_seconds=450, ivr_seconds=200), items=[ON_CALL, LINE, LINE])
        [bill] = found.bills
        assert amounts(bill) == (139_00, 45_00, 12_90, 75, 50, 0)
        assert bill.total_cents == sum(amounts(bill)) == 198_15
        assert found.cheapest is bill

    def test_stand_for_the_own_plan_and_every_other_cheapest_base_first(self):
        own = a_plan(code="old", base_cents=150_00)
        found = month(usage(live_minutes=300), plan=own, versions=[a_220_plan(), a_plan(), own])
        assert [(bill.plan.code, bill.is_current, bill.total_cents) for bill in found.bills] == [
            ("100", False, 397_00),
            ("old", True, 408_00),
            ("220", False, 334_20),
        ]
        assert found.cheapest.plan.code == "220"

    def test_of_equal_plans_the_own_one_is_the_cheapest_and_then_that_with_the_lower_base(self):
        lower = a_plan(code="lower", base_cents=129_00, included_minutes=90, overage_rate=1_0000)
        used = usage(live_minutes=100)
        assert month(used, versions=[lower]).cheapest.plan == a_plan()
        dear = a_plan(code="dear", base_cents=500_00)
        assert month(used, plan=dear, versions=[a_plan(), lower]).cheapest.plan == lower

    def test_tax_is_on_all_of_it(self):
        [bill] = month(usage(), items=[ON_CALL], taxes=(TaxRate("Sales tax", 100_000),)).bills
        assert (bill.tax_cents, bill.total_cents) == (16_40, 180_40)

    @given(TOTALS, st.lists(plans(), min_size=1, max_size=4))
    def test_without_add_ons_are_what_the_rater_says_of_the_month(self, used, versions):
        found = month(used, plan=versions[0], versions=versions)
        for bill in found.bills:
            expected = month_cost_cents(used, bill.plan, OCTOBER, OCTOBER.starts_on)
            assert bill.total_cents == sum(amounts(bill)) == expected
        assert found.cheapest.total_cents == min(bill.total_cents for bill in found.bills)

    def test_step_from_plan_to_plan_one_minute_past_each_threshold(self):
        """The threshold of the plan 100 at today's prices is 177."""
        sold = SEED_CATALOGUE.sold_on(TODAY)
        months = [month(usage_of_minutes(live_minutes=at), versions=sold) for at in (71, 72, 177, 178)]
        assert [found.cheapest.plan.code for found in months] == ["economy", "100", "100", "220"]


class TestMinutes:
    def test_become_seconds(self):
        asked = usage_of_minutes(live_minutes=300, patch_minutes=2, ivr_minutes=100_000)
        assert asked == UsageTotals(18_000, 120, 6_000_000)

    @pytest.mark.parametrize(
        ("minutes", "words"),
        [
            ({"live_minutes": -1}, "-1 live minutes"),
            ({"live_minutes": 0, "patch_minutes": 100_001}, "100,001 patch minutes"),
            ({"live_minutes": 0, "ivr_minutes": -2}, "-2 IVR minutes"),
        ],
    )
    def test_outside_the_range_are_refused(self, minutes, words):
        with pytest.raises(MinutesOutOfRange) as refused:
            usage_of_minutes(**minutes)
        assert str(refused.value) == f"{words} are out of range. Ask about 0 to 100,000."


def held(version: AddOnVersion, *, ends_before: date | None = None) -> AddOnSubscription:
    return AddOnSubscription(f"sub_{version.code}", version, date(2026, 8, 3), ends_before)


def codes(*, subscriptions=(), **asked) -> list[tuple[str, int]]:
    items = items_of(OCTOBER, subscriptions=subscriptions, versions=SEED_ADD_ONS, today=TODAY, **asked)
    return [(item.code, item.monthly_cents) for item in items]


class TestItems:
    old_on_call = AddOnVersion(
        "addon_on_call_2010", "on_call", "On-Call", LineKind.ADD_ON, 19_00, True, "onCall", "2010", "…",
        date(2010, 1, 1), date(2020, 1, 1),
    )  # fmt: skip

    def test_are_those_that_the_account_has_in_the_month(self):
        ending = held(ADD_ONS["transcription"], ends_before=date(2026, 10, 1))
        subscriptions = [held(self.old_on_call), ending, held(ADD_ONS["line"])]
        assert codes(subscriptions=subscriptions) == [("on_call", 19_00), ("line", 10_00)]

    def test_what_is_asked_for_comes_in_and_the_rest_goes_out(self):
        """Rule 22: what the account has keeps its price."""
        subscriptions = [held(self.old_on_call), held(ADD_ONS["live_call"]), held(ADD_ONS["line"])]
        assert codes(subscriptions=subscriptions, add_on_codes=["queue_voicemail", "on_call", "on_call"]) == [
            ("queue_voicemail", 10_00),
            ("on_call", 19_00),
            ("line", 10_00),
        ]
        assert codes(subscriptions=subscriptions, add_on_codes=[], additional_lines=0) == []

    @pytest.mark.parametrize("lines", [0, 1, 3])
    def test_lines_are_counted(self, lines):
        subscriptions = [held(ADD_ONS["line"]), held(ADD_ONS["line"])]
        assert codes(subscriptions=subscriptions, additional_lines=lines) == [("line", 10_00)] * lines

    @pytest.mark.parametrize("code", ["line", "fax"])
    def test_what_is_no_add_on_on_sale_is_refused(self, code):
        with pytest.raises(AddOnNotAvailable):
            codes(add_on_codes=[code])

    def test_a_line_that_is_not_on_sale_is_refused(self):
        with pytest.raises(AddOnNotAvailable):
            items_of(OCTOBER, subscriptions=[], versions=[ADD_ONS["on_call"]], today=TODAY, additional_lines=1)

    @pytest.mark.parametrize("lines", [-1, 101])
    def test_a_number_of_lines_that_nobody_has_is_refused(self, lines):
        with pytest.raises(LinesOutOfRange, match="Ask about 0 to 100"):
            codes(additional_lines=lines)
