"""Credit notes: a number of their own, first against what is open on the invoice, and the rest is credit (rule 27)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.credit_notes import CreditTooHigh, LineNotCreditable, NothingLeftToCredit
from app.domain.taxes import TaxRate
from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import InvoiceNotCreditable, issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.set_taxes import set_taxes
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.common.idempotency import IdempotencyConflict
from app.services.common.staff_actions import ActorMissing, InvalidAmount, InvoiceNotFound, ReasonMissing
from app.services.payments.customer_charges import Outcome
from tests.factories.calls import a_call
from tests.services.books import differences, dump, events, invoices, lines, postings, rows
from tests.services.staff import (
    WHY,
    balances,
    book,
    by_ann,
    by_staff,
    change_to,
    check_books,
    credit,
    leave_to_customer,
)
from tests.till import VISA
from tests.world import World, pacific


@pytest.fixture
async def august(world: World) -> World:
    """Invoice 100002: base $139.00, a charge of $30.00 and 6.5 % tax, $179.99 in all; 100001 is paid."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    await world.pay(139_00)
    await set_taxes(world.services, by_ann(), taxes=[TaxRate("Sales tax", 65_000)], valid_from=date(2026, 8, 1), **WHY)
    await add_charge(world.services, by_ann(), title="Programming", amount_cents=30_00, reference="T-1", **WHY)
    await world.advance_to(pacific(2026, 8, 2, 12))
    return world


async def note(world: World, **changes):
    given = {"invoice_number": 100_002, "cents_by_line": {2: 30_00}, "reference": "N-1", **WHY}
    return await by_staff(world, issue_credit_note, **{**given, **changes})


class TestOpenInvoice:
    async def test_rule_27_it_lowers_what_is_open_on_the_invoice_it_corrects(self, august):
        issued = await note(august)

        assert (issued.number, issued.credited_cents, issued.applied_cents) == (100_003, 31_95, 31_95)
        assert balances(august.database) == {
            100_001: ("PAID", 0),
            100_002: ("OPEN", 148_04),
            100_003: ("PAID", 0),
        }
        assert (credit(august.database), book(august.database, "TAX_PAYABLE", -1)) == (0, 9_04)
        check_books(august.database)

    async def test_its_lines_name_what_they_correct(self, august):
        await note(august)

        corrected, written = (await invoices(august.database))[1:]
        assert (written.kind, written.corrects_invoice_id) == ("CREDIT_NOTE", corrected.id)
        assert (written.total_cents, written.amount_due_cents) == (-31_95, 0)
        assert (await lines(august.database))[-1] == [("CORRECTION", "2026-08", -30_00), ("TAX", "2026-08", -1_95)]
        assert written.lines[0].inputs["title"] == "Credit on invoice 100002: Programming"

    async def test_the_whole_of_an_open_invoice_pays_it(self, august):
        issued = await note(august, cents_by_line={})

        assert (issued.credited_cents, issued.applied_cents) == (179_99, 179_99)
        assert balances(august.database)[100_002] == ("PAID", 0)
        assert (credit(august.database), book(august.database, "TAX_PAYABLE", -1)) == (0, 0)
        assert rows(august.database, "SELECT paid_at IS NOT NULL FROM invoice WHERE number = 100002") == [(1,)]
        check_books(august.database)

    async def test_part_by_part_exactly_the_invoice_is_given_back(self, august):
        await note(august, cents_by_line={1: 33_33}, reference="N-1")
        await note(august, cents_by_line={1: 33_33, 2: 11_11}, reference="N-2")

        last = await note(august, cents_by_line={}, reference="N-3")

        assert sum(-each.total_cents for each in (await invoices(august.database))[2:]) == 179_99
        assert balances(august.database)[100_002] == ("PAID", 0)
        assert last.applied_cents == last.credited_cents
        check_books(august.database)

    async def test_rule_35_the_oldest_credit_is_used_up_first(self, august):
        """Paid by hand, the invoice leaves the goodwill alone until the note gives it as much as it credits."""
        await leave_to_customer(august, 100_002)
        await grant_goodwill(august.services, by_ann(), amount_cents=20_00, reference="G-1", **WHY)

        await note(august)

        applied = [(p.posting.grant_seq, p.posting.amount_cents) for p in await postings(august.database)][-2:]
        goodwill = next(p.seq for p in await postings(august.database) if p.posting.kind == "GOODWILL_GRANTED")
        assert applied == [(goodwill, 20_00), (goodwill + 1, 11_95)]
        assert balances(august.database)[100_002] == ("OPEN", 148_04)
        assert credit(august.database) == 20_00
        check_books(august.database)

    async def test_the_trail_says_what_was_set_against_what_and_the_balance_before_and_after(self, august):
        before = len(await events(august.database))

        issued = await note(august)

        applied, event = (await events(august.database))[before:]
        assert (applied.kind, applied.actor) == ("credit.applied", "staff:ann")
        assert applied.data == {"number": 100_002, "amount_cents": 31_95, "balance_cents": [179_99, 148_04]}
        assert (event.kind, event.actor, event.subject_id) == ("credit_note.issued", "staff:ann", issued.invoice_id)
        assert event.data == {
            "invoice_id": issued.invoice_id,
            "number": 100_003,
            "credited_cents": 31_95,
            "applied_cents": 31_95,
            "corrects": 100_002,
            "balance_cents": [179_99, 148_04],
            "reason": "Ticket 4711.",
        }


