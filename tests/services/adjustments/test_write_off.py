"""What nobody will pay is written off and is bad debt, until money that comes later recovers it (rules 27, 35)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.checkouts import ChangeInProgress
from app.domain.collection import CollectionStatus
from app.domain.taxes import TaxRate
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.record_payment import RecordedPayment
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import NothingToWriteOff, write_off_invoice
from app.services.common.staff_actions import ActorMissing, InvoiceNotFound, ReasonMissing
from app.services.payments.customer_charges import Outcome
from tests.services.books import differences, dump, invoices, lines, rows
from tests.services.staff import (
    WHY,
    balances,
    book,
    by_ann,
    by_staff,
    change_to,
    check_books,
    credit,
    last_event,
)
from tests.till import LOST, VISA, Till
from tests.world import World, pacific


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00, of the first of which $39.00 is paid."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 2, 12))
    await world.pay(39_00)
    return world


async def write_off(world: World, **changes):
    return await by_staff(world, write_off_invoice, **{"invoice_number": 100_001, **changes})


class TestWriteOff:
    async def test_rule_27_what_is_open_on_the_invoice_becomes_bad_debt(self, august):
        written_off = await write_off(august)

        assert (written_off.number, written_off.amount_cents, written_off.is_new) == (100_001, 100_00, True)
        assert balances(august.database) == {100_001: ("UNCOLLECTIBLE", 0), 100_002: ("OPEN", 139_00)}
        assert (book(august.database, "BAD_DEBT"), book(august.database, "RECEIVABLE")) == (100_00, 139_00)
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


BALANCES = """
    {
      billingSummary { openBalance { amount } creditBalance { amount } }
      invoices(first: 9) { nodes { number status balance { amount } payments { amount { amount } } } }
    }
