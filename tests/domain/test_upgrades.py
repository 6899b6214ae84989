"""The automatic upgrade: when it is due, to which plan, and for how long (rules 19, 20)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.invoices import compute_invoice
from app.domain.periods import Period
from app.domain.plan_changes import PlanSnapshot, plan_change_facts
from app.domain.proration import prorated_cents
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.upgrades import MANDATORY_MONTHS, ONE_MONTH_UPGRADES, find_upgrade
from tests import calculator
from tests.factories.calls import usage
from tests.factories.invoices import a_used_month, billed_base, facts
from tests.factories.strategies import DAYS

NEWCOMER = date(2026, 7, 1)
LONG_SINCE = date(2026, 1, 1)
FIRST_MONTH = date(2026, 9, 11)


def plan(code, on=date(2026, 8, 1)):
    return SEED_CATALOGUE.get(code, on)


def upgraded(code="100", month="2026-08", *, paid_starts_on=NEWCOMER, upgrades_so_far=0, **used):
    period = Period.parse(month)
    return find_upgrade(
        plan=plan(code, period.starts_on),
        usage=usage(**used),
        period=period,
        paid_starts_on=paid_starts_on,
        upgrades_so_far=upgrades_so_far,
        catalogue=SEED_CATALOGUE,
    )


def target(*given, **used):
    found = upgraded(*given, **used)
    return found and found.target.code


class TestInTheFirstSixMonths:
    """Rule 19: due once staying costs more than the next plan, compared to the cent and not to the minute."""

    def test_is_due_from_the_second_on_at_which_staying_costs_more(self):
        """77 min 31 s above the allowance cost $100.00, and one second more $100.02."""
        assert upgraded(live_minutes=177, live_seconds=31) is None
        assert target(live_minutes=177, live_seconds=32) == "220"

    def test_at_the_old_prices_a_minute_earlier(self):
        """SAS's own figure: over 176 minutes at $128 and $219 with $1.19."""
        old = {"month": "2016-08", "paid_starts_on": date(2016, 7, 1)}
        assert upgraded(**old, live_minutes=176, live_seconds=28) is None
        assert target(**old, live_minutes=176, live_seconds=29) == "220"

    def test_steps_up_until_staying_is_cheapest(self):
        assert target(live_minutes=438) == "220"
        assert target(live_minutes=439) == "500"
        assert target("economy", live_minutes=3_817) == "2500"

    def test_says_what_the_month_costs_with_and_without_it(self):
        found = upgraded(live_minutes=300, patch_seconds=450, ivr_seconds=200)
        assert found.cost_to_stay_cents == 139_00 + 200 * 1_29 + 75 + 50
        assert found.cost_upgraded_cents == 239_00 + 80 * 1_19 + 75 + 50
        assert found.saving_cents == 62_80
        assert replace(found, cost_to_stay_cents=900_00, cost_upgraded_cents=300_00).saving_cents == 600_00

    def test_looks_at_live_time_alone(self):
        """Patched and automated time costs the same on every plan."""
        assert upgraded(live_minutes=177, patch_seconds=900_000, ivr_seconds=900_000) is None

    def test_compares_prorated_prices_in_a_first_partial_month(self):
        """From 11 September: $92.60 with 67 minutes against $159.40; 51 minutes above cost $65.79, 52 cost $67.08."""
        assert upgraded(month="2026-09", paid_starts_on=FIRST_MONTH, live_minutes=118) is None
        assert target(month="2026-09", paid_starts_on=FIRST_MONTH, live_minutes=119) == "220"

    def test_of_the_largest_plan_there_is_none(self):
        assert upgraded("10000", live_minutes=50_000) is None


class TestAfterSixMonths:
    """Rule 19: only past what the next plan is good for as well."""

    @pytest.mark.parametrize(
        ("paid_starts_on", "month", "code"),
        [
            (date(2026, 2, 1), "2026-07", "220"),
            (date(2026, 2, 1), "2026-08", None),
            (date(2026, 2, 2), "2026-08", "220"),
            (date(2026, 2, 2), "2026-09", None),
            (date(2025, 8, 31), "2026-02", "220"),
            (date(2025, 8, 31), "2026-03", None),
        ],
    )
    def test_the_tenure_counts_as_of_the_first_day_of_the_month(self, paid_starts_on, month, code):
        assert MANDATORY_MONTHS == 6
        assert target(month=month, paid_starts_on=paid_starts_on, live_minutes=300) == code

    def test_is_due_one_second_past_the_threshold_of_the_next_plan(self):
        assert upgraded(paid_starts_on=LONG_SINCE, live_minutes=438) is None
        found = upgraded(paid_starts_on=LONG_SINCE, live_minutes=438, live_seconds=1)
        assert found.target.code == "220"

    def test_goes_to_the_plan_that_fits_however_far_up(self):
        assert target(paid_starts_on=LONG_SINCE, live_minutes=3_817) == "2500"

    def test_never_reaches_the_largest_plan_from_the_one_below(self):
        assert upgraded("5000", paid_starts_on=LONG_SINCE, live_minutes=50_000) is None
        assert target("2500", paid_starts_on=LONG_SINCE, live_minutes=50_000) == "10000"