class TestPaidInvoice:
    async def test_all_of_it_becomes_credit_that_the_next_invoice_uses(self, august):
        await august.pay(179_99)

        issued = await note(august, invoice_number=100_001, cents_by_line={1: None})

        assert (issued.credited_cents, issued.applied_cents) == (139_00, 0)
        assert credit(august.database) == 139_00
        await august.advance_to(pacific(2026, 9, 1, 12))
        assert balances(august.database)[100_004] == ("OPEN", 9_04)
        check_books(august.database)

    async def test_what_is_paid_in_part_takes_only_what_is_open(self, august):
        await august.pay(160_00)

        issued = await note(august)

        assert issued.applied_cents == 19_99
        assert (balances(august.database)[100_002], credit(august.database)) == (("PAID", 0), 11_96)
        check_books(august.database)


class TestLimit:
    """What is still billed of a line, whatever took the rest off it; the refusal says what did."""

    async def refused(self, world: World, number: int, **lines: int) -> CreditTooHigh:
        """Ask for too much of lines, such as `line_1=5_00`; nothing is written."""
        before = dump(world.database)
        asked = {int(name.removeprefix("line_")): cents for name, cents in lines.items()}
        with pytest.raises(CreditTooHigh) as refusal:
            await note(world, invoice_number=number, cents_by_line=asked, reference=world.ids.new("ref"))
        assert refusal.value.asked_cents == asked
        assert dump(world.database) == before
        return refusal.value

    async def test_of_a_line_that_nothing_touched_it_is_its_amount(self, august):
        refusal = await self.refused(august, 100_002, line_2=30_01)

        assert str(refusal) == "$30.01 cannot be credited: $30.00 is left of line 2 of invoice 100002."
        assert refusal.left_cents == {2: 30_00}

    async def test_of_a_line_that_notes_credited_they_are_named(self, august):
        await note(august, cents_by_line={2: 20_00})
        await note(august, cents_by_line={2: 4_00}, reference="N-2")

        refusal = await self.refused(august, 100_002, line_2=6_01)

        assert str(refusal) == (
            "$6.01 cannot be credited: $6.00 is left of line 2 of invoice 100002 "
            "(credited by credit note 100003, credited by credit note 100004)."
        )
        assert (await note(august, cents_by_line={2: 6_00}, reference="N-3")).credited_cents == 6_39

    async def test_of_each_line_that_is_asked_too_much_of_it_is_said(self, august):
        await note(august, cents_by_line={2: 20_00})

        refusal = await self.refused(august, 100_002, line_1=139_01, line_2=10_01)

        assert str(refusal) == (
            "$139.01 cannot be credited: $139.00 is left of line 1 of invoice 100002. "
            "$10.01 cannot be credited: $10.00 is left of line 2 of invoice 100002 (credited by credit note 100003)."
        )
        assert refusal.left_cents == {1: 139_00, 2: 10_00}

    async def test_of_a_base_that_a_change_of_plan_took_back_nothing_is_left(self, world):
        """Golden P2: $0.00 of the first invoice's base, $39.00 of the change's."""
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 2, 12))
        await change_to(world, "economy")

        refusal = await self.refused(world, 100_001, line_1=1)

        assert str(refusal) == (
            "$0.01 cannot be credited: $0.00 is left of line 1 of invoice 100001 (taken back by invoice 100002)."
        )
        with pytest.raises(NothingLeftToCredit, match="Invoice 100001 has nothing left to credit"):
            await note(world, invoice_number=100_001, cents_by_line={})
        issued = await note(world, invoice_number=100_002, cents_by_line={})
        assert (issued.credited_cents, balances(world.database)[100_001]) == (39_00, ("PAID", 0))
        assert await differences(world.database) == []

    async def test_of_usage_that_a_correction_took_a_part_of_the_rest_is_left(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 20, 12))
        call = a_call(event_id="1", started_at=pacific(2026, 7, 20, 9), script_seconds=110 * 60)
        await world.add_calls(call)
        await world.advance_to(pacific(2026, 8, 10, 12))
        await world.add_calls(call._replace(event_id="2", corrects="1", script_seconds=106 * 60))
        await world.advance_to(pacific(2026, 9, 2, 12))
        assert (await lines(world.database))[1:] == [
            [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 12_90)],
            [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", -5_16)],
        ]

        refusal = await self.refused(world, 100_002, line_2=7_75)

        assert str(refusal) == (
            "$7.75 cannot be credited: $7.74 is left of line 2 of invoice 100002 (taken back by invoice 100003)."
        )
        assert (await note(world, invoice_number=100_002, cents_by_line={2: None})).credited_cents == 7_74
        assert await differences(world.database) == []

    async def test_of_a_line_that_stands_for_a_write_off_the_rest_is_left(self, till):
        """$499.00 was refunded and written off after the month had moved to 1,000: that one's base stands for it."""
        world = till.world
        await world.add_account(plan="500")
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        till.gateway.settle()
        assert await change_to(world, "1000") is Outcome.APPLIED
        await refund_payment(
            world.services, by_ann(), invoice_number=100_001, amount_cents=499_00, reference="R-1", **WHY
        )
        await write_off_invoice(world.services, by_ann(), invoice_number=100_001, **WHY)

        refusal = await self.refused(world, 100_002, line_1=450_01)

        assert str(refusal) == (
            "$450.01 cannot be credited: $450.00 is left of line 1 of invoice 100002 (written off with invoice 100001)."
        )
        assert (await note(world, cents_by_line={1: None})).credited_cents == 450_00
        assert await differences(world.database) == []


