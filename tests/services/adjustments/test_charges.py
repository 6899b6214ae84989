"""Single charges: added once, on the next invoice with the customer's words, or waived before it (rules 11, 27, 32)."""

from __future__ import annotations

import pytest

from app.services.adjustments.add_charge import add_charge, list_waiting_charges
from app.services.adjustments.waive_charge import ChargeAlreadyInvoiced, ChargeNotFound, waive_charge
from app.services.common.idempotency import IdempotencyConflict
from app.services.common.staff_actions import AccountClosed, ActorMissing, InvalidAmount, InvalidTitle, ReasonMissing
from app.services.cycle.close_account import close_account
from tests.services.books import differences, dump, invoices, lines
from tests.services.staff import ANN, WHY, by_ann, by_staff, check_books, last_event
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def july(world: World) -> World:
    """One open invoice of $139.00."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    return world


async def add(world: World, **changes):
    given = {"account": ACCOUNT, "title": "Programming of a script", "amount_cents": 30_00, "reference": "T-1", **ANN}
    return await by_staff(world, add_charge, **{**given, **changes})


async def waive(world: World, charge_id: str, **changes):
    return await by_staff(world, waive_charge, **{"charge_id": charge_id, **changes})


async def waiting(world: World, account: str = ACCOUNT) -> list[tuple[str, int]]:
    charges = await list_waiting_charges(database=world.database, account=account)
    return [(charge.title, charge.amount_cents) for charge in charges]


class TestAdding:
    async def test_rule_11_a_charge_stands_on_the_next_invoice_and_on_no_other(self, july):
        await add(july)
        assert await waiting(july) == [("Programming of a script", 30_00)]

        await july.advance_to(pacific(2026, 9, 2, 12))

        assert await lines(july.database) == [
            [("BASE", "2026-07", 139_00)],
            [("BASE", "2026-08", 139_00), ("CHARGE", "2026-08", 30_00)],
            [("BASE", "2026-09", 139_00)],
        ]
        assert await waiting(july) == []
        assert await differences(july.database) == []
        check_books(july.database)

    async def test_pressed_twice_it_is_added_once(self, july):
        added = await add(july)
        before = dump(july.database)

        again = await add(july, reference="T-1 ", title=" Programming of a script")

        assert (again.charge_id, again.is_new) == (added.charge_id, False)
        assert dump(july.database) == before

    async def test_another_charge_under_the_same_reference_is_refused(self, july):
        await add(july)
        before = dump(july.database)

        with pytest.raises(IdempotencyConflict):
            await add(july, amount_cents=31_00)

        assert dump(july.database) == before

    async def test_charges_are_an_account_s_own(self, july):
        await july.add_account("AA0102")
        await add(july, account="AA0102")

        assert (await waiting(july), await waiting(july, "AA0102")) == ([], [("Programming of a script", 30_00)])

    async def test_the_trail_says_what_became_of_it(self, july):
        added = await add(july)

        event = await last_event(july)
        assert (event.kind, event.actor, event.subject_id) == ("charge.added", "staff:ann", added.charge_id)
        assert event.data == {
            "title": "Programming of a script",
            "amount_cents": 30_00,
            "state": [None, "WAITING"],
            "reason": "Ticket 4711.",
        }

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"amount_cents": 0}, InvalidAmount),
            ({"amount_cents": -30_00}, InvalidAmount),
            ({"title": " "}, InvalidTitle),
            ({"title": "Two\nlines"}, InvalidTitle),
            ({"title": "x" * 129}, InvalidTitle),
            ({"actor": ""}, ActorMissing),
            ({"reason": " "}, ReasonMissing),
        ],
    )
    async def test_a_refused_charge_writes_nothing(self, july, changes, error):
        before = dump(july.database)

        with pytest.raises(error):
            await add(july, **changes)

        assert dump(july.database) == before

    async def test_a_closed_account_gets_no_charge(self, july):
        await close_account(july.services, by_ann(), **WHY)

        with pytest.raises(AccountClosed):
            await add(july)


class TestWaiving:
    async def test_rule_32_a_waived_charge_is_never_invoiced(self, july):
        added = await add(july)

        waived = await waive(july, added.charge_id)
        await july.advance_to(pacific(2026, 8, 2, 12))

        assert (waived.title, waived.amount_cents, waived.is_new) == ("Programming of a script", 30_00, True)
        assert await lines(july.database) == [[("BASE", "2026-07", 139_00)], [("BASE", "2026-08", 139_00)]]
        assert await differences(july.database) == []

    async def test_the_trail_says_who_waived_it_and_why(self, july):
        added = await add(july)
        await waive(july, added.charge_id)

        event = await last_event(july)
        assert (event.kind, event.subject_id) == ("charge.waived", added.charge_id)
        assert (event.data["state"], event.data["reason"]) == (["WAITING", "WAIVED"], "Ticket 4711.")

    async def test_waived_twice_it_is_waived_once(self, july):
        added = await add(july)
        await waive(july, added.charge_id)
        before = dump(july.database)

        again = await waive(july, added.charge_id)

        assert not again.is_new
        assert dump(july.database) == before

    async def test_rule_27_what_has_been_invoiced_is_not_waived(self, july):
        added = await add(july)
        await july.advance_to(pacific(2026, 8, 2, 12))
        before = dump(july.database)

        with pytest.raises(ChargeAlreadyInvoiced, match="has been invoiced") as refusal:
            await waive(july, added.charge_id)

        assert refusal.value.invoice_id == (await invoices(july.database))[-1].id
        assert dump(july.database) == before

    async def test_another_account_s_charge_is_not_found(self, july):
        added = await add(july)
        await july.add_account("AA0102")

        for account, charge_id in (("AA0102", added.charge_id), (ACCOUNT, "chg_none")):
            with pytest.raises(ChargeNotFound, match=f"There is no charge '{charge_id}' on the account"):
                await waive(july, charge_id, account=account)
