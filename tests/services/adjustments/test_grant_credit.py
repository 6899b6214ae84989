"""Staff give credit: it pays what is open, the rest waits; it is given once, and is in the trail (rule 35)."""

from __future__ import annotations

import asyncio
from datetime import date

import pytest

from app.repositories.accounts import AccountNotFound
from app.services.adjustments.grant_credit import grant_goodwill, record_prepayment
from app.services.adjustments.record_payment import InvalidPayment, PaymentConflict
from app.services.common.idempotency import IdempotencyConflict, InvalidIdempotencyKey
from app.services.common.staff_actions import AccountClosed, ActorMissing, InvalidAmount, ReasonMissing
from app.services.cycle.close_account import close_account
from tests.services.books import dump, events, postings, rows
from tests.services.staff import ANN, WHY, balances, book, by_ann, by_staff, check_books, credit, last_event
from tests.world import ACCOUNT, World, pacific


@pytest.fixture
async def unpaid(world: World) -> World:
    """One open invoice of $139.00."""
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    return world


@pytest.fixture
async def july(unpaid: World) -> World:
    """One invoice of $139.00, paid by check."""
    await unpaid.pay(139_00, reference="1042")
    return unpaid


async def goodwill(world: World, **changes):
    given = {"account": ACCOUNT, "amount_cents": 25_00, "reference": "T-1", **ANN}
    return await by_staff(world, grant_goodwill, **{**given, **changes})


async def prepay(world: World, **changes):
    given = {"account": ACCOUNT, "amount_cents": 500_00, "reference": "4711", "received_on": date(2026, 7, 2), **ANN}
    return await by_staff(world, record_prepayment, **{**given, **changes})


class TestGoodwill:
    async def test_rule_35_it_pays_what_is_open_at_once(self, unpaid):
        granted = await goodwill(unpaid)

        assert (granted.amount_cents, granted.credit_cents, granted.is_new) == (25_00, 0, True)
        assert balances(unpaid.database) == {100_001: ("OPEN", 114_00)}
        await unpaid.advance_to(pacific(2026, 8, 1, 12))
        assert balances(unpaid.database) == {100_001: ("OPEN", 114_00), 100_002: ("OPEN", 139_00)}
        assert (credit(unpaid.database), book(unpaid.database, "GOODWILL")) == (0, 25_00)
        check_books(unpaid.database)

    async def test_rule_35_what_is_left_waits_for_the_next_invoice(self, july):
        granted = await goodwill(july)

        assert (granted.amount_cents, granted.credit_cents, granted.is_new) == (25_00, 25_00, True)
        assert balances(july.database) == {100_001: ("PAID", 0)}
        await july.advance_to(pacific(2026, 8, 1, 12))
        assert balances(july.database) == {100_001: ("PAID", 0), 100_002: ("OPEN", 114_00)}
        assert (credit(july.database), book(july.database, "GOODWILL")) == (0, 25_00)
        check_books(july.database)

    async def test_the_trail_says_first_that_it_was_given_and_then_what_it_paid(self, unpaid):
        await goodwill(unpaid)

        given, applied = (await events(unpaid.database))[-2:]
        assert (given.kind, given.data["credit_cents"]) == ("credit.granted", [0, 25_00])
        assert (applied.kind, applied.data["balance_cents"]) == ("credit.applied", [139_00, 114_00])

    async def test_the_trail_says_who_why_and_what_the_credit_was_before_and_after(self, july):
        await goodwill(july)
        await goodwill(july, amount_cents=5_00, reference="T-2")

        event = await last_event(july)
        assert (event.kind, event.actor) == ("credit.granted", "staff:ann")
        assert event.data == {
            "amount_cents": 5_00,
            "reference": "T-2",
            "reason": "Ticket 4711.",
            "credit_cents": [25_00, 30_00],
        }

    async def test_pressed_twice_it_is_given_once(self, july):
        await goodwill(july)
        before = dump(july.database)

        again = await goodwill(july, reference=" T-1 ", actor="staff:bob", reason="Again.")

        assert (again.is_new, again.credit_cents) == (False, 25_00)
        assert dump(july.database) == before

    async def test_rule_36_pressed_five_times_at_once_it_is_given_once(self, july):
        granted = await asyncio.gather(*(goodwill(july) for _ in range(5)))

        assert sorted(each.is_new for each in granted) == [False] * 4 + [True]
        assert credit(july.database) == 25_00
        check_books(july.database)

    async def test_another_amount_under_the_same_reference_is_refused(self, july):
        await goodwill(july)
        before = dump(july.database)

        with pytest.raises(IdempotencyConflict):
            await goodwill(july, amount_cents=26_00)

        assert dump(july.database) == before