class TestAgain:
    async def test_pressed_twice_one_note_is_written(self, august):
        first = await note(august)
        before = dump(august.database)

        again = await note(august)

        assert (again.number, again.credited_cents, again.is_new) == (first.number, 31_95, False)
        assert dump(august.database) == before

    @pytest.mark.parametrize("changes", [{"cents_by_line": {2: 29_99}}, {"invoice_number": 100_001}])
    async def test_another_note_under_the_same_reference_is_refused(self, august, changes):
        await note(august)

        with pytest.raises(IdempotencyConflict):
            await note(august, **changes)


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"cents_by_line": {2: 30_01}}, CreditTooHigh),
            ({"cents_by_line": {3: None}}, LineNotCreditable),
            ({"cents_by_line": {4: None}}, LineNotCreditable),
            ({"cents_by_line": {1: 0}}, InvalidAmount),
            ({"cents_by_line": {1: -1}}, InvalidAmount),
            ({"invoice_number": 100_009}, InvoiceNotFound),
            ({"actor": ""}, ActorMissing),
            ({"reason": ""}, ReasonMissing),
        ],
    )
    async def test_a_refused_note_writes_nothing_and_leaves_the_reference_free(self, august, changes, error):
        before = dump(august.database)

        with pytest.raises(error):
            await note(august, **changes)

        assert dump(august.database) == before
        assert (await note(august)).is_new

    async def test_nothing_is_credited_twice(self, august):
        await note(august, cents_by_line={})
        before = dump(august.database)

        with pytest.raises(NothingLeftToCredit):
            await note(august, cents_by_line={}, reference="N-2")

        assert dump(august.database) == before

    async def test_another_account_s_invoice_is_not_found(self, august):
        await august.add_account("AA0102")

        with pytest.raises(InvoiceNotFound, match="There is no invoice 100002"):
            await note(august, account="AA0102")

    async def test_no_note_is_written_over_a_note(self, august):
        await note(august)

        with pytest.raises(InvoiceNotCreditable, match="over invoice 100003: it is a credit note"):
            await note(august, invoice_number=100_003, reference="N-2")

    @pytest.mark.parametrize(("act", "status"), [(void_invoice, "void"), (write_off_invoice, "uncollectible")])
    async def test_no_note_is_written_over_what_nobody_owes(self, august, act, status):
        await act(august.services, by_ann(), invoice_number=100_002, **WHY)
        before = dump(august.database)

        with pytest.raises(InvoiceNotCreditable, match=f"over invoice 100002: it is {status}"):
            await note(august)

        assert dump(august.database) == before
