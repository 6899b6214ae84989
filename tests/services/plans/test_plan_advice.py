"""Advice about plans, from an account's own months and days in the database (rules 10, 20, 21, 22, 40)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from app.domain.add_ons import AddOnNotAvailable, AddOnSubscription
from app.domain.invoice_lines import LineKind
from app.domain.projection import ProjectionBasis
from app.domain.recommendation import NoAdvice
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.domain.what_if import usage_of_minutes
from app.repositories import unit_of_work
from app.repositories.pages.next_invoice import NEXT_INVOICE
from app.repositories.pages.plan_advice import PLAN_ADVICE
from app.repositories.simulations import MonthSimulation, SimulationRepository
from app.repositories.unit_of_work import UnitOfWork
from app.services.cycle.simulate_months import closed_month_simulations, simulate_closed_month
from app.services.plans.plan_advice import (
    plan_advice,
    plan_advice_dates,
    project_month,
    projected_next_invoice,
    upgrades_ahead,
    what_if_month,
)
from app.services.plans.upgrade_plans import upgrade_plans
from app.views.plan_advice import PlanAdviceFacts
from tests.factories.calls import a_call, usage
from tests.trips import counted_trips
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


async def talk(world: World, first: date, last: date, *, minutes: int, **seconds: int) -> None:
    """One call at noon of each day; time passes up to the evening of the last."""
    for offset in range((last - first).days + 1):
        on = first + timedelta(days=offset)
        await world.advance_to(pacific(on.year, on.month, on.day, 20))
        call = a_call(
            event_id=f"{ACCOUNT}/{on}",
            started_at=pacific(on.year, on.month, on.day, 12),
            script_seconds=minutes * MINUTE,
            recording_seconds=0,
            **seconds,
        )
        await world.add_calls(call)


async def facts(world: World, *, months: int = 12, account: str = ACCOUNT) -> PlanAdviceFacts:
    dates = plan_advice_dates(world.clock.now(), months)
    [found] = await world.database.reader.load(PLAN_ADVICE.request(account=account, **dates))
    return found


async def next_invoice_facts(world: World) -> Any:
    [found] = await world.database.reader.load(NEXT_INVOICE.request(account=ACCOUNT))
    return found


async def store(world: World, *simulations: MonthSimulation) -> int:
    return await unit_of_work.write(world.database, lambda uow: SimulationRepository(uow.session).add_many(simulations))


class TestFacts:
    async def test_an_account_that_is_not_there_has_none(self, world):
        assert await facts(world, account="AA0404") is None

    async def test_are_the_months_opened_and_the_latest_days_since_the_paid_start(self, world):
        """Rule 10: the calls of the trial are not among them."""
        await world.add_account(trial_ends_on=date(2026, 7, 30))
        await talk(world, date(2026, 7, 30), date(2026, 8, 2), minutes=5)
        await world.advance_to(pacific(2026, 9, 2, 12))
        found = await facts(world)
        assert dict(found.months) == {
            date(2026, 7, 1): usage(live_minutes=5, call_count=1),
            date(2026, 8, 1): usage(live_minutes=10, call_count=2),
        }
        assert list(found.days) == [date(2026, 7, 31), date(2026, 8, 1), date(2026, 8, 2)]
        assert found.snapshot.external_id == ACCOUNT
        assert list(found.stored_costs) == [date(2026, 7, 1), date(2026, 8, 1)]

    async def test_reach_as_far_back_as_is_asked(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 1))
        await talk(world, date(2026, 7, 1), date(2026, 7, 1), minutes=5)
        await world.advance_to(pacific(2026, 12, 2, 12))
        found = await facts(world, months=2)
        assert list(found.months) == [date(2026, 10, 1), date(2026, 11, 1)]
        assert found.days == {}
        assert len((await facts(world)).months) == 5

    async def test_come_in_one_trip(self, world):
        await world.add_account()
        await facts(world)
        async with counted_trips() as trips:
            await facts(world)
        assert trips.count == 1

    async def test_dates_are_those_of_the_billing_zone(self):
        """Rule 1."""
        assert plan_advice_dates(datetime(2026, 9, 1, 5, tzinfo=UTC)) == {
            "today": date(2026, 8, 31),
            "month": date(2026, 8, 1),
            "months_since": date(2025, 8, 1),
            "days_since": date(2026, 5, 1),
        }


class TestProjection:
    async def test_rule_40_goes_by_the_days_of_this_month_and_of_those_before(self, world):
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 8, 9), minutes=2, patch_seconds=30)
        await world.advance_to(pacific(2026, 8, 10, 9))
        projection = project_month(await facts(world))
        assert projection.basis is ProjectionBasis.WEEKDAY_PATTERN
        assert (projection.observed_from, projection.observed_days) == (date(2026, 7, 1), 40)
        assert projection.used == usage(live_minutes=18, patch_seconds=270, call_count=9)
        assert projection.usage == usage(live_minutes=62, patch_seconds=930, call_count=31)

    async def test_an_account_without_days_projects_nothing(self, world):
        await world.add_account()
        assert project_month(await facts(world)).basis is ProjectionBasis.TOO_LITTLE_DATA


class TestAdvice:
    async def test_rule_40_rates_full_months_and_the_projected_one(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 11))
        await talk(world, date(2026, 7, 11), date(2026, 10, 10), minutes=10)
        await world.advance_to(pacific(2026, 10, 11, 9))
        advice = plan_advice(await facts(world))
        # July was a part of a month. August and October (projected) have 310 minutes, September 300.
        months = [(each.period.month, each.usage.live_seconds // 60, each.is_projected) for each in advice.months]
        assert months == [("2026-08", 310, False), ("2026-09", 300, False), ("2026-10", 310, True)]
        assert advice.current.plan.code == "100"
        assert advice.current.month_cents == (409_90, 397_00, 409_90)
        assert advice.recommended == SEED_CATALOGUE.get("220", date(2026, 10, 11))
        best = next(each for each in advice.simulations if each.plan == advice.recommended)
        assert best.month_cents == (346_10, 334_20, 346_10)
        assert advice.average_saving_cents == 63_47

    async def test_a_first_month_and_a_young_one_give_none(self, world):
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 3), minutes=10)
        advice = plan_advice(await facts(world))
        assert (advice.months, advice.no_advice) == ((), NoAdvice.TOO_FEW_MONTHS)

    async def test_a_first_month_in_part_is_not_projected_into_advice(self, world):
        await world.add_account(paid_since_on=date(2026, 7, 11))
        await talk(world, date(2026, 7, 11), date(2026, 7, 25), minutes=10)
        found = await facts(world)
        assert project_month(found).is_made
        assert plan_advice(found).months == ()


class TestStoredCosts:
    async def test_are_used_where_a_month_has_them_and_worked_out_where_not(self, world):
        account = await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 31), minutes=5)
        july = MonthSimulation(account.id, date(2026, 7, 1), {"economy": 1, "100": 2})
        assert await store(world, july) == 1

        await world.advance_to(pacific(2026, 9, 5, 12))

        found = await facts(world)
        assert found.stored_costs[date(2026, 7, 1)] == {"economy": 1, "100": 2}
        bills = {each.plan.code: each.month_cents[:2] for each in plan_advice(found).simulations}
        assert (bills["economy"], bills["100"], bills["220"]) == ((1, 39_00), (2, 139_00), (239_00, 239_00))

    async def test_a_month_keeps_the_first(self, world):
        account = await world.add_account()
        first = MonthSimulation(account.id, date(2026, 7, 1), {"100": 2})
        assert await store(world, first, first) == 1
        assert await store(world, MonthSimulation(account.id, date(2026, 7, 1), {"100": 3})) == 0
        assert await store(world) == 0
        await world.advance_to(pacific(2026, 8, 1, 12))
        assert (await facts(world)).stored_costs == {date(2026, 7, 1): {"100": 2}}

    async def test_are_worked_out_from_the_facts_that_close_the_month(self, world):
        """Rule 40: one simulation for each account whose month ends, none for a first invoice."""
        account = await world.add_account()
        silent = await world.add_account("AA0102")
        young = await world.add_account("AA0103", paid_since_on=date(2026, 8, 1))
        await talk(world, date(2026, 7, 1), date(2026, 7, 31), minutes=5)
        ids = [account.id, silent.id, young.id]
        closing = await unit_of_work.read(world.database, lambda uow: uow.cycles.facts(ids))
        found = {each.account_id: each for each in closed_month_simulations(closing, SEED_CATALOGUE)}
        assert set(found) == {account.id, silent.id}
        assert found[silent.id].costs["100"] == 139_00
        simulation = found[account.id]
        assert simulation.period_on == date(2026, 7, 1)
        ending = closing[account.id].ending
        assert simulation.costs == simulate_closed_month(
            usage=ending.usage,
            period=ending.period,
            paid_starts_on=date(2026, 7, 1),
            catalogue=SEED_CATALOGUE,
        )
        assert (simulation.costs["economy"], simulation.costs["100"]) == (254_45, 209_95)
        assert len(simulation.costs) == 8

    async def test_are_what_would_be_worked_out_on_reading(self, world):
        account = await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 31), minutes=5)
        closing = await unit_of_work.read(world.database, lambda uow: uow.cycles.facts([account.id]))
        await world.advance_to(pacific(2026, 8, 10, 12))
        before = plan_advice(await facts(world))
        await store(world, *closed_month_simulations(closing, SEED_CATALOGUE))
        assert plan_advice(await facts(world)).simulations == before.simulations


class TestUpgradesAhead:
    async def test_rule_21_the_forecast_is_what_then_happens(self, world):
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 10), minutes=10)
        [upgrade] = upgrades_ahead(await facts(world))
        assert (upgrade.on, upgrade.target.code) == (date(2026, 7, 18), "220")
        assert (upgrade.amount_due_cents, upgrade.saving_cents) == (100_00, 409_90 - 346_10)

        await talk(world, date(2026, 7, 11), date(2026, 7, 17), minutes=10)
        assert await upgrade_plans(world.services) == 0
        await talk(world, date(2026, 7, 18), date(2026, 7, 18), minutes=10)
        assert await upgrade_plans(world.services) == 1
        issued = (await world.issued())[-1]
        assert (issued.amount_due_cents, issued.content_hash) == (100_00, upgrade.draft.content_hash)
        assert upgrades_ahead(await facts(world)) == ()


class TestProjectedNextInvoice:
    async def test_rule_40_is_the_one_that_is_issued_when_the_month_goes_on_at_its_pace(self, world):
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 20), minutes=4, patch_seconds=30, ivr_seconds=20)
        await world.pay(50_00 + 139_00)
        projected = await self.projected(world)
        assert [(line.kind, line.amount_cents) for line in projected.draft.lines] == [
            (LineKind.BASE, 139_00),
            (LineKind.OVERAGE, 30_96),
            (LineKind.PATCH, 1_55),
            (LineKind.IVR, 1_55),
        ]
        assert projected.draft.amount_due_cents == 123_06
        await talk(world, date(2026, 7, 21), date(2026, 7, 31), minutes=4, patch_seconds=30, ivr_seconds=20)
        await world.advance_to(pacific(2026, 8, 1, 7))
        assert (await world.issued())[-1].content_hash == projected.draft.content_hash

    async def test_rule_20_an_upgrade_on_the_way_is_in_it(self, world):
        """The month is billed on the plan it ends on, and the next begins on the chosen one again."""
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 10), minutes=10)
        await world.pay(30_00 + 139_00)
        projected = await self.projected(world)
        assert [(line.kind, line.amount_cents) for line in projected.draft.lines] == [
            (LineKind.BASE, 139_00),
            (LineKind.OVERAGE, 107_10),
        ]
        assert projected.draft.credit_applied_cents == 0  # the upgrade's invoice takes the $30.00 first
        await talk(world, date(2026, 7, 11), date(2026, 7, 31), minutes=10)
        await world.advance_to(pacific(2026, 8, 1, 7))
        *_, upgraded, opened = await world.issued()
        assert (upgraded.amount_due_cents, opened.content_hash) == (70_00, projected.draft.content_hash)

    async def test_rule_20_the_base_after_a_permanent_upgrade_is_the_new_one(self, world):
        account = await world.add_account()
        await unit_of_work.write(world.database, lambda uow: _count_upgrades(uow, account.id, 3))
        await talk(world, date(2026, 7, 1), date(2026, 7, 10), minutes=10)
        projected = await self.projected(world)
        assert [line.amount_cents for line in projected.draft.lines] == [239_00, 107_10]
        await talk(world, date(2026, 7, 11), date(2026, 7, 31), minutes=10)
        await world.advance_to(pacific(2026, 8, 1, 7))
        assert (await world.issued())[-1].content_hash == projected.draft.content_hash

    async def test_before_the_invoice_of_the_month_that_one_is_next(self, world):
        await world.add_account()
        await talk(world, date(2026, 7, 1), date(2026, 7, 31), minutes=10)
        await world.advance_to(pacific(2026, 8, 1, 5))
        projected = await self.projected(world)
        assert (projected.draft.period.month, projected.usage_period.month) == ("2026-08", "2026-07")
        assert projected.draft.lines[1].amount_cents == 270_90

    async def projected(self, world: World) -> Any:
        now = world.clock.now()
        return projected_next_invoice(facts=await next_invoice_facts(world), advice=await facts(world), now=now)


class TestWhatIf:
    async def test_bills_the_next_month_with_what_the_account_has(self, world):
        """Rule 22."""
        account = await world.add_account()
        await subscribe(world, account.id, "on_call", "line")
        found = what_if_month(await facts(world), usage=usage_of_minutes(live_minutes=178))
        assert found.period.month == "2026-08"
        current = next(bill for bill in found.bills if bill.is_current)
        assert (current.plan.code, current.base_cents, current.add_on_cents) == ("100", 139_00, 35_00)
        assert (current.overage_cents, current.total_cents) == (100_62, 274_62)
        assert (found.cheapest.plan.code, found.cheapest.total_cents) == ("220", 274_00)

    async def test_bills_it_with_what_is_asked_for_instead(self, world):
        account = await world.add_account()
        await subscribe(world, account.id, "on_call", "line")
        quiet = usage_of_minutes(live_minutes=0)
        found = what_if_month(await facts(world), usage=quiet, add_on_codes=["transcription"], additional_lines=2)
        assert {bill.add_on_cents for bill in found.bills} == {35_00}
        assert found.cheapest.plan.code == "economy"

    async def test_refuses_an_add_on_that_is_not_sold(self, world):
        await world.add_account()
        with pytest.raises(AddOnNotAvailable):
            what_if_month(await facts(world), usage=usage(), add_on_codes=["fax"])


async def _count_upgrades(uow: UnitOfWork, account_id: str, count: int) -> None:
    for _ in range(count):
        await uow.account_plans.count_upgrade(account_id)


async def subscribe(world: World, account_id: str, *codes: str) -> None:
    """Add-ons and lines that the account has had since the day it began."""
    versions = {version.code: version for version in SEED_ADD_ONS}

    async def work(uow: UnitOfWork) -> None:
        await uow.add_ons.add_versions(SEED_ADD_ONS)
        for code in codes:
            bought = AddOnSubscription(f"sub_{code}", versions[code], date(2026, 7, 1))
            now = world.clock.now()
            await uow.add_ons.subscribe(bought, account_id, accepted_by="test", accepted_at=now)

    await unit_of_work.write(world.database, work)
