"""The check of the books names every month that closed without the upgrade it called for (rules 19, 20, 26)."""

from __future__ import annotations

import pytest

from app.domain.plan_changes import When
from app.repositories import unit_of_work
from app.services.adjustments.void_invoice import void_invoice
from app.services.common.account_snapshot import load_snapshot
from app.services.common.caller import Caller
from app.services.cycle import close_periods
from app.services.cycle.close_account import close_account
from app.services.operations.verify_ledger import Difference
from app.services.plans import upgrade_plans
from app.services.plans.change_plan import change_plan, preview_plan_change
from app.services.plans.quotes import QuoteSigner
from tests.factories.calls import a_call
from tests.services.books import differences, lines, tamper
from tests.services.staff import WHY, by_ann
from tests.world import ACCOUNT, SECRET, World, pacific

MINUTE = 60
MISSED = Difference(
    ACCOUNT, "invoice 100002, upgrade of 2026-07", "plan_100_2020, 2900 cents overcharged", "plan_220_2020"
)
"""200 minutes cost $139.00 and $129.00 of overage on plan 100, $239.00 on plan 220."""


@pytest.fixture
async def july(world: World) -> World:
    """An account of plan 100 on 20 July, its first month open; nothing is upgraded before the month closes."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 20, 12))
    return world


@pytest.fixture
def nothing_outgrown(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault: no month that closes is seen to have outgrown its plan."""
    for module in (close_periods, upgrade_plans):
        monkeypatch.setattr(module, "find_upgrade", lambda **_: None)


async def talk(world: World, minutes: int, *, event_id: str = "1", day: int = 19) -> None:
    call = a_call(event_id=event_id, started_at=pacific(2026, 7, day), script_seconds=minutes * MINUTE)
    await world.add_calls(call)


async def missed(world: World) -> list[Difference]:
    """What is told of upgrades, whatever the present engine makes of the rest."""
    return [each for each in await world.differences() if "upgrade of" in each.place]


def computed_by(world: World, engine: int) -> None:
    tamper(world.database, f"UPDATE invoice SET engine_version = {engine}")


class TestClosedMonths:
    @pytest.mark.usefixtures("nothing_outgrown")
    async def test_rule_19_a_month_closed_without_its_upgrade_is_told_with_the_amount(self, july):
        await talk(july, 200)
        await july.advance_to(pacific(2026, 9, 2))
        assert (await lines(july.database))[1] == [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 129_00)]
        computed_by(july, 2)

        assert await missed(july) == [MISSED]

    @pytest.mark.usefixtures("nothing_outgrown")
    @pytest.mark.parametrize(("engine", "is_warning"), [(1, True), (2, False), (3, False)])
    async def test_what_an_earlier_release_missed_is_a_warning(self, july, engine, is_warning):
        await talk(july, 200)
        await july.advance_to(pacific(2026, 8, 2))
        computed_by(july, engine)

        assert [each.is_warning for each in await missed(july)] == [is_warning]

    @pytest.mark.usefixtures("nothing_outgrown")
    @pytest.mark.parametrize(
        ("minutes", "found"),
        [
            (177, []),  # 77 minutes at $1.29 are $99.33, less than the $100.00 to the next plan
            (178, [("plan_100_2020, 62 cents overcharged", "plan_220_2020")]),
            (1_000, [("plan_100_2020, 35100 cents overcharged", "plan_1000_1990")]),
        ],
    )
    async def test_rule_19_the_target_and_the_amount_are_those_of_the_upgrade(self, july, minutes, found):
        await talk(july, minutes)
        await july.advance_to(pacific(2026, 8, 2))

        assert [(each.found, each.expected) for each in await missed(july)] == found

    async def test_rule_20_a_month_that_was_upgraded_is_in_order(self, july):
        await talk(july, 200)
        await july.advance_to(pacific(2026, 9, 2))

        assert [line for invoice in await lines(july.database) for line in invoice if line[0] == "OVERAGE"] == []
        assert await july.differences() == []

    @pytest.mark.usefixtures("nothing_outgrown")
    async def test_rule_13_a_month_is_held_against_the_plan_it_was_changed_to(self, july):
        signer = QuoteSigner(SECRET.decode(), july.clock, july.ids)
        snapshot = await unit_of_work.read(july.database, lambda uow: load_snapshot(uow, ACCOUNT, july.clock.now()))
        quote = preview_plan_change(snapshot, "plan_220_2020", When.NOW, signer).quote
        await change_plan(
            july.services, Caller(ACCOUNT, "u"), signer=signer, quote_token=quote.token, idempotency_key="k"
        )
        await talk(july, 200)
        await july.advance_to(pacific(2026, 8, 2))

        assert await missed(july) == []

    async def test_rule_26_usage_that_came_after_the_close_calls_for_no_upgrade(self, july):
        await july.advance_to(pacific(2026, 8, 2))
        await talk(july, 200)
        await july.advance_to(pacific(2026, 9, 2))

        assert (await lines(july.database))[2] == [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", 129_00)]
        assert await july.differences() == []

    @pytest.mark.usefixtures("nothing_outgrown")
    async def test_since_leaves_out_the_months_closed_before(self, july):
        await talk(july, 200)
        await july.advance_to(pacific(2026, 9, 2))

        places = {
            since: [place for _, place, *_ in await differences(july.database, since=since) if "upgrade" in place]
            for since in (pacific(2026, 8, 1, 6), pacific(2026, 8, 1, 7))
        }

        assert list(places.values()) == [[MISSED.place], []]


class TestVoidInvoices:
    @pytest.mark.usefixtures("nothing_outgrown")
    async def test_rule_27_the_void_invoice_had_closed_the_month_and_not_the_one_in_its_place(self, july):
        await talk(july, 200)
        await july.advance_to(pacific(2026, 8, 2))
        await void_invoice(july.services, by_ann(), invoice_number=100_002, **WHY)
        computed_by(july, 2)

        assert await missed(july) == [MISSED]

    async def test_rule_26_the_invoice_in_its_place_bills_late_usage_without_an_upgrade(self, july):
        await july.advance_to(pacific(2026, 8, 2))
        await talk(july, 200)
        await void_invoice(july.services, by_ann(), invoice_number=100_002, **WHY)

        assert (await lines(july.database))[2] == [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 129_00)]
        assert await july.differences() == []


class TestFinalInvoices:
    @pytest.mark.usefixtures("nothing_outgrown")
    async def test_rule_19_the_last_month_of_a_closed_account_is_checked_too(self, july):
        await talk(july, 200)
        await close_account(july.services, by_ann(), **WHY)
        computed_by(july, 2)

        assert await missed(july) == [MISSED]

    async def test_rule_20_a_last_month_that_was_upgraded_is_in_order(self, july):
        await talk(july, 201)
        await close_account(july.services, by_ann(), **WHY)

        assert await july.differences() == []
