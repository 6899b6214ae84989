"""A new price for existing accounts: every page names the one that the next month is billed at (rules 11, 16, 18)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from app.domain.plan_changes import When
from app.domain.seed_catalogue import SEED_CATALOGUE
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from tests.every_kind import move_to
from tests.factories.calls import a_call
from tests.world import World, pacific

AUGUST = date(2026, 8, 1)
OLD = SEED_CATALOGUE.get("220", date(2026, 7, 10))
NEW = replace(OLD, id="plan_220_new", base_cents=249_00, valid_from=AUGUST, existing_move_on=AUGUST)

PREVIEW = """query ($when: ChangeWhen!) { planChangePreview(planId: "plan_220_2020", when: $when) {
  ... on PlanChangeQuote { nextInvoice { total { amount } } } } }"""
PAGES = """{
  accrued: nextInvoice(basis: ACCRUED) { total { amount } }
  projected: nextInvoice(basis: PROJECTED) { total { amount } }
  billingSummary { nextMonthPlan { id base { amount } } }
  whatIf(liveMinutes: 10) { bills { plan { id } isCurrent total { amount } } } }"""


@pytest.fixture
async def july(world: World) -> World:
    """10 July on the plan of 100 minutes. On 1 August the plan of 220 becomes dearer, for existing accounts too."""
    await world.add_account(paid_since_on=date(2026, 7, 1))
    await world.advance_to(pacific(2026, 7, 10, 12))

    async def load(uow: UnitOfWork) -> None:
        await uow.plans.add_all([NEW])
        await uow.plans.end_sale(OLD.id, AUGUST)

    await unit_of_work.write(world.database, load)
    return world


@pytest.mark.parametrize("when", list(When))
async def test_what_is_previewed_before_and_after_a_change_is_what_is_billed(july, when):
    quoted = (await july.data(PREVIEW, variables={"when": when}))["planChangePreview"]["nextInvoice"]
    await move_to(july, "220", when)
    pages = await july.data(PAGES)
    await july.advance_to(pacific(2026, 8, 2, 12))

    billed = {"amount": f"{(await july.issued())[-1].total_cents / 100:.2f}"}
    assert billed == {"amount": "249.00"}
    assert quoted == {"total": billed}
    assert (pages["accrued"], pages["projected"]) == ({"total": billed}, {"total": billed})
    assert pages["billingSummary"]["nextMonthPlan"] == {"id": NEW.id, "base": billed}
    bills = [bill for bill in pages["whatIf"]["bills"] if bill["plan"]["id"].startswith("plan_220")]
    assert bills == [{"plan": {"id": NEW.id}, "isCurrent": True, "total": billed}]


async def test_a_lasting_upgrade_is_projected_at_the_price_of_its_next_month(july):
    await unit_of_work.write(july.database, _upgraded_three_times)
    usage = a_call(started_at=pacific(2026, 7, 9, 9), script_seconds=180 * 60, recording_seconds=0)
    await july.add_calls(usage)
    july.clock.instant = pacific(2026, 7, 31, 23)
    projected = (await july.data(PAGES))["projected"]["total"]["amount"]
    await july.advance_to(pacific(2026, 8, 2, 12))
    assert projected == f"{(await july.issued())[-1].total_cents / 100:.2f}"


async def _upgraded_three_times(uow: UnitOfWork) -> None:
    owner = await uow.accounts.get_by_external_id("AA0101")
    for _ in range(3):
        await uow.account_plans.count_upgrade(owner.id)
