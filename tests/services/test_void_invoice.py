"""The newest monthly invoice is void and its month is invoiced again on today's facts (rule 27)."""

from __future__ import annotations

import sqlite3

import pytest

from app.domain.plan_changes import When
from app.repositories import unit_of_work
from app.services.add_charge import add_charge
from app.services.change_plan import change_plan, preview_plan_change
from app.services.close_account import close_account
from app.services.credit_note import issue_credit_note
from app.services.explain import InvoiceNotFound
from app.services.grant_credit import grant_goodwill
from app.services.quotes import QuoteDesk
from app.services.staff_actions import ActorMissing, ReasonMissing
from app.services.standing import load_standing
from app.services.void_invoice import InvoiceNotVoidable, void_invoice
from app.services.write_off import write_off_invoice
from tests.factories.calls import a_call
from tests.services.books import connection, dump, events, invoices, lines, postings, rows
from tests.services.staff import ANN, around, balances, book, check_books, credit
from tests.world import ACCOUNT, World, pacific

MINUTE = 60


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00; it is 10 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 10, 12))
    return world


async def void(world: World, **changes):
    return await void_invoice(**around(world), **{"account": ACCOUNT, "invoice_number": 100_002, **ANN, **changes})


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
        await grant_goodwill(**around(august), account=ACCOUNT, amount_cents=20_00, reference="G-1", **ANN)
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
        await add_charge(
            **around(august), account=ACCOUNT, title="Programming", amount_cents=30_00, reference="C-1", **ANN
        )
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

    async def test_what_was_paid_by_credit_alone_may_be_issued_again(self, august):
        await grant_goodwill(**around(august), account=ACCOUNT, amount_cents=139_00, reference="G-1", **ANN)
        await august.advance_to(pacific(2026, 9, 2, 12))
        assert balances(august.database)[100_003] == ("PAID", 0)

        await void(august, invoice_number=100_003)

        assert balances(august.database)[100_004] == ("PAID", 0)
        assert rows(august.database, "SELECT status FROM invoice WHERE number = 100003") == [("VOID",)]
        check_books(august.database)

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
    staff = {**around(world), "account": ACCOUNT, **ANN}
    await issue_credit_note(**staff, invoice_number=100_002, cents_by_line={1: 1}, reference="N-1")


async def write_off(world: World) -> None:
    await write_off_invoice(**around(world), account=ACCOUNT, invoice_number=100_002, **ANN)


async def next_month(world: World) -> None:
    await world.advance_to(pacific(2026, 9, 2, 12))


async def close(world: World) -> None:
    await close_account(**around(world), account=ACCOUNT, **ANN)


async def upgrade(world: World) -> None:
    desk = QuoteDesk("a secret of the tests", world.clock, world.ids)
    standing = await unit_of_work.read(world.database, lambda uow: load_standing(uow, ACCOUNT, world.clock.now()))
    target = standing.catalogue.get("220", standing.today)
    quote = preview_plan_change(standing, target.id, When.NOW, desk)
    await change_plan(
        **around(world),
        desk=desk,
        account=ACCOUNT,
        actor="user:1",
        quote_token=quote.quote.token,
        idempotency_key="K-1",
    )


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
