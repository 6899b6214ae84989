"""The newest monthly invoice is void and its month is invoiced again on today's facts (rule 27)."""

from __future__ import annotations

import sqlite3
from datetime import date

import pytest

from app.services.adjustments.add_charge import add_charge
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.refund_payment import refund_payment
from app.services.adjustments.void_invoice import InvoiceNotVoidable, void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.common.staff_actions import ActorMissing, InvoiceNotFound, ReasonMissing
from app.services.cycle.close_account import close_account
from app.services.payments.customer_charges import PaymentDeclined
from tests.factories.calls import a_call
from tests.services.books import connection, differences, dump, events, invoices, lines, postings, rows
from tests.services.staff import WHY, balances, book, by_ann, by_staff, change_to, check_books, credit
from tests.till import VISA
from tests.world import World, pacific

MINUTE = 60


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00; it is 10 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 10, 12))
    return world


async def void(world: World, **changes):
    return await by_staff(world, void_invoice, **{"invoice_number": 100_002, **changes})


async def late_calls(world: World) -> None:
    await world.add_calls(a_call(started_at=pacific(2026, 7, 20), script_seconds=110 * MINUTE))


class TestAgain:
    async def test_the_month_is_invoiced_again_with_the_calls_that_came_since(self, august):
        await late_calls(august)

        voided = await void(august)

        assert (voided.number, voided.replacement_number, voided.amount_due_cents) == (100_002, 100_003, 151_90)
        assert balances(august.database) == {
            100_001: ("OPEN", 139_00),
            100_002: ("VOID", 0),
            100_003: ("OPEN", 151_90),
        }
        assert (await lines(august.database))[2] == [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 12_90)]
        check_books(august.database)

    async def test_the_new_invoice_names_the_one_whose_place_it_takes(self, august):
        voided = await void(august)

        _, old, new = await invoices(august.database)
        assert (new.id, new.corrects_invoice_id, new.kind, new.period) == (
            voided.replacement_id,
            old.id,
            old.kind,
            old.period,
        )
        assert new.issued_at == pacific(2026, 8, 10, 12)

    async def test_late_calls_are_not_billed_once_more_with_the_next_month(self, august):
        await late_calls(august)
        await void(august)

        await august.advance_to(pacific(2026, 9, 1, 12))

        assert (await lines(august.database))[-1] == [("BASE", "2026-09", 139_00)]
        check_books(august.database)

    async def test_rule_35_applied_credit_comes_back_and_is_applied_again(self, august):
        await august.pay(2 * 139_00)
        await grant_goodwill(august.services, by_ann(), amount_cents=20_00, reference="G-1", **WHY)
        await august.advance_to(pacific(2026, 9, 2, 12))
        assert balances(august.database)[100_003] == ("OPEN", 119_00)

        voided = await void(august, invoice_number=100_003)

        assert voided.amount_due_cents == 119_00
        moved = [(str(p.posting.kind), p.posting.amount_cents) for p in await postings(august.database)][-4:]
        assert moved == [
            ("VOIDED", 139_00),
            ("CREDIT_RESTORED", 20_00),
            ("INVOICED", 139_00),
            ("CREDIT_APPLIED", 20_00),
        ]
        assert (credit(august.database), book(august.database, "REVENUE", -1)) == (0, 3 * 139_00)
        check_books(august.database)

    async def test_single_charges_go_on_the_new_invoice(self, august):
        await add_charge(august.services, by_ann(), title="Programming", amount_cents=30_00, reference="C-1", **WHY)
        await august.advance_to(pacific(2026, 9, 2, 12))

        await void(august, invoice_number=100_003)
        await august.advance_to(pacific(2026, 10, 2, 12))

        assert (await lines(august.database))[2:] == [
            [("BASE", "2026-09", 139_00), ("CHARGE", "2026-09", 30_00)],
            [("BASE", "2026-09", 139_00), ("CHARGE", "2026-09", 30_00)],
            [("BASE", "2026-10", 139_00)],
        ]
        new = (await invoices(august.database))[3]
        assert rows(august.database, "SELECT invoice_id FROM extra_charge") == [(new.id,)]
        check_books(august.database)

    async def test_a_first_invoice_may_be_issued_again(self, world):
        await world.add_account()
        await world.advance_to(pacific(2026, 7, 2, 12))

        assert (await void(world, invoice_number=100_001)).replacement_number == 100_002
        check_books(world.database)

    async def test_rule_35_credit_that_paid_for_it_after_its_issue_comes_back_too(self, august):
        await grant_goodwill(august.services, by_ann(), amount_cents=159_00, reference="G-1", **WHY)
        assert balances(august.database) == {100_001: ("PAID", 0), 100_002: ("OPEN", 119_00)}

        voided = await void(august)

        assert voided.amount_due_cents == 119_00
        moved = [(str(p.posting.kind), p.posting.amount_cents) for p in await postings(august.database)][-4:]
        assert moved == [
            ("VOIDED", 139_00),
            ("CREDIT_RESTORED", 20_00),
            ("INVOICED", 139_00),
            ("CREDIT_APPLIED", 20_00),
        ]
        assert balances(august.database)[100_003] == ("OPEN", 119_00)
        assert (credit(august.database), book(august.database, "REVENUE", -1)) == (0, 2 * 139_00)
        assert await differences(august.database) == []
        check_books(august.database)

    async def test_rule_35_credit_that_the_new_invoice_leaves_over_waits(self, world):
        """$151.90 comes back; without the overage of July, which is corrected by then, $139.00 of it is needed."""
        await world.add_account()
        await late_calls(world)
        await world.advance_to(pacific(2026, 8, 10, 12))
        await grant_goodwill(world.services, by_ann(), amount_cents=139_00 + 151_90, reference="G-1", **WHY)
        assert set(balances(world.database).values()) == {("PAID", 0)}
        await world.add_calls(
            a_call(event_id="2", corrects="AA0101/48213/260914", started_at=pacific(2026, 7, 20), script_seconds=0)
        )

        await void(world)

        assert (balances(world.database)[100_003], credit(world.database)) == (("PAID", 0), 12_90)
        assert await differences(world.database) == []
        check_books(world.database)

    async def test_what_was_paid_by_credit_alone_may_be_issued_again(self, august):
        await august.pay(2 * 139_00)
        await grant_goodwill(august.services, by_ann(), amount_cents=139_00, reference="G-1", **WHY)
        await august.advance_to(pacific(2026, 9, 2, 12))
        assert balances(august.database)[100_003] == ("PAID", 0)

        await void(august, invoice_number=100_003)

        assert balances(august.database)[100_004] == ("PAID", 0)
        assert rows(august.database, "SELECT status FROM invoice WHERE number = 100003") == [("VOID",)]
        check_books(august.database)

    async def test_rule_28_a_note_written_while_it_stood_is_computed_as_it_stood_then(self, august):
        """The correction of July's overage was on the void invoice when a note went over the rest of August's."""
        await late_calls(august)
        await void(august)  # 100003 has 139.00 and 12.90
        await august.advance_to(pacific(2026, 8, 12, 12))
        await august.add_calls(
            a_call(event_id="2", corrects="AA0101/48213/260914", started_at=pacific(2026, 7, 20), script_seconds=0)
        )
        await august.advance_to(pacific(2026, 9, 2, 12))  # 100004 has 139.00 and -12.90
        await issue_credit_note(
            august.services, by_ann(), invoice_number=100_003, cents_by_line={1: 10_00}, reference="N-1", **WHY
        )

        await void(august, invoice_number=100_004)

        assert (await lines(august.database))[3:] == [
            [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", -12_90)],
            [("CORRECTION", "2026-08", -10_00)],
            [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", -12_90)],
        ]
        assert await differences(august.database) == []
        check_books(august.database)

    async def test_rule_10_calls_of_the_trial_are_not_billed_when_its_month_is_invoiced_again(self, world):
        """Twenty hours of July are the trial's; the 16 paid days allow 52 minutes, and an hour was used in them."""
        await world.add_account(trial_ends_on=date(2026, 7, 15))
        await world.add_calls(
            a_call(event_id="1", started_at=pacific(2026, 7, 1, 9), script_seconds=1_200 * MINUTE, recording_seconds=0)
        )
        await world.advance_to(pacific(2026, 7, 20, 12))
        await world.add_calls(
            a_call(event_id="2", started_at=pacific(2026, 7, 20, 9), script_seconds=60 * MINUTE, recording_seconds=0)
        )
        await world.advance_to(pacific(2026, 8, 2, 12))
        before = (await lines(world.database))[-1]

        voided = await void(world)

        assert before == [("BASE", "2026-08", 139_00), ("OVERAGE", "2026-07", 10_32)]
        assert (await lines(world.database))[-1] == before
        assert voided.amount_due_cents == 149_32
        assert await differences(world.database) == []

    async def test_the_trail_says_what_changed(self, august):
        await late_calls(august)
        voided = await void(august)

        issued, event = (await events(august.database))[-2:]
        old = (await invoices(august.database))[1]
        assert (issued.kind, issued.subject_id, issued.actor) == ("invoice.issued", voided.replacement_id, "staff:ann")
        assert (event.kind, event.subject_id, event.actor) == ("invoice.voided", old.id, "staff:ann")
        assert event.data == {
            "number": 100_002,
            "month": "2026-08",
            "status": ["OPEN", "VOID"],
            "total_cents": [139_00, 151_90],
            "replaced_by": 100_003,
            "reason": "Ticket 4711.",
        }

    async def test_pressed_twice_it_is_done_once(self, august):
        first = await void(august)
        before = dump(august.database)

        again = await void(august)

        assert (again.replacement_id, again.replacement_number) == (first.replacement_id, first.replacement_number)
        assert not again.is_new
        assert dump(august.database) == before

    async def test_the_new_invoice_may_be_void_in_its_turn(self, august):
        await void(august)

        assert (await void(august, invoice_number=100_003)).replacement_number == 100_004
        assert (await void(august)).replacement_number == 100_003
        check_books(august.database)


async def pay(world: World) -> None:
    await world.pay(139_00 + 1)


async def credit_some(world: World) -> None:
    await issue_credit_note(
        world.services, by_ann(), invoice_number=100_002, cents_by_line={1: 1}, reference="N-1", **WHY
    )


async def write_off(world: World) -> None:
    await write_off_invoice(world.services, by_ann(), invoice_number=100_002, **WHY)


async def next_month(world: World) -> None:
    await world.advance_to(pacific(2026, 9, 2, 12))


async def close(world: World) -> None:
    await close_account(world.services, by_ann(), **WHY)


async def upgrade(world: World) -> None:
    await change_to(world, "220")


class TestRefusals:
    @pytest.mark.parametrize(
        ("first", "why"),
        [
            (pay, "a payment was received for it"),
            (credit_some, "a credit note was written over it"),
            (write_off, "it was written off"),
            (next_month, "a later month has been invoiced"),
            (close, "the account is closed"),
            (upgrade, "invoice 100003 changed the plan of its month"),
        ],
    )
    async def test_an_invoice_that_something_builds_on_stands(self, august, first, why):
        await first(august)
        before = dump(august.database)

        with pytest.raises(InvoiceNotVoidable) as refusal:
            await void(august)

        assert str(refusal.value) == f"Invoice 100002 cannot be voided: {why}. Write a credit note over it instead."
        assert dump(august.database) == before

    async def test_only_the_invoice_of_a_month_is_issued_again(self, august):
        await upgrade(august)

        with pytest.raises(InvoiceNotVoidable, match="only the invoice of a month can be issued again"):
            await void(august, invoice_number=100_003)

    async def test_an_invoice_stands_that_lines_of_it_were_written_off_of(self, till):
        """100002 was paid and its overage credited; refunded, 12.90 more is open on it than its lines still bill."""
        world = till.world
        await world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 31, 12))
        await late_calls(world)
        await till.advance_to(pacific(2026, 8, 2, 12))
        till.gateway.settle()
        await issue_credit_note(
            world.services, by_ann(), invoice_number=100_002, cents_by_line={2: 12_90}, reference="N-1", **WHY
        )
        await world.add_calls(a_call(event_id="2", started_at=pacific(2026, 7, 30), script_seconds=10 * MINUTE))
        till.gateway.force("*", "2001")
        await till.advance_to(pacific(2026, 9, 2, 12))
        assert (await lines(world.database))[-1] == [("BASE", "2026-09", 139_00), ("ADJUSTMENT", "2026-07", 12_90)]
        await refund_payment(
            world.services, by_ann(), invoice_number=100_002, amount_cents=151_90, reference="R-1", **WHY
        )
        await write_off_invoice(world.services, by_ann(), invoice_number=100_002, **WHY)
        assert rows(world.database, "SELECT cents FROM write_off_share ORDER BY cents") == [(12_90,), (139_00,)]
        before = dump(world.database)

        with pytest.raises(InvoiceNotVoidable, match="100004 cannot be voided: a write-off stands on its lines"):
            await void(world, invoice_number=100_004)

        assert dump(world.database) == before
        assert await differences(world.database) == []

    async def test_a_change_that_was_declined_does_not_stand_in_the_way(self, till):
        await till.world.add_account()
        await till.advance_to(pacific(2026, 7, 2, 12))
        await till.add_card(VISA)
        till.gateway.force("*", "2001")
        with pytest.raises(PaymentDeclined):
            await change_to(till.world, "220")

        voided = await void(till.world, invoice_number=100_001)

        assert balances(till.world.database) == {
            100_001: ("VOID", 0),
            100_002: ("VOID", 0),
            voided.replacement_number: ("OPEN", 139_00),
        }
        assert await differences(till.world.database) == []

    async def test_an_invoice_that_gave_credit_stands(self, world):
        await world.add_account(plan="economy")
        await world.advance_to(pacific(2026, 8, 2))
        call = a_call(event_id="1", started_at=pacific(2026, 7, 31), script_seconds=100 * MINUTE, recording_seconds=0)
        await world.add_calls(call)
        await world.advance_to(pacific(2026, 9, 1, 12))
        await world.add_calls(call._replace(event_id="2", corrects="1", script_seconds=0))
        await world.advance_to(pacific(2026, 10, 1, 12))
        [last] = (await invoices(world.database))[-1:]
        assert last.total_cents == 39_00 - 139_00

        with pytest.raises(InvoiceNotVoidable, match="it gave the account credit, which may have been used"):
            await void(world, invoice_number=last.number)

    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"invoice_number": 100_009}, InvoiceNotFound),
            ({"account": "AA0102"}, InvoiceNotFound),
            ({"actor": ""}, ActorMissing),
            ({"reason": ""}, ReasonMissing),
        ],
    )
    async def test_a_refusal_writes_nothing(self, august, changes, error):
        await august.add_account("AA0102")
        before = dump(august.database)

        with pytest.raises(error):
            await void(august, **changes)

        assert dump(august.database) == before


class TestFrozen:
    async def test_what_an_invoice_corrects_never_changes(self, august):
        await void(august)

        with connection(august.database) as opened, pytest.raises(sqlite3.IntegrityError, match="never changes"):
            opened.execute("UPDATE invoice SET corrects_invoice_id = NULL WHERE number = 100003")
