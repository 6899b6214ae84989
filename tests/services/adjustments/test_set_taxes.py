"""The taxes of an account are dated lists: each holds from its first day on, and never for what has been invoiced."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.invoice_lines import LineKind
from app.domain.taxes import TaxRate
from app.services.adjustments.set_taxes import MOST_TAXES, InvalidTaxes, TaxBackdated, set_taxes
from app.services.common.staff_actions import InvalidTitle, ReasonMissing
from tests.services.books import differences, dump, invoices, lines, postings
from tests.services.staff import ANN, balances, book, by_staff, change_to, check_books, last_event
from tests.world import ACCOUNT, World, pacific

STATE, CITY = TaxRate("State sales tax", 65_000), TaxRate("City tax", 12_500)


@pytest.fixture
async def july(world: World) -> World:
    """One open invoice of $139.00, issued on 1 July."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 10, 12))
    return world


async def taxes(world: World, *rates: TaxRate, **changes):
    given = {"account": ACCOUNT, "taxes": rates, "valid_from": date(2026, 8, 1), **ANN}
    return await by_staff(world, set_taxes, **{**given, **changes})


class TestTaxes:
    async def test_each_is_a_line_of_every_invoice_from_its_first_day_on_until_the_list_ends(self, july):
        await taxes(july, STATE, CITY)
        await taxes(july, valid_from=date(2026, 9, 1))

        await july.advance_to(pacific(2026, 9, 2, 12))

        assert await lines(july.database) == [
            [("BASE", "2026-07", 139_00)],
            [("BASE", "2026-08", 139_00), ("TAX", "2026-08", 9_04), ("TAX", "2026-08", 1_74)],
            [("BASE", "2026-09", 139_00)],
        ]
        assert balances(july.database)[100_002] == ("OPEN", 149_78)
        assert book(july.database, "TAX_PAYABLE", -1) == 10_78
        check_books(july.database)

    async def test_one_for_some_kinds_of_charge_leaves_the_others_alone(self, july):
        await taxes(july, TaxRate("Telecommunications tax", 100_000, (LineKind.OVERAGE, LineKind.IVR)))

        await july.advance_to(pacific(2026, 8, 2, 12))

        assert (await lines(july.database))[1] == [("BASE", "2026-08", 139_00)]

    async def test_a_list_that_has_not_begun_to_be_invoiced_gives_way(self, july):
        await taxes(july, STATE)

        changed = await taxes(july, STATE, TaxRate("City tax", 88_750, (LineKind.BASE,)))

        assert changed.is_new
        event = await last_event(july)
        assert event.kind == "taxes.set"
        assert event.data == {
            "valid_from": "2026-08-01",
            "taxes": [["State sales tax 6.5 %"], ["State sales tax 6.5 %", "City tax 8.875 % on BASE"]],
            "reason": "Ticket 4711.",
        }

    async def test_set_twice_they_are_set_once(self, july):
        await taxes(july, STATE)
        await july.advance_to(pacific(2026, 8, 2, 12))
        before = dump(july.database)

        assert not (await taxes(july, STATE)).is_new
        assert dump(july.database) == before

    async def test_a_rate_of_zero_is_no_tax(self, july):
        await taxes(july, STATE)

        ended = await taxes(july, TaxRate("State sales tax", 0))

        assert ended.taxes.taxes == ()

    async def test_an_account_without_invoices_may_have_had_them_always(self, world):
        await world.add_account()

        await taxes(world, STATE, valid_from=date(2020, 1, 1))
        await world.advance_to(pacific(2026, 7, 1, 12))

        assert await lines(world.database) == [[("BASE", "2026-07", 139_00), ("TAX", "2026-07", 9_04)]]

    @pytest.mark.parametrize(
        ("plan", "moved"),
        [
            ("1000", [("INVOICED", 450_00), ("TAX_REVERSED", 99_80)]),
            ("220", [("CREDIT_GRANTED", 260_00), ("TAX_CREDITED", 99_80), ("CREDIT_APPLIED", 359_80)]),
        ],
    )
    async def test_what_is_given_back_takes_the_tax_of_then_with_it(self, world, plan, moved):
        """Golden T2, and the same upwards: $499.00 at 20 %, and no tax from the 2nd on."""
        await world.add_account(plan="500")
        await taxes(world, TaxRate("Tax", 200_000), valid_from=date(2026, 7, 1))
        await world.advance_to(pacific(2026, 7, 1, 12))
        await taxes(world, valid_from=date(2026, 7, 2))
        await world.advance_to(pacific(2026, 7, 2, 12))

        await change_to(world, plan)

        (_, change) = await invoices(world.database)
        posted = [p.posting for p in await postings(world.database)][2:]
        assert change.total_cents == {"1000": 350_20, "220": -359_80}[plan]
        assert (await lines(world.database))[1][1:] == [
            ("BASE_REVERSAL", "2026-07", -499_00),
            ("TAX", "2026-07", -99_80),
        ]
        assert {str(p.kind): sum(q.amount_cents for q in posted if q.kind is p.kind) for p in posted} == dict(moved)
        assert book(world.database, "TAX_PAYABLE", -1) == 0
        assert await differences(world.database) == []
        check_books(world.database)

    @pytest.mark.parametrize("valid_from", [date(2026, 7, 1), date(2026, 6, 1)])
    async def test_none_begins_on_a_day_that_is_invoiced(self, july, valid_from):
        before = dump(july.database)

        with pytest.raises(TaxBackdated) as refused:
            await taxes(july, STATE, valid_from=valid_from)

        assert (refused.value.valid_from, refused.value.last_issued_on) == (valid_from, date(2026, 7, 1))
        assert dump(july.database) == before

    @pytest.mark.parametrize(
        ("rates", "field"),
        [
            ([TaxRate("Tax", -1)], "taxes.0.percent"),
            ([STATE, TaxRate("Tax", 1_000_001)], "taxes.1.percent"),
            ([STATE, TaxRate(" State sales tax ", 1)], "taxes"),
            ([TaxRate("Tax", 1, (LineKind.CORRECTION,))], "taxes.0.kinds"),
            ([TaxRate(f"Tax {number}", 1) for number in range(MOST_TAXES + 1)], "taxes"),
        ],
    )
    async def test_a_list_that_cannot_be_used_names_the_field_and_changes_nothing(self, july, rates, field):
        before = dump(july.database)

        with pytest.raises(InvalidTaxes) as refused:
            await taxes(july, *rates)

        assert refused.value.field == field
        assert str(refused.value).startswith(f"{field}: ")
        assert dump(july.database) == before

    @pytest.mark.parametrize(
        ("rates", "changes", "error"),
        [([TaxRate("  ", 1)], {}, InvalidTitle), ([STATE], {"reason": " "}, ReasonMissing)],
    )
    async def test_what_cannot_be_meant_is_refused(self, july, rates, changes, error):
        before = dump(july.database)

        with pytest.raises(error):
            await taxes(july, *rates, **changes)

        assert dump(july.database) == before
