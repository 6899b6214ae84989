"""The demonstration catalogue against the table of section 1.4 of the billing rules."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.periods import Period
from app.domain.pricing import month_cost_cents
from app.domain.seed_catalogue import SEED_CATALOGUE
from tests.factories.calls import usage

TODAY = date(2026, 11, 24)
TABLE = [
    ("economy", 39_00, 0, 1_3900, 71),
    ("100", 139_00, 100, 1_2900, 177),
    ("220", 239_00, 220, 1_1900, 438),
    ("500", 499_00, 500, 1_0900, 912),
    ("1000", 949_00, 1_000, 9900, 2_313),
    ("2500", 2_249_00, 2_500, 9500, 4_763),
    ("5000", 4_399_00, 5_000, 8900, 9_719),
    ("10000", 8_599_00, 10_000, 8500, None),
]


class TestSeedCatalogue:
    def test_sells_the_plans_of_the_table(self):
        rows = [
            (
                plan.code,
                plan.base_cents,
                plan.included_minutes,
                plan.overage_rate,
                SEED_CATALOGUE.cost_effective_minutes(plan, TODAY),
            )
            for plan in SEED_CATALOGUE.sold_on(TODAY)
        ]
        assert rows == TABLE

    @pytest.mark.parametrize(
        ("on", "base_100", "base_220", "threshold"),
        [
            (date(2014, 12, 31), 139_00, 239_00, 177),
            (date(2015, 1, 1), 128_00, 219_00, 176),
            (date(2019, 12, 31), 128_00, 219_00, 176),
            (date(2020, 1, 1), 139_00, 239_00, 177),
        ],
    )
    def test_sold_two_plans_at_older_prices_from_2015_to_2019(self, on, base_100, base_220, threshold):
        plan = SEED_CATALOGUE.get("100", on)
        assert (plan.base_cents, SEED_CATALOGUE.get("220", on).base_cents) == (base_100, base_220)
        assert SEED_CATALOGUE.cost_effective_minutes(plan, on) == threshold

    def test_has_one_version_of_each_plan_on_every_day_and_unique_ids(self):
        versions = SEED_CATALOGUE.versions
        assert len({plan.id for plan in versions}) == len(versions)
        turns = {plan.valid_from for plan in versions} | {plan.valid_before for plan in versions if plan.valid_before}
        for on in {turn + timedelta(days=shift) for turn in turns for shift in (0, 1)}:
            SEED_CATALOGUE.check_ladder(on)
            assert [plan.code for plan in SEED_CATALOGUE.sold_on(on)] == [row[0] for row in TABLE]

    def test_names_plans_as_a_customer_reads_them(self):
        names = [plan.name for plan in SEED_CATALOGUE.sold_on(TODAY)]
        assert (names[0], names[1], names[-1]) == ("Economy", "100 Minutes", "10,000 Minutes")

    @pytest.mark.parametrize("on", [TODAY, date(2016, 6, 1)])
    def test_the_cheapest_plan_moves_up_one_step_exactly_one_minute_past_each_threshold(self, on):
        plans, period = SEED_CATALOGUE.sold_on(on), Period.parse("2026-10")
        cheapest = []
        for minutes in range(13_001):
            used = usage(live_minutes=minutes)
            costs = [month_cost_cents(used, plan, period, period.starts_on) for plan in plans]
            cheapest.append(costs.index(min(costs)))
        steps = [(m, cheapest[m]) for m in range(1, 13_001) if cheapest[m] != cheapest[m - 1]]
        thresholds = [SEED_CATALOGUE.cost_effective_minutes(plan, on) for plan in plans[:-1]]
        assert cheapest[0] == 0
        assert steps == [(threshold + 1, step) for step, threshold in enumerate(thresholds, start=1)]
