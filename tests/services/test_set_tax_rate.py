"""The tax of an account is dated: it holds from its first day on, and never for what has been invoiced."""

from __future__ import annotations

from datetime import date

import pytest

from app.services.set_tax_rate import InvalidTaxRate, TaxBackdated, set_tax_rate
from app.services.staff_actions import InvalidTitle, ReasonMissing
from tests.services.books import dump, lines
from tests.services.staff import ANN, around, balances, book, check_books, last_event
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def july(world: World) -> World:
    """One open invoice of $139.00, issued on 1 July."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    return world


async def tax(world: World, **changes):
    given = {
        "account": ACCOUNT,
        "name": "Kansas sales tax",
        "ten_thousandths": 650,
        "valid_from": date(2026, 8, 1),
        **ANN,
    }
    return await set_tax_rate(**around(world), **{**given, **changes})


class TestTax:
    async def test_it_is_on_every_invoice_from_its_first_day_on_until_it_ends(self, july):
        await tax(july)
        await tax(july, ten_thousandths=0, valid_from=date(2026, 9, 1))

        await july.advance_to(pacific(2026, 9, 2, 12))

        assert await lines(july.database) == [
            [("BASE", "2026-07", 139_00)],
            [("BASE", "2026-08", 139_00), ("TAX", "2026-08", 9_04)],
            [("BASE", "2026-09", 139_00)],
        ]
        assert balances(july.database)[100_002] == ("OPEN", 148_04)
        assert book(july.database, "TAX_PAYABLE", -1) == 9_04
        check_books(july.database)

    async def test_a_rate_that_has_not_begun_to_be_invoiced_gives_way(self, july):
        await tax(july)

        changed = await tax(july, ten_thousandths=725)

        assert changed.is_new
        event = await last_event(july)
        assert (event.kind, event.data["ten_thousandths"]) == ("tax.set", [650, 725])
        assert event.data["name"] == ["Kansas sales tax", "Kansas sales tax"]

    async def test_set_twice_it_is_set_once(self, july):
        await tax(july)
        await july.advance_to(pacific(2026, 8, 2, 12))
        before = dump(july.database)

        assert not (await tax(july)).is_new
        assert dump(july.database) == before

    async def test_the_first_one_follows_no_tax(self, july):
        await tax(july)

        event = await last_event(july)
        assert event.data == {
            "valid_from": "2026-08-01",
            "name": [None, "Kansas sales tax"],
            "ten_thousandths": [0, 650],
            "reason": "Ticket 4711.",
        }

    async def test_an_account_without_invoices_may_have_had_it_always(self, world):
        await world.add_account(paid_since_on=date(2026, 8, 1))

        assert (await tax(world, valid_from=date(2020, 1, 1))).is_new

    async def test_it_may_begin_on_the_day_after_the_last_invoice(self, july):
        assert (await tax(july, valid_from=date(2026, 7, 2))).is_new

    @pytest.mark.parametrize("day", [date(2026, 7, 1), date(2026, 6, 30)])
    async def test_it_never_reaches_back_to_an_issued_invoice(self, july, day):
        before = dump(july.database)

        with pytest.raises(TaxBackdated, match=f"A tax cannot begin on {day}: an invoice was issued on 2026-07-01"):
            await tax(july, valid_from=day)

        assert dump(july.database) == before

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"ten_thousandths": -1}, InvalidTaxRate),
            ({"ten_thousandths": 10_001}, InvalidTaxRate),
            ({"name": ""}, InvalidTitle),
            ({"reason": ""}, ReasonMissing),
        ],
    )
    async def test_a_refused_tax_writes_nothing(self, july, changes, error):
        before = dump(july.database)

        with pytest.raises(error):
            await tax(july, **changes)

        assert dump(july.database) == before
