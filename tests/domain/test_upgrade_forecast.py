"""The automatic upgrades that a month is heading for (rules 19-21)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.explanations import explain, reversed_number
from app.domain.invoice_drafts import InvoiceKind
from app.domain.invoice_lines import LineKind
from app.domain.line_inputs import inputs_of
from app.domain.periods import Period
from app.domain.plan_changes import PlanSnapshot
from app.domain.positions import NOTHING_BILLED
from app.domain.pricing import month_cost_cents
from app.domain.projection import project
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.domain.taxes import TaxRate
from app.domain.upgrade_forecast import UpgradeForecast, forecast_upgrade, forecast_upgrades
from app.domain.upgrades import find_upgrade
from app.domain.usage import UsageTotals
from tests.factories.calls import usage
from tests.factories.invoices import billed_base

SEPTEMBER = Period.parse("2026-09")
YOUNG = date(2026, 6, 1)
OLD = date(2025, 1, 1)
PLANS = {plan.code: plan for plan in SEED_CATALOGUE.sold_on(SEPTEMBER.starts_on)}


def days_at(minutes_a_day: int, *, first: date, last: date) -> dict[date, UsageTotals]:
    count = (last - first).days + 1
    return {first + timedelta(days=offset): usage(live_minutes=minutes_a_day) for offset in range(count)}


def forecasts(
    minutes_a_day: int,
    *,
    plan: str = "100",
    today: int = 11,
    paid_starts_on: date = YOUNG,
    upgrades_so_far: int = 0,
    credit_cents: int = 0,
    taxes: tuple[TaxRate, ...] = (),
    billed_taxes: tuple[TaxRate, ...] = (),
    is_billed: bool = True,
) -> tuple[UpgradeForecast, ...]:
    """What September 2026 is heading for at an even pace since its first day, or since a later paid start."""
    known_from = max(SEPTEMBER.starts_on, paid_starts_on)
    now = date(2026, 9, today)
    projection = project(
        period=SEPTEMBER,
        today=now,
        known_from=known_from,
        days=days_at(minutes_a_day, first=known_from, last=now - timedelta(days=1)),
    )
    version = PLANS[plan]
    billed = billed_base(version.base_cents, version, month="2026-09", taxes=billed_taxes)
    snapshot = PlanSnapshot(
        today=now,
        period=SEPTEMBER,
        paid_starts_on=paid_starts_on,
        month_plan=version,
        chosen_plan=version,
        pending_plan=None,
        next_cycle_on=date(2026, 10, 1) if is_billed else SEPTEMBER.starts_on,
        usage=projection.used,
        billed_base=billed if is_billed else NOTHING_BILLED,
        credit_available_cents=credit_cents,
        taxes=taxes,
    )
    arguments = {"projection": projection, "upgrades_so_far": upgrades_so_far, "catalogue": SEED_CATALOGUE}
    found = forecast_upgrades(snapshot=snapshot, **arguments)
    assert forecast_upgrade(snapshot=snapshot, **arguments) == (found[0] if found else None)
    return found


class TestForecast:
    def test_rule_21_names_the_day_the_plan_the_amount_and_the_saving(self):
        [upgrade] = forecasts(10)
        # 177 minutes cost 238.33 on the plan 100, 178 cost 239.62: more than 239.00; that many are used on the 18th.
        assert upgrade.on == date(2026, 9, 18)
        assert (upgrade.plan, upgrade.target) == (PLANS["100"], PLANS["220"])
        assert not upgrade.is_permanent
        assert (upgrade.base_difference_cents, upgrade.amount_due_cents) == (100_00, 100_00)
        # 300 minutes in all: 139.00 + 258.00 against 239.00 + 95.20
        assert upgrade.saving_cents == 397_00 - 334_20

    def test_its_invoice_is_the_one_to_come(self):
        """Rule 13: the new base, less the one billed."""
        draft = forecasts(10)[0].draft
        assert draft.kind is InvoiceKind.PLAN_UPGRADE
        assert [(line.kind, line.amount_cents) for line in draft.lines] == [
            (LineKind.BASE, 239_00),
            (LineKind.BASE_REVERSAL, -139_00),
        ]

    def test_credit_and_tax_are_on_it(self):
        taxes = (TaxRate("Sales tax", 100_000),)
        upgrade = forecasts(10, credit_cents=60_00, taxes=taxes, billed_taxes=taxes)[0]
        assert (upgrade.base_difference_cents, upgrade.amount_due_cents) == (100_00, 50_00)

    def test_a_tax_that_began_since_is_on_all_of_the_new_base(self):
        """239.00 and its 23.90, less the 139.00 that had been billed untaxed."""
        upgrade = forecasts(10, taxes=(TaxRate("Sales tax", 100_000),))[0]
        assert (upgrade.base_difference_cents, upgrade.amount_due_cents) == (100_00, 123_90)

    def test_what_it_takes_back_of_an_invoice_to_come_names_no_number(self):
        """On the 1st, before the month's invoice is issued."""
        taxes = (TaxRate("Sales tax", 100_000),)
        upgrade = forecasts(30, plan="economy", taxes=taxes, is_billed=False)[-1]
        back = [line for line in upgrade.draft.lines if line.amount_cents < 0]
        assert [explain(line).title for line in back][-1] == "Sales tax of an invoice to come: given back"
        assert explain(back[0]).arithmetic.startswith("line 1 of an invoice to come charged $")
        assert [each.value for each in inputs_of(back[0]) if each.key == "invoice"] == ["an invoice to come"]
        assert [reversed_number(line) for line in back] == [None, None]

    @pytest.mark.parametrize("minutes_a_day", [0, 5])
    def test_a_month_that_fits_its_plan_has_none(self, minutes_a_day):
        assert forecasts(minutes_a_day) == ()

    def test_the_highest_plan_has_none(self):
        assert forecasts(600, plan="10000") == ()

    def test_too_little_data_forecast_nothing(self):
        assert forecasts(600, today=7) == ()

    def test_one_that_is_due_already_is_due_today(self):
        assert forecasts(20, today=11)[0].on == date(2026, 9, 11)