class TestPrepayment:
    async def test_rule_35_it_is_all_credit_for_the_invoices_to_come(self, july):
        prepaid = await prepay(july)

        assert (prepaid.credit_cents, prepaid.is_new) == (500_00, True)
        posted = [str(each.posting.kind) for each in await postings(july.database)]
        assert posted == ["INVOICED", "PAYMENT_RECEIVED", "PREPAID"]
        assert rows(july.database, "SELECT kind, amount_cents, reference, received_on FROM payment ORDER BY id") == [
            ("CHECK", 139_00, "1042", "2026-07-02"),
            ("CHECK", 500_00, "4711", "2026-07-02"),
        ]
        await july.advance_to(pacific(2026, 8, 1, 12))
        assert balances(july.database)[100_002] == ("PAID", 0)
        assert (credit(july.database), book(july.database, "CASH")) == (361_00, 639_00)
        check_books(july.database)

    async def test_rule_35_what_is_open_is_paid_of_it_first(self, unpaid):
        prepaid = await prepay(unpaid)

        assert (prepaid.credit_cents, prepaid.is_new) == (361_00, True)
        posted = [(str(each.posting.kind), each.posting.amount_cents) for each in await postings(unpaid.database)]
        assert posted == [("INVOICED", 139_00), ("PREPAID", 500_00), ("CREDIT_APPLIED", 139_00)]
        assert balances(unpaid.database) == {100_001: ("PAID", 0)}
        assert (credit(unpaid.database), book(unpaid.database, "CASH")) == (361_00, 500_00)
        check_books(unpaid.database)

    async def test_the_same_check_again_writes_nothing(self, july):
        await prepay(july)
        before = dump(july.database)

        again = await prepay(july, reference="4711 ")

        assert (again.is_new, again.credit_cents) == (False, 500_00)
        assert dump(july.database) == before

    @pytest.mark.parametrize("changes", [{"amount_cents": 501_00}, {"received_on": date(2026, 7, 3)}])
    async def test_another_check_under_the_same_reference_is_refused(self, july, changes):
        await prepay(july)
        before = dump(july.database)

        with pytest.raises(PaymentConflict, match=r"'4711' is already recorded, over \$500\.00 received on"):
            await prepay(july, **changes)

        assert dump(july.database) == before

    async def test_the_trail_names_the_payment(self, july):
        await prepay(july)

        event = await last_event(july)
        [(payment_id,)] = rows(july.database, "SELECT id FROM payment WHERE reference = '4711'")
        assert (event.kind, event.subject_id) == ("payment.prepaid", payment_id)
        assert event.data["credit_cents"] == [0, 500_00]


class TestRefusals:
    @pytest.mark.parametrize("act", [goodwill, prepay])
    @pytest.mark.parametrize(
        ("changes", "error"),
        [
            ({"amount_cents": 0}, InvalidAmount),
            ({"amount_cents": -1}, InvalidAmount),
            ({"amount_cents": 1_000_000_01}, InvalidAmount),
            ({"actor": " "}, ActorMissing),
            ({"reason": ""}, ReasonMissing),
            ({"account": "nobody"}, AccountNotFound),
        ],
    )
    async def test_a_refusal_writes_nothing(self, july, act, changes, error):
        before = dump(july.database)

        with pytest.raises(error):
            await act(july, **changes)

        assert dump(july.database) == before

    async def test_a_reference_is_needed(self, july):
        with pytest.raises(InvalidIdempotencyKey):
            await goodwill(july, reference=" ")
        with pytest.raises(InvalidPayment, match="A payment needs a reference"):
            await prepay(july, reference=" ")

    @pytest.mark.parametrize("act", [goodwill, prepay])
    async def test_a_closed_account_gets_no_credit(self, july, act):
        await close_account(july.services, by_ann(), **WHY)
        before = dump(july.database)

        with pytest.raises(AccountClosed, match="Account 'AA0101' is closed: it gets no further invoice"):
            await act(july)

        assert dump(july.database) == before
