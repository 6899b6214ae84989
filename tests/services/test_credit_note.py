"""Credit notes: a number of their own, first against what is open on the invoice, and the rest is credit (rule 27)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.credit_notes import CreditTooHigh, LineNotCreditable, NothingLeftToCredit
from app.services.add_charge import add_charge
from app.services.credit_note import InvoiceNotCreditable, issue_credit_note
from app.services.explain import InvoiceNotFound
from app.services.grant_credit import grant_goodwill
from app.services.once import IdempotencyConflict
from app.services.set_tax_rate import set_tax_rate
from app.services.staff_actions import ActorMissing, InvalidAmount, ReasonMissing
from app.services.void_invoice import void_invoice
from app.services.write_off import write_off_invoice
from tests.services.books import dump, invoices, lines, postings, rows
from tests.services.staff import ANN, around, balances, book, check_books, credit, last_event
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def august(world: World) -> World:
    """Invoice 100002: base $139.00, a charge of $30.00 and 6.5 % tax, $179.99 in all; 100001 is paid."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    await world.pay(139_00)
    staff = {**around(world), "account": ACCOUNT, **ANN}
    await set_tax_rate(**staff, name="Sales tax", ten_thousandths=650, valid_from=date(2026, 8, 1))
    await add_charge(**staff, title="Programming", amount_cents=30_00, reference="T-1")
    await world.advance_to(pacific(2026, 8, 2, 12))
    return world


async def note(world: World, **changes):
    given = {"account": ACCOUNT, "invoice_number": 100_002, "cents_by_line": {2: 30_00}, "reference": "N-1", **ANN}
    return await issue_credit_note(**around(world), **{**given, **changes})


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
        await grant_goodwill(**around(august), account=ACCOUNT, amount_cents=20_00, reference="G-1", **ANN)

        await note(august)

        applied = [(p.posting.grant_seq, p.posting.amount_cents) for p in await postings(august.database)][-2:]
        goodwill = next(p.seq for p in await postings(august.database) if p.posting.kind == "GOODWILL_GRANTED")
        assert applied == [(goodwill, 20_00), (goodwill + 1, 11_95)]
        assert balances(august.database)[100_002] == ("OPEN", 148_04)
        assert credit(august.database) == 20_00
        check_books(august.database)

    async def test_the_trail_has_one_row_with_the_balance_before_and_after(self, august):
        before = len(rows(august.database, "SELECT id FROM event"))

        issued = await note(august)

        event = await last_event(august)
        assert len(rows(august.database, "SELECT id FROM event")) == before + 1
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
        await act(**around(august), account=ACCOUNT, invoice_number=100_002, **ANN)
        before = dump(august.database)

        with pytest.raises(InvoiceNotCreditable, match=f"over invoice 100002: it is {status}"):
            await note(august)

        assert dump(august.database) == before