class TestSeveralInOneMonth:
    def test_each_step_is_forecast_from_the_one_before(self):
        found = forecasts(30, credit_cents=150_00)
        steps = [(one.on.day, one.plan.code, one.target.code) for one in found]
        assert steps == [(11, "100", "220"), (15, "220", "500")]
        assert [one.base_difference_cents for one in found] == [100_00, 260_00]
        assert [one.amount_due_cents for one in found] == [0, 210_00]
        # 900 minutes: 1,171.00 on 100, 1,048.20 on 220, 935.00 on 500
        assert [one.saving_cents for one in found] == [1_171_00 - 1_048_20, 1_048_20 - 935_00]

    @pytest.mark.parametrize(
        ("so_far", "permanent"), [(0, [False, False]), (2, [False, True]), (3, [True, False]), (4, [True, False])]
    )
    def test_rule_20_the_fourth_is_permanent_and_the_count_begins_anew(self, so_far, permanent):
        assert [one.is_permanent for one in forecasts(30, upgrades_so_far=so_far)] == permanent


class TestTenure:
    def test_rule_19_after_six_months_the_next_threshold_has_to_be_passed_too(self):
        assert forecasts(10, paid_starts_on=OLD) == ()
        [upgrade] = forecasts(20, paid_starts_on=OLD)
        assert (upgrade.on, upgrade.target.code) == (date(2026, 9, 22), "500")
        assert upgrade.base_difference_cents == 360_00


class TestFirstMonth:
    def test_rule_13_both_bases_are_those_of_the_paid_days(self):
        """The golden vector: paid from 11 September, 159.40 less 92.60."""
        [upgrade] = forecasts(10, today=21, paid_starts_on=date(2026, 9, 11), is_billed=False)
        assert upgrade.target.code == "220"
        assert upgrade.base_difference_cents == 66_80


class TestEveryMonth:
    @given(st.integers(0, 400), st.integers(8, 30), st.sampled_from(sorted(PLANS)), st.sampled_from([YOUNG, OLD]))
    def test_ends_on_the_plan_that_its_projected_usage_calls_for(self, minutes_a_day, today, plan, paid_starts_on):
        found = forecasts(minutes_a_day, plan=plan, today=today, paid_starts_on=paid_starts_on)
        total = usage(live_minutes=minutes_a_day * 30)

        def cost(version):
            return month_cost_cents(total, version, SEPTEMBER, paid_starts_on)

        last = found[-1].target if found else PLANS[plan]
        left = find_upgrade(
            plan=last,
            usage=total,
            period=SEPTEMBER,
            paid_starts_on=paid_starts_on,
            upgrades_so_far=0,
            catalogue=SEED_CATALOGUE,
        )
        assert left is None
        assert sum(one.saving_cents for one in found) == cost(PLANS[plan]) - cost(last)
        assert sum(one.base_difference_cents for one in found) == last.base_cents - PLANS[plan].base_cents
        assert [one.on for one in found] == sorted(one.on for one in found)