class TestHowLong:
    """Rule 20: one month only, three times; the fourth is permanent."""

    @pytest.mark.parametrize(("so_far", "is_permanent"), [(0, False), (2, False), (3, True), (4, True)])
    def test_the_fourth_stays(self, so_far, is_permanent):
        assert ONE_MONTH_UPGRADES == 3
        assert upgraded(live_minutes=300, upgrades_so_far=so_far).is_permanent == is_permanent

    def test_the_month_stands_on_the_plan_that_fits_so_that_a_second_look_finds_nothing(self):
        assert target(live_minutes=300) == "220"
        assert upgraded("220", live_minutes=300) is None


class TestARealMonth:
    """Account AA0101 in January 1999: 229,042 live and 13,318 automated seconds on plan 100."""

    PAID_FROM = date(1999, 1, 1)
    USED = usage(live_seconds=229_042, ivr_seconds=13_318)

    def test_rule_20_moves_to_the_plan_of_2500_and_is_invoiced_at_once(self):
        found = upgraded(month="1999-01", paid_starts_on=self.PAID_FROM, live_seconds=229_042, ivr_seconds=13_318)
        on = date(1999, 1, 20)
        stay = plan("100", on)
        stands = PlanSnapshot(
            today=on,
            period=Period.containing(on),
            paid_starts_on=self.PAID_FROM,
            month_plan=stay,
            chosen_plan=stay,
            pending_plan=None,
            next_cycle_on=date(1999, 2, 1),
            usage=self.USED,
            billed_base=billed_base(month="1999-01"),
        )
        draft = compute_invoice(plan_change_facts(stands, found.target, InvoiceKind.PLAN_UPGRADE))
        assert (found.target.code, draft.kind) == ("2500", "PLAN_UPGRADE")
        assert [(line.kind, line.amount_cents) for line in draft.lines] == [
            (LineKind.BASE, 2_249_00),
            (LineKind.BASE_REVERSAL, -139_00),
        ]
        assert (draft.amount_due_cents, found.saving_cents) == (2_110_00, 4_967_70 - 3_533_80)

    def test_rule_20_february_is_back_on_its_chosen_plan(self):
        used = (a_used_month("1999-01", plan=plan("2500", self.PAID_FROM), usage=self.USED),)
        stay = plan("100", self.PAID_FROM)
        draft = compute_invoice(facts("1999-02", paid_starts_on=self.PAID_FROM, plan=stay, used=used))
        assert [(line.kind, line.amount_cents) for line in draft.lines] == [
            (LineKind.BASE, 139_00),
            (LineKind.OVERAGE, 1_251_50),
            (LineKind.IVR, 33_30),
        ]
        assert draft.total_cents == 1_423_80


LADDER = SEED_CATALOGUE.sold_on(date(2026, 8, 1))
FIGURES = [
    calculator.PlanFigures(
        base_cents=one.base_cents, included_minutes=one.included_minutes, overage_rate=one.overage_rate
    )
    for one in LADDER
]


class TestAnyMonth:
    @given(
        paid_starts_on=DAYS.filter(lambda on: on.year >= 2020),
        later=st.integers(0, 8),
        at=st.integers(0, len(LADDER) - 1),
        live_seconds=st.integers(0, 60 * 12_000) | st.integers(0, 60 * 1_000),
    )
    def test_ends_where_the_calculator_puts_it_and_never_costs_more(self, paid_starts_on, later, at, live_seconds):
        """Rule 19."""
        period = Period.containing(paid_starts_on).shifted(later)
        found = find_upgrade(
            plan=LADDER[at],
            usage=usage(live_seconds=live_seconds),
            period=period,
            paid_starts_on=paid_starts_on,
            upgrades_so_far=0,
            catalogue=SEED_CATALOGUE,
        )
        month = (period.starts_on.year, period.starts_on.month)
        fits = calculator.fitting_plan(month, paid_starts_on, FIGURES, at, live_seconds)
        assert (LADDER[at] if found is None else found.target) == LADDER[fits]
        if found is not None:
            assert found.saving_cents > 0
            assert found.target.base_cents > LADDER[at].base_cents
            assert found.cost_upgraded_cents == calculator.cost_of_month(
                month, paid_starts_on, FIGURES[fits], live_seconds
            )
            assert prorated_cents(found.target.base_cents, period, paid_starts_on) <= found.cost_upgraded_cents