"""


async def shown(world: World) -> tuple[str, str, list[tuple[str, str, str, list[str]]]]:
    """What the customer reads: open in all, credit, and number, status, balance and payments of each invoice."""
    data = await world.data(BALANCES)
    summary, nodes = data["billingSummary"], data["invoices"]["nodes"]
    said = [
        (
            node["number"],
            node["status"],
            node["balance"]["amount"],
            [paid["amount"]["amount"] for paid in node["payments"]],
        )
        for node in reversed(nodes)
    ]
    return summary["openBalance"]["amount"], summary["creditBalance"]["amount"], said


def moved(recorded: RecordedPayment) -> list[tuple[str, int]]:
    """What a payment did, in order."""
    return [(str(posting.kind), posting.amount_cents) for posting in recorded.postings]


class TestRecovery:
    async def test_money_that_comes_later_pays_what_is_open_and_recovers_the_rest(self, august):
        await write_off(august)

        recorded = await august.pay(239_00)

        assert moved(recorded) == [("PAYMENT_RECEIVED", 139_00), ("WRITE_OFF_RECOVERED", 100_00)]
        assert balances(august.database) == {100_001: ("PAID", 0), 100_002: ("PAID", 0)}
        assert (recorded.credit_cents, credit(august.database), book(august.database, "BAD_DEBT")) == (0, 0, 0)
        assert book(august.database, "CASH") == 278_00
        assert rows(august.database, "SELECT paid_at IS NOT NULL FROM invoice WHERE number = 100001") == [(1,)]
        assert await differences(august.database) == []
        check_books(august.database)

    async def test_a_part_leaves_it_uncollectible_and_what_is_missing_is_shown(self, august):
        await write_off(august)
        await august.pay(139_00)  # 100002

        recorded = await august.pay(60_00)

        assert moved(recorded) == [("WRITE_OFF_RECOVERED", 60_00)]
        assert (balances(august.database)[100_001], credit(august.database)) == (("UNCOLLECTIBLE", 0), 0)
        assert book(august.database, "BAD_DEBT") == 40_00
        assert await shown(august) == (
            "0.00",
            "0.00",
            [("100001", "UNCOLLECTIBLE", "40.00", ["39.00", "60.00"]), ("100002", "PAID", "0.00", ["139.00"])],
        )
        assert await differences(august.database) == []

    async def test_part_by_part_it_is_paid_in_the_end_and_only_the_rest_is_credit(self, august):
        await write_off(august)
        await august.pay(139_00)
        await august.pay(60_00)

        recorded = await august.pay(50_00)

        assert moved(recorded) == [("WRITE_OFF_RECOVERED", 40_00), ("OVERPAID", 10_00)]
        assert balances(august.database)[100_001] == ("PAID", 0)
        assert (recorded.recovered_cents, recorded.credit_cents) == (40_00, 10_00)
        assert (credit(august.database), book(august.database, "BAD_DEBT")) == (10_00, 0)
        assert await shown(august) == (
            "0.00",
            "10.00",
            [("100001", "PAID", "0.00", ["39.00", "60.00", "40.00"]), ("100002", "PAID", "0.00", ["139.00"])],
        )
        assert await differences(august.database) == []
        check_books(august.database)

    async def test_of_several_the_oldest_is_recovered_first(self, august):
        await write_off(august, invoice_number=100_002)
        await write_off(august)

        recorded = await august.pay(150_00)

        first, second = await invoices(august.database)
        assert [(posting.invoice_id, posting.amount_cents) for posting in recorded.postings] == [
            (first.id, 100_00),
            (second.id, 50_00),
        ]
        assert balances(august.database) == {100_001: ("PAID", 0), 100_002: ("UNCOLLECTIBLE", 0)}
        assert await differences(august.database) == []

    async def test_what_is_billed_again_can_be_credited(self, august):
        """The lines are filled again by what was recovered, and by no more."""
        await write_off(august)
        await august.pay(139_00 + 100_00)

        issued = await issue_credit_note(
            august.services, by_ann(), invoice_number=100_001, cents_by_line={}, reference="N-1", **WHY
        )

        assert issued.credited_cents == 139_00
        assert credit(august.database) == 139_00
        assert await differences(august.database) == []

    async def test_the_tax_of_a_part_comes_back_in_proportion(self, world):
        """$152.90 with 10 %: of the $100.00 that came, $90.91 is charge and $9.09 tax."""
        await world.add_account()
        await set_taxes(world.services, by_ann(), taxes=[TaxRate("Tax", 100_000)], valid_from=date(2026, 7, 1), **WHY)
        await world.advance_to(pacific(2026, 7, 2, 12))
        await write_off(world)

        await world.pay(100_00)

        assert rows(world.database, "SELECT cents, tax_cents FROM write_off_share ORDER BY seq, cents DESC") == [
            (139_00, "[1390]"),
            (-90_91, "[-909]"),
        ]
        assert book(world.database, "TAX_PAYABLE", -1) == 13_90
        assert await differences(world.database) == []

    async def test_no_more_than_would_be_billed_without_it_and_the_rest_is_credit(self, world):
        """Golden P4 and a check: $499.00 written off, Economy since; $39.00 is what the month costs."""
        await world.add_account(plan="500")
        await world.advance_to(pacific(2026, 7, 2, 12))
        await write_off(world)
        await change_to(world, "economy")
        assert (await lines(world.database))[-1] == [("BASE", "2026-07", 39_00), ("CREDIT_KEPT", "2026-07", -39_00)]
        assert (await invoices(world.database))[-1].total_cents == 0

        recorded = await world.pay(499_00)

        assert moved(recorded) == [("WRITE_OFF_RECOVERED", 39_00), ("OVERPAID", 460_00)]
        assert balances(world.database) == {100_001: ("UNCOLLECTIBLE", 0), 100_002: ("PAID", 0)}
        assert (recorded.credit_cents, credit(world.database)) == (460_00, 460_00)
        assert book(world.database, "BAD_DEBT") == 460_00
        assert await differences(world.database) == []
        check_books(world.database)
        assert moved(await world.pay(1_00)) == [("OVERPAID", 1_00)]

    async def test_money_that_went_back_since_is_paid_first_and_the_rest_is_recovered_after_it(self, till):
        """$100.00 by check, $39.00 by card; $20.00 of that was refunded and written off, $19.00 refunded since."""
        world = till.world
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 1, 12))
        await till.add_card(VISA)
        await world.pay(100_00)
        await till.collect()
        till.gateway.settle()
        await refund(till, 20_00)
        await write_off(world)
        await refund(till, 19_00)
        assert balances(world.database)[100_001] == ("OPEN", 19_00)

        assert moved(await world.pay(10_00)) == [("PAYMENT_RECEIVED", 10_00)]
        recorded = await world.pay(9_00 + 8_00)
        assert moved(recorded) == [("PAYMENT_RECEIVED", 9_00), ("WRITE_OFF_RECOVERED", 8_00)]
        assert recorded.paid_invoice_ids == ((await invoices(world.database))[0].id,)
        assert (await till.collection()).status is CollectionStatus.DONE
        assert balances(world.database)[100_001] == ("UNCOLLECTIBLE", 0)
        assert moved(await world.pay(12_00)) == [("WRITE_OFF_RECOVERED", 12_00)]
        assert balances(world.database)[100_001] == ("PAID", 0)
        assert await differences(world.database) == []
        check_books(world.database)

    async def test_what_was_written_off_twice_is_recovered_in_one_payment(self, till):
        """Two write-offs of $20.00 and $19.00 stand for one line."""
        world = till.world
        await world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        till.gateway.settle()
        await refund(till, 20_00)
        await write_off(world)
        await refund(till, 19_00)
        await write_off(world)
        assert book(world.database, "BAD_DEBT") == 39_00

        await world.pay(39_00)

        shares = rows(world.database, "SELECT write_off_seq, cents FROM write_off_share ORDER BY seq, write_off_seq")
        assert shares == [(4, 20_00), (6, 19_00), (4, -20_00), (6, -19_00)]
        assert balances(world.database)[100_001] == ("PAID", 0)
        assert await differences(world.database) == []


async def refund(till: Till, cents: int) -> None:
    given = {"invoice_number": 100_001, "amount_cents": cents, "reference": till.world.ids.new("r")}
    await refund_payment(till.world.services, by_ann(), **given, **WHY)


class TestRefusals:
    async def test_nothing_is_written_off_while_any_change_waits_for_its_payment(self, till):
        world = till.world
        await world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        await refund(till, 139_00)  # 100001 is open, and nothing of it is under way
        till.gateway.faults(LOST)
        assert await change_to(world, "220") is Outcome.PAYMENT_PENDING
        before = dump(world.database)

        with pytest.raises(ChangeInProgress):
            await write_off(world)

        assert dump(world.database) == before
        await till.advance_to(pacific(2026, 7, 2, 13))
        assert (await write_off(world)).amount_cents == 139_00
        assert await differences(world.database) == []

    async def test_a_paid_invoice_is_not_written_off(self, august):
        await august.pay(100_00)
        before = dump(august.database)

        with pytest.raises(NothingToWriteOff, match="Invoice 100001 is paid: there is nothing on it to write off"):
            await write_off(august)

        assert dump(august.database) == before

    async def test_a_void_invoice_is_not_written_off(self, august):
        await void_invoice(august.services, by_ann(), invoice_number=100_002, **WHY)

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
