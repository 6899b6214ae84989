"""A check comes in: it pays the oldest invoices, the rest is credit, and it is recorded once (rule 35)."""

from __future__ import annotations

from datetime import date

import pytest

from app.domain.ledger import PaymentKind
from app.repositories.accounts import AccountNotFound
from app.services.adjustments.record_payment import InvalidPayment, PaymentConflict, record_payment
from tests.services.books import differences, dump, events, invoices, postings, rows
from tests.services.staff import by_staff
from tests.world import ACCOUNT, World, pacific


async def pay(world: World, **changes):
    given = {
        "account": ACCOUNT,
        "kind": PaymentKind.CHECK,
        "amount_cents": 139_00,
        "reference": "4711",
        "received_on": date(2026, 9, 2),
        "actor": "staff:ann",
        "reason": "Came by mail.",
    }
    return await by_staff(world, record_payment, **{**given, **changes})


@pytest.fixture
async def september(world: World) -> World:
    """Three open invoices of $139.00 each, 100001 to 100003, on 2 September 2026."""
    await world.add_account()
    await world.advance_to(pacific(2026, 9, 2, 12))
    return world


async def statuses(world: World) -> list[str]:
    return [str(invoice.status) for invoice in await invoices(world.database)]


class TestAllocation:
    async def test_rule_35_a_payment_pays_the_oldest_invoices_first(self, september):
        recorded = await pay(september, amount_cents=200_00)

        first, second, _ = await invoices(september.database)
        moved = [(posting.invoice_id, posting.amount_cents) for posting in recorded.postings]
        assert moved == [(first.id, 139_00), (second.id, 61_00)]
        assert (recorded.paid_invoice_ids, recorded.credit_cents, recorded.is_new) == ((first.id,), 0, True)
        assert await statuses(september) == ["PAID", "OPEN", "OPEN"]
        assert await differences(september.database) == []

    async def test_the_rest_of_an_invoice_is_paid_by_the_next_payment(self, september):
        await pay(september, amount_cents=200_00)

        recorded = await pay(september, amount_cents=78_00, reference="4712")

        assert await statuses(september) == ["PAID", "PAID", "OPEN"]
        assert [posting.amount_cents for posting in recorded.postings] == [78_00]
        assert await differences(september.database) == []

    async def test_rule_35_what_is_left_over_becomes_credit(self, september):
        recorded = await pay(september, amount_cents=3 * 139_00 + 1)

        assert (recorded.credit_cents, await statuses(september)) == (1, ["PAID"] * 3)
        assert await differences(september.database) == []

    async def test_rule_35_a_payment_ahead_of_any_invoice_is_all_credit(self, world):
        await world.add_account(paid_since_on=date(2026, 12, 1))

        recorded = await pay(world, amount_cents=500_00)

        assert (recorded.credit_cents, recorded.paid_invoice_ids) == (500_00, ())

    async def test_the_time_of_payment_and_one_event_are_stored(self, september):
        recorded = await pay(september, reference="  4711 ")

        assert recorded.payment.reference == "4711"
        invoice = (await invoices(september.database))[0]
        paid = rows(september.database, "SELECT paid_at FROM invoice WHERE number = 100001")
        assert paid == rows(september.database, "SELECT recorded_at FROM payment")
        event = (await events(september.database))[-1]
        assert (event.kind, event.actor, event.subject_id) == ("payment.recorded", "staff:ann", recorded.payment.id)
        assert event.data == {
            "amount_cents": 139_00,
            "reference": "4711",
            "reason": "Came by mail.",
            "paid": [invoice.id],
        }


class TestAgain:
    async def test_the_same_payment_again_writes_nothing(self, september):
        first = await pay(september)
        before = dump(september.database)

        again = await pay(september, actor="staff:bob", reason="Typed in again.", reference="4711 ")

        assert (again.payment, again.is_new, again.postings) == (first.payment, False, ())
        assert dump(september.database) == before
        assert len(await postings(september.database)) == 4

    @pytest.mark.parametrize("changes", [{"amount_cents": 139_01}, {"received_on": date(2026, 9, 1)}])
    async def test_another_payment_under_the_same_reference_is_refused_and_writes_nothing(self, september, changes):
        await pay(september)
        before = dump(september.database)

        with pytest.raises(PaymentConflict, match=r"'4711' is already recorded, over \$139\.00 received on 2026-09-02"):
            await pay(september, **changes)

        assert dump(september.database) == before

    async def test_references_are_an_account_s_own(self, september):
        await september.add_account("AA0102")

        assert (await pay(september)).is_new
        assert (await pay(september, account="AA0102")).is_new


class TestRefusals:
    @pytest.mark.parametrize(
        ("changes", "error", "message"),
        [
            ({"amount_cents": 0}, InvalidPayment, "The amount of a payment must be above zero."),
            ({"amount_cents": -1}, InvalidPayment, "The amount of a payment must be above zero."),
            ({"reference": " \t"}, InvalidPayment, "A payment needs a reference, such as the number of the check."),
            ({"account": "nobody"}, AccountNotFound, "There is no account 'nobody'. Check its id, or create it first."),
        ],
    )
    async def test_a_refused_payment_says_what_to_do_and_writes_nothing(self, september, changes, error, message):
        before = dump(september.database)

        with pytest.raises(error) as refusal:
            await pay(september, **changes)

        assert str(refusal.value) == message
        assert dump(september.database) == before
