"""Additional lines: a whole month at once, then in advance, and no longer once ended (rules 22, 23)."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from app.domain.add_ons import AddOnNotAvailable
from app.domain.taxes import TaxRate
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.set_taxes import set_taxes
from app.services.common.account_snapshot import AccountSuspended
from app.services.common.staff_actions import ReasonMissing
from app.services.cycle.close_account import close_account
from app.services.plans.change_lines import NoLineToEnd, add_line, end_line
from tests.services.books import differences, dump, invoices, lines, rows, tamper
from tests.services.staff import WHY, by_ann, by_staff, check_books, last_event
from tests.world import World, pacific

NUMBER = "+1 555 0100"


@pytest.fixture
async def july(world: World) -> World:
    """20 July: one open invoice of $139.00."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 20, 12))
    return world


async def add(world: World, **changes):
    return await by_staff(world, add_line, **{"reference": NUMBER, **changes})


async def end(world: World, **changes):
    return await by_staff(world, end_line, **{"reference": NUMBER, **changes})


class TestAdding:
    async def test_rule_22_the_whole_month_is_invoiced_at_once_and_the_next_ones_in_advance(self, july):
        added = await add(july)
        assert (added.invoice_number, added.amount_due_cents, added.is_new) == (100_002, 10_00, True)

        await july.advance_to(pacific(2026, 9, 2, 12))

        assert await lines(july.database) == [
            [("BASE", "2026-07", 139_00)],
            [("ADDITIONAL_LINE", "2026-07", 10_00)],
            [("BASE", "2026-08", 139_00), ("ADDITIONAL_LINE", "2026-08", 10_00)],
            [("BASE", "2026-09", 139_00), ("ADDITIONAL_LINE", "2026-09", 10_00)],
        ]
        assert await differences(july.database) == []
        check_books(july.database)

    async def test_several_are_several(self, july):
        for number in range(3):
            await add(july, reference=f"line {number}")
        await july.advance_to(pacific(2026, 8, 2, 12))
        assert (await invoices(july.database))[-1].total_cents == 139_00 + 3 * 10_00
        assert await differences(july.database) == []

    async def test_credit_pays_it_and_tax_is_on_it(self, july):
        taxes = {"taxes": [TaxRate("Sales tax", 100_000)], "valid_from": date(2026, 7, 20)}
        await set_taxes(july.services, by_ann(), **taxes, **WHY)
        await july.pay(139_00)
        await grant_goodwill(july.services, by_ann(), amount_cents=4_00, reference="T-1", **WHY)
        assert (await add(july)).amount_due_cents == 11_00 - 4_00
        assert await differences(july.database) == []
        check_books(july.database)

    async def test_the_next_invoice_is_previewed_with_it(self, july):
        await add(july)
        asked = "{ nextInvoice { lines { __typename amount { amount } } } }"
        found = (await july.data(asked))["nextInvoice"]["lines"]
        assert [line["amount"]["amount"] for line in found] == ["139.00", "10.00"]

    async def test_pressed_twice_it_is_added_once(self, july):
        added = await add(july)
        before = dump(july.database)
        again = await add(july, reference=f" {NUMBER} ")
        assert (again.invoice_number, again.is_new) == (added.invoice_number, False)
        assert dump(july.database) == before

    async def test_at_the_same_time_too(self, july):
        added = await asyncio.gather(*(add(july) for _ in range(5)))
        assert sorted(each.is_new for each in added) == [False] * 4 + [True]
        assert len(await invoices(july.database)) == 2

    async def test_the_trail_says_which_line_who_and_why(self, july):
        await add(july)
        event = await last_event(july)
        assert (event.kind, event.actor, event.data["line"], event.data["reason"]) == (
            "line.added", "staff:ann", NUMBER, "Ticket 4711."
        )  # fmt: skip

    async def test_what_cannot_be_changes_nothing(self, july):
        before = dump(july.database)
        with pytest.raises(ReasonMissing):
            await add(july, reason=" ")
        assert dump(july.database) == before
        await close_account(july.services, by_ann(), **WHY)
        before = dump(july.database)
        with pytest.raises(AccountSuspended):
            await add(july)
        assert dump(july.database) == before

    async def test_without_a_line_on_sale_nothing_is_sold(self, july):
        tamper(july.database, "UPDATE add_on_version SET valid_before = '2026-07-01' WHERE code = 'line'")
        with pytest.raises(AddOnNotAvailable):
            await add(july)


class TestEnding:
    async def test_rule_23_it_ends_with_the_month_and_nothing_is_refunded(self, july):
        await add(july)
        ended = await end(july)
        assert (ended.ends_before, ended.is_new) == (date(2026, 8, 1), True)
        await july.advance_to(pacific(2026, 8, 2, 12))
        assert (await lines(july.database))[-1] == [("BASE", "2026-08", 139_00)]
        assert await differences(july.database) == []

    async def test_each_ends_one_and_once(self, july):
        await add(july, reference="one")
        await add(july, reference="two")
        assert [(await end(july, reference="one")).is_new for _ in range(2)] == [True, False]
        await july.advance_to(pacific(2026, 8, 2, 12))
        assert (await invoices(july.database))[-1].total_cents == 149_00
        still = rows(july.database, "SELECT ends_before IS NULL FROM add_on_subscription ORDER BY id")
        assert still == [(0,), (1,)], "the one that was named"
        await end(july, reference="two")
        with pytest.raises(NoLineToEnd):
            await end(july, reference="three")

    async def test_an_add_on_is_no_line(self, july):
        with pytest.raises(NoLineToEnd):
            await end(july)
