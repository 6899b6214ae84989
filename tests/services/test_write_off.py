"""What nobody will pay is written off: it leaves what customers owe and is bad debt (rule 27)."""

from __future__ import annotations

import pytest

from app.services.explain import InvoiceNotFound
from app.services.staff_actions import ActorMissing, ReasonMissing
from app.services.void_invoice import void_invoice
from app.services.write_off import NothingToWriteOff, write_off_invoice
from tests.services.books import dump, invoices
from tests.services.staff import ANN, around, balances, book, check_books, credit, last_event
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00, of the first of which $39.00 is paid."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 2, 12))
    await world.pay(39_00)
    return world


async def write_off(world: World, **changes):
    return await write_off_invoice(**around(world), **{"account": ACCOUNT, "invoice_number": 100_001, **ANN, **changes})


class TestWriteOff:
    async def test_rule_27_what_is_open_on_the_invoice_becomes_bad_debt(self, august):
        written_off = await write_off(august)

        assert (written_off.number, written_off.amount_cents, written_off.is_new) == (100_001, 100_00, True)
        assert balances(august.database) == {100_001: ("UNCOLLECTIBLE", 0), 100_002: ("OPEN", 139_00)}
        assert (book(august.database, "BAD_DEBT"), book(august.database, "RECEIVABLE")) == (100_00, 139_00)
        check_books(august.database)

    async def test_money_that_comes_later_pays_what_is_open_and_becomes_credit(self, august):
        await write_off(august)

        recorded = await august.pay(239_00)

        assert (recorded.credit_cents, balances(august.database)[100_002]) == (100_00, ("PAID", 0))
        assert credit(august.database) == 100_00
        check_books(august.database)

    async def test_done_twice_it_is_done_once(self, august):
        await write_off(august)
        before = dump(august.database)

        again = await write_off(august)

        assert (again.amount_cents, again.is_new) == (100_00, False)
        assert dump(august.database) == before

    async def test_the_trail_says_who_why_and_how_much(self, august):
        await write_off(august)

        event = await last_event(august)
        first = (await invoices(august.database))[0]
        assert (event.kind, event.actor, event.subject_id) == ("invoice.written_off", "staff:ann", first.id)
        assert event.data == {
            "number": 100_001,
            "status": ["OPEN", "UNCOLLECTIBLE"],
            "balance_cents": [100_00, 0],
            "reason": "Ticket 4711.",
        }


class TestRefusals:
    async def test_a_paid_invoice_is_not_written_off(self, august):
        await august.pay(100_00)
        before = dump(august.database)

        with pytest.raises(NothingToWriteOff, match="Invoice 100001 is paid: there is nothing on it to write off"):
            await write_off(august)

        assert dump(august.database) == before

    async def test_a_void_invoice_is_not_written_off(self, august):
        await void_invoice(**around(august), account=ACCOUNT, invoice_number=100_002, **ANN)

        with pytest.raises(NothingToWriteOff, match="Invoice 100002 is void"):
            await write_off(august, invoice_number=100_002)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [({"invoice_number": 1}, InvoiceNotFound), ({"actor": ""}, ActorMissing), ({"reason": ""}, ReasonMissing)],
    )
    async def test_a_refusal_writes_nothing(self, august, changes, error):
        before = dump(august.database)

        with pytest.raises(error):
            await write_off(august, **changes)

        assert dump(august.database) == before
