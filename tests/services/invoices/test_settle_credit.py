"""Credit pays what is open at once, in one order whatever it arose from; only what is left waits (rules 14, 35)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.accounts import AccountStatus
from app.domain.collection import AttemptState, CollectionStatus
from app.domain.payment_methods import MethodStatus
from app.repositories import unit_of_work
from app.repositories.unit_of_work import UnitOfWork
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.refund_payment import refund_payment
from app.services.common.caller import Caller
from app.services.common.staff_actions import ChargeUnderWay
from app.services.cycle.close_account import close_account
from app.services.payments.collect_invoice import collect_invoice
from app.services.payments.customer_charges import Outcome, PaymentMethodRequired
from app.services.payments.pay_invoice import PaidInvoice, PaymentResult, pay_invoice, pay_open_balance
from tests.factories.calls import a_call
from tests.inbox import Inbox
from tests.services.books import postings
from tests.services.staff import WHY, balances, book, by_ann, change_to, check_books, credit, last_event
from tests.till import LOST, MASTERCARD, VISA, Till
from tests.world import ACCOUNT, World, pacific

FIRST, SECOND, THIRD = 100_001, 100_002, 100_003
MONTH = 139_00
SOFT = "2001"


async def goodwill(world: World, cents: int) -> None:
    await grant_goodwill(world.services, by_ann(), amount_cents=cents, reference=world.ids.new("ref"), **WHY)


async def note(world: World, number: int, cents: int):
    return await issue_credit_note(
        world.services, by_ann(), invoice_number=number, cents_by_line={1: cents}, reference=world.ids.new("ref"), **WHY
    )


async def applied(world: World) -> list[tuple[int, int, list[int]]]:
    """Number, cents, and balance before and after of every invoice that credit was set against, in order."""
    found = [event for event in await world.trail() if event.kind == "credit.applied"]
    return [(each.data["number"], each.data["amount_cents"], each.data["balance_cents"]) for each in found]


async def status(world: World) -> AccountStatus:
    owner = await unit_of_work.read(world.database, lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
    return owner.status


async def refund(till: Till, number: int, cents: int) -> None:
    """Give back what was charged, so that the invoice is open again and paid by hand."""
    given = {"invoice_number": number, "amount_cents": cents, "reference": till.world.ids.new("r")}
    await refund_payment(till.world.services, by_ann(), **given, **WHY)


@pytest.fixture
async def august(world: World) -> World:
    """Two open invoices of $139.00; it is noon of 2 August."""
    await world.add_account()
    await world.advance_to(pacific(2026, 8, 2, 12))
    return world


@pytest.fixture
async def by_hand(till: Till):
    """Invoice 100001 was charged and refunded, so that it is open and paid by hand; it is noon of 2 July."""
    await till.world.add_account()
    await till.add_card(VISA)
    await till.advance_to(pacific(2026, 7, 2, 12))
    await refund(till, FIRST, MONTH)
    assert (await till.collection()).is_by_hand
    yield till
    assert await till.world.differences() == []
    check_books(till.world.database)


@pytest.fixture
async def under_way(till: Till):
    """Invoices 100001 and 100002 are open, and nobody knows what became of the charge of the first."""
    await till.world.add_account()
    await till.world.advance_to(pacific(2026, 8, 2, 12))
    await till.add_card(VISA)
    yield till
    assert await till.world.differences() == []
    assert await till.disagreements() == []
    check_books(till.world.database)


async def charge_first(till: Till, code: str | None = None) -> None:
    """Charge invoice 100001 and lose the answer; with a code the bank has declined it."""
    till.gateway.force("*", code)
    till.gateway.faults(LOST)
    await collect(till, 0)
    assert await states(till, 0) == [AttemptState.UNKNOWN]


async def collect(till: Till, place: int) -> None:
    await collect_invoice(till.world.services, (await till.world.issued())[place].id)


async def states(till: Till, place: int) -> list[AttemptState]:
    return [attempt.state for attempt in await till.attempts(place)]


async def charged(till: Till, place: int) -> list[int]:
    return [attempt.amount_cents for attempt in await till.attempts(place)]


async def find_out(till: Till) -> None:
    """Ask what became of the charge of invoice 100001, when it may be asked."""
    till.world.clock.instant += timedelta(minutes=1)
    await collect(till, 0)


class TestOrder:
    async def test_the_oldest_invoice_is_paid_first_and_each_has_its_event(self, august):
        await goodwill(august, 200_00)

        assert balances(august.database) == {FIRST: ("PAID", 0), SECOND: ("OPEN", 78_00)}
        assert await applied(august) == [(FIRST, 139_00, [139_00, 0]), (SECOND, 61_00, [139_00, 78_00])]
        event = await last_event(august)
        issued = await august.issued()
        assert (event.kind, event.actor, event.subject_id) == ("credit.applied", "system", issued[1].id)
        assert credit(august.database) == 0
        check_books(august.database)

    async def test_only_what_is_left_waits_and_the_next_invoice_takes_it(self, august):
        await goodwill(august, 300_00)

        assert (set(balances(august.database).values()), credit(august.database)) == ({("PAID", 0)}, 22_00)
        await august.advance_to(pacific(2026, 9, 2, 12))
        assert balances(august.database)[THIRD] == ("OPEN", 117_00)
        assert [number for number, *_ in await applied(august)] == [FIRST, SECOND]
        assert await august.differences() == []

    async def test_the_oldest_credit_is_used_up_first(self, august):
        await august.pay(2 * MONTH)
        await goodwill(august, 20_00)
        await goodwill(august, 30_00)
        await august.advance_to(pacific(2026, 9, 2, 12))

        used = [p.posting for p in await postings(august.database) if p.posting.kind == "CREDIT_APPLIED"]
        given = [p.seq for p in await postings(august.database) if p.posting.kind == "GOODWILL_GRANTED"]
        assert [(p.grant_seq, p.amount_cents) for p in used] == list(zip(given, [20_00, 30_00], strict=True))

    async def test_a_credit_note_pays_the_invoice_that_it_corrects_before_older_ones(self, august):
        issued = await note(august, SECOND, 50_00)

        assert issued.applied_cents == 50_00
        assert balances(august.database) == {FIRST: ("OPEN", 139_00), SECOND: ("OPEN", 89_00), THIRD: ("PAID", 0)}
        assert await applied(august) == [(SECOND, 50_00, [139_00, 89_00])]

    async def test_what_the_corrected_invoice_leaves_over_goes_to_others(self, august):
        await august.advance_to(pacific(2026, 9, 2, 12))
        await august.pay(MONTH)  # 100001
        await goodwill(august, MONTH)  # 100002

        issued = await note(august, SECOND, 139_00)

        assert (issued.credited_cents, issued.applied_cents) == (139_00, 0)
        assert balances(august.database)[THIRD] == ("PAID", 0)
        assert credit(august.database) == 0
        assert await august.differences() == []

    async def test_a_change_of_plan_pays_the_invoice_whose_base_it_takes_back(self, world):
        await world.add_account(plan="500")
        await world.advance_to(pacific(2026, 8, 2, 12))

        assert await change_to(world, "economy") is Outcome.APPLIED

        assert balances(world.database) == {FIRST: ("OPEN", 499_00), SECOND: ("OPEN", 39_00), THIRD: ("PAID", 0)}
        assert await applied(world) == [(SECOND, 460_00, [499_00, 39_00])]
        assert credit(world.database) == 0
        assert await world.differences() == []


class TestByHand:
    async def test_credit_leaves_an_invoice_alone_that_is_paid_by_hand(self, by_hand):
        await by_hand.world.advance_to(pacific(2026, 8, 2, 12))

        await goodwill(by_hand.world, 150_00)

        assert balances(by_hand.world.database) == {FIRST: ("OPEN", 139_00), SECOND: ("PAID", 0)}
        assert credit(by_hand.world.database) == 11_00

    async def test_what_corrects_it_pays_it_all_the_same_for_no_more_than_arose(self, by_hand):
        await goodwill(by_hand.world, 20_00)

        issued = await note(by_hand.world, FIRST, 30_00)

        assert issued.applied_cents == 30_00
        assert balances(by_hand.world.database)[FIRST] == ("OPEN", 109_00)
        assert credit(by_hand.world.database) == 20_00
        assert await applied(by_hand.world) == [(FIRST, 30_00, [139_00, 109_00])]

    async def test_a_change_of_plan_pays_it_too(self, by_hand):
        assert await change_to(by_hand.world, "economy") is Outcome.APPLIED

        assert balances(by_hand.world.database)[FIRST] == ("OPEN", 39_00)
        assert credit(by_hand.world.database) == 0

    @pytest.mark.parametrize(
        ("refunded", "paid", "left"),
        [
            (50_00, [(SECOND, 50_00, [50_00, 0]), (THIRD, 22_20, [66_80, 44_60])], 0),
            (10_00, [(SECOND, 10_00, [10_00, 0]), (THIRD, 27_80, [66_80, 39_00])], 34_40),
        ],
        ids=["as much as arose", "as much as was taken back of each"],
    )
    async def test_a_correction_of_two_invoices_pays_the_older_first(self, till, refunded, paid, left):
        """Overage of August, $83.40 on 100002 and $27.80 more on 100003, is corrected to nothing: 39.00 - 111.20."""
        world = till.world
        await world.add_account(plan="economy", paid_since_on=date(2026, 8, 1))
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 8, 31, 12))
        first = a_call(event_id="1", started_at=pacific(2026, 8, 31, 9), script_seconds=3_600, recording_seconds=0)
        late = first._replace(event_id="2", script_seconds=1_200)
        await world.add_calls(first)
        await till.advance_to(pacific(2026, 9, 2, 12))
        await world.add_calls(late)
        await till.advance_to(pacific(2026, 10, 2, 12))
        till.gateway.settle()
        await refund(till, SECOND, refunded)
        await refund(till, THIRD, 66_80)
        await world.add_calls(
            first._replace(event_id="3", corrects="1", script_seconds=0),
            late._replace(event_id="4", corrects="2", script_seconds=0),
        )

        await till.advance_to(pacific(2026, 11, 1, 12))

        assert (await world.issued())[-1].total_cents == -72_20
        assert (await applied(world), credit(world.database)) == (paid, left)
        assert await world.differences() == []

    async def test_its_collecting_ends_with_what_was_open(self, by_hand):
        await note(by_hand.world, FIRST, 139_00)

        assert balances(by_hand.world.database)[FIRST] == ("PAID", 0)
        assert (await by_hand.collection(0)).status is CollectionStatus.DONE


class TestPayNow:
    async def pay(self, till: Till) -> Outcome:
        (invoice, *_) = await till.world.issued()
        return await pay_invoice(
            till.world.services,
            Caller(ACCOUNT, "user:ann"),
            payment_runner=till.world.payment_runner,
            invoice_id=invoice.id,
            idempotency_key=till.world.ids.new("key"),
        )

    async def test_credit_pays_first_and_the_card_pays_the_rest(self, by_hand):
        await goodwill(by_hand.world, 100_00)

        assert await self.pay(by_hand) is Outcome.APPLIED

        assert await charged(by_hand, 0) == [139_00, 39_00]
        assert (balances(by_hand.world.database)[FIRST], credit(by_hand.world.database)) == (("PAID", 0), 0)
        assert await applied(by_hand.world) == [(FIRST, 100_00, [139_00, 39_00])]
        paid = next(event for event in await by_hand.world.trail() if event.kind == "credit.applied")
        assert paid.actor == "user:ann"

    async def test_credit_that_came_while_a_card_was_asked_comes_before_the_next_one(self, by_hand):
        await by_hand.add_card(MASTERCARD)
        by_hand.gateway.force((await by_hand.methods())[0].id, SOFT)
        by_hand.gateway.faults(LOST)
        assert await self.pay(by_hand) is Outcome.PAYMENT_PENDING
        await goodwill(by_hand.world, 20_00)
        assert credit(by_hand.world.database) == 20_00

        await find_out(by_hand)

        assert await states(by_hand, 0) == [AttemptState.SUCCEEDED, AttemptState.DECLINED, AttemptState.SUCCEEDED]
        assert await charged(by_hand, 0) == [139_00, 139_00, 119_00]
        assert (balances(by_hand.world.database)[FIRST], credit(by_hand.world.database)) == (("PAID", 0), 0)

    async def test_credit_that_is_enough_needs_no_card(self, by_hand):
        await goodwill(by_hand.world, 150_00)
        await refuse_cards(by_hand)

        assert await self.pay(by_hand) is Outcome.APPLIED

        assert await charged(by_hand, 0) == [139_00]
        assert (balances(by_hand.world.database)[FIRST], credit(by_hand.world.database)) == (("PAID", 0), 11_00)
        assert (await by_hand.collection(0)).status is CollectionStatus.DONE

    async def test_credit_that_is_not_enough_is_kept_where_nothing_can_be_charged(self, by_hand):
        await goodwill(by_hand.world, 100_00)
        await refuse_cards(by_hand)

        with pytest.raises(PaymentMethodRequired):
            await self.pay(by_hand)

        assert (balances(by_hand.world.database)[FIRST], credit(by_hand.world.database)) == (("OPEN", 139_00), 100_00)

    async def test_everything_that_is_open_is_paid_oldest_first(self, by_hand):
        await by_hand.advance_to(pacific(2026, 8, 2, 12))
        await refund(by_hand, SECOND, MONTH)
        await goodwill(by_hand.world, 150_00)
        assert credit(by_hand.world.database) == 150_00

        paid = await pay_open_balance(
            by_hand.world.services,
            Caller(ACCOUNT, "user:ann"),
            payment_runner=by_hand.world.payment_runner,
            idempotency_key="all",
        )

        assert paid == [PaidInvoice(invoice.id, PaymentResult.PAID) for invoice in await by_hand.world.issued()]
        assert (await charged(by_hand, 0), await charged(by_hand, 1)) == ([139_00], [139_00, 128_00])
        assert await applied(by_hand.world) == [(FIRST, 139_00, [139_00, 0]), (SECOND, 11_00, [139_00, 128_00])]
        assert credit(by_hand.world.database) == 0


async def refuse_cards(till: Till) -> None:
    """Leave nothing on file that can be charged."""

    async def refuse(uow: UnitOfWork) -> None:
        for method in await till.methods():
            await uow.payment_methods.set_status(method.id, MethodStatus.NEEDS_ATTENTION, at=till.world.clock.now())

    await unit_of_work.write(till.world.database, refuse)


class TestUnderWay:
    async def test_credit_passes_over_it_and_pays_what_is_newer(self, under_way):
        await charge_first(under_way)

        await goodwill(under_way.world, 150_00)

        assert balances(under_way.world.database) == {FIRST: ("OPEN", 139_00), SECOND: ("PAID", 0)}
        assert credit(under_way.world.database) == 11_00
        await find_out(under_way)
        assert balances(under_way.world.database)[FIRST] == ("PAID", 0)
        assert credit(under_way.world.database) == 11_00

    async def test_a_note_over_it_is_refused_and_one_over_another_leaves_it_alone(self, under_way):
        await charge_first(under_way)
        with pytest.raises(ChargeUnderWay):
            await note(under_way.world, FIRST, 139_00)

        issued = await note(under_way.world, SECOND, 139_00)

        assert issued.applied_cents == 139_00
        assert balances(under_way.world.database)[FIRST] == ("OPEN", 139_00)
        await find_out(under_way)

    async def test_once_it_is_declined_credit_pays_and_the_next_charge_is_less(self, under_way):
        await charge_first(under_way, SOFT)
        await goodwill(under_way.world, 159_00)
        assert credit(under_way.world.database) == 20_00
        await under_way.add_card(MASTERCARD)

        under_way.gateway.force("*", None)
        await find_out(under_way)

        assert await states(under_way, 0) == [AttemptState.DECLINED, AttemptState.SUCCEEDED]
        assert await charged(under_way, 0) == [139_00, 119_00]
        assert await applied(under_way.world) == [(SECOND, 139_00, [139_00, 0]), (FIRST, 20_00, [139_00, 119_00])]
        assert (balances(under_way.world.database)[FIRST], credit(under_way.world.database)) == (("PAID", 0), 0)

    async def test_once_it_is_declined_credit_that_covers_it_ends_its_collecting(self, under_way):
        await charge_first(under_way, SOFT)
        await goodwill(under_way.world, 300_00)
        await under_way.add_card(MASTERCARD)

        await find_out(under_way)

        assert await states(under_way, 0) == [AttemptState.DECLINED]
        assert (balances(under_way.world.database)[FIRST], credit(under_way.world.database)) == (("PAID", 0), 22_00)
        assert (await under_way.collection(0)).status is CollectionStatus.DONE
        assert "payment.failed" not in await under_way.kinds()

    async def test_what_a_success_pays_beyond_the_balance_is_credit_that_pays_the_next(self, under_way):
        await charge_first(under_way)
        await under_way.world.pay(100_00)
        assert balances(under_way.world.database)[FIRST] == ("OPEN", 39_00)

        await find_out(under_way)

        assert await charged(under_way, 0) == [139_00]
        assert balances(under_way.world.database) == {FIRST: ("PAID", 0), SECOND: ("OPEN", 39_00)}
        assert await applied(under_way.world) == [(SECOND, 100_00, [139_00, 39_00])]
        posted = [(p.posting.kind, p.posting.amount_cents) for p in await postings(under_way.world.database)]
        assert posted[-2:] == [("OVERPAID", 100_00), ("CREDIT_APPLIED", 100_00)]
        assert credit(under_way.world.database) == 0


class TestWaitingChange:
    async def test_the_invoice_of_a_change_that_waits_is_left_alone_until_it_is_paid(self, till):
        await till.world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        till.gateway.faults(LOST)
        assert await change_to(till.world, "220") is Outcome.PAYMENT_PENDING

        await goodwill(till.world, 30_00)

        assert balances(till.world.database)[SECOND] == ("OPEN", 100_00)
        assert credit(till.world.database) == 30_00
        await till.advance_to(pacific(2026, 7, 2, 13))
        assert balances(till.world.database)[SECOND] == ("PAID", 0)
        assert (await charged(till, 1), credit(till.world.database)) == ([100_00], 30_00)
        assert await till.world.differences() == []

    async def test_the_credit_of_a_change_that_is_dropped_pays_what_opened_in_between(self, till):
        """The change took $40.00 of credit; it is declined after a bank returned July's payment."""
        await till.world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        await goodwill(till.world, 40_00)
        till.gateway.force("*", SOFT)
        till.gateway.faults(LOST)
        assert await change_to(till.world, "220") is Outcome.PAYMENT_PENDING
        assert (balances(till.world.database)[SECOND], credit(till.world.database)) == (("OPEN", 60_00), 0)
        await returned(till, 0)
        assert balances(till.world.database)[FIRST] == ("OPEN", 139_00)

        await till.advance_to(pacific(2026, 7, 2, 13))

        assert balances(till.world.database) == {FIRST: ("OPEN", 99_00), SECOND: ("VOID", 0)}
        assert await applied(till.world) == [(FIRST, 40_00, [139_00, 99_00])]
        assert credit(till.world.database) == 0
        assert await till.world.differences() == []


async def returned(till: Till, place: int) -> None:
    """Let the bank return the charge of an invoice."""
    (attempt, *_) = await till.attempts(place)
    till.gateway.settle(attempt.transaction_id, status="settlement_declined")
    inbox = Inbox(till)
    await inbox.take(till.gateway.webhook("transaction_settlement_declined", transaction_id=attempt.transaction_id))


class TestReturned:
    @pytest.fixture
    async def paid(self, till: Till):
        """Invoice 100001 is paid by card; it is noon of 2 July."""
        await till.world.add_account()
        await till.add_card(VISA)
        await till.advance_to(pacific(2026, 7, 2, 12))
        yield till
        assert await till.world.differences() == []
        check_books(till.world.database)

    async def test_what_a_bank_returns_is_paid_by_credit_and_the_card_is_charged_the_rest(self, paid):
        await goodwill(paid.world, 20_00)
        assert credit(paid.world.database) == 20_00

        await returned(paid, 0)

        assert (balances(paid.world.database)[FIRST], credit(paid.world.database)) == (("OPEN", 119_00), 0)
        await paid.advance_to(pacific(2026, 7, 5, 12))
        assert await charged(paid, 0) == [139_00, 119_00]
        assert balances(paid.world.database)[FIRST] == ("PAID", 0)

    async def test_credit_that_covers_it_ends_its_collecting_at_once(self, paid):
        await goodwill(paid.world, 150_00)

        await returned(paid, 0)

        assert (balances(paid.world.database)[FIRST], credit(paid.world.database)) == (("PAID", 0), 11_00)
        assert (await paid.collection(0)).status is CollectionStatus.DONE
        await paid.advance_to(pacific(2026, 7, 31, 12))
        assert await charged(paid, 0) == [139_00]
        assert await status(paid.world) is AccountStatus.ACTIVE


class TestSuspended:
    @pytest.fixture
    async def suspended(self, till: Till):
        """Nothing was paid on invoice 100001, and service is suspended; it is 9 July."""
        await till.world.add_account()
        await till.advance_to(pacific(2026, 7, 9, 12))
        assert await status(till.world) is AccountStatus.SUSPENDED
        yield till
        assert await till.world.differences() == []
        check_books(till.world.database)

    async def test_service_comes_back_with_the_cent_that_covers_what_is_open(self, suspended):
        await goodwill(suspended.world, 138_99)
        assert await status(suspended.world) is AccountStatus.SUSPENDED
        assert balances(suspended.world.database)[FIRST] == ("OPEN", 1)

        await goodwill(suspended.world, 1)

        assert await status(suspended.world) is AccountStatus.ACTIVE
        assert balances(suspended.world.database)[FIRST] == ("PAID", 0)
        assert (await suspended.collection()).status is CollectionStatus.DONE
        event = await last_event(suspended.world)
        assert (event.kind, event.data) == ("account.reactivated", {"status": ["SUSPENDED", "ACTIVE"]})

    async def test_a_credit_note_over_what_a_check_left_brings_it_back_too(self, suspended):
        await suspended.world.pay(39_00)

        await note(suspended.world, FIRST, 100_00)

        assert await status(suspended.world) is AccountStatus.ACTIVE
        assert balances(suspended.world.database)[FIRST] == ("PAID", 0)

    async def test_so_does_credit_that_covers_an_invoice_paid_by_hand_and_waits_beside_it(self, by_hand):
        by_hand.gateway.force("*", SOFT)
        await by_hand.advance_to(pacific(2026, 8, 9, 12))
        assert await status(by_hand.world) is AccountStatus.SUSPENDED
        await goodwill(by_hand.world, 139_00)
        assert balances(by_hand.world.database) == {FIRST: ("OPEN", 139_00), SECOND: ("PAID", 0)}
        await goodwill(by_hand.world, 138_99)
        assert await status(by_hand.world) is AccountStatus.SUSPENDED

        await goodwill(by_hand.world, 1)

        assert await status(by_hand.world) is AccountStatus.ACTIVE
        assert (balances(by_hand.world.database)[FIRST], credit(by_hand.world.database)) == (("OPEN", 139_00), 139_00)


class TestClosing:
    async def close(self, till: Till):
        return await close_account(till.world.services, by_ann(), **WHY)

    async def test_credit_for_a_charge_under_way_is_held_until_its_outcome_is_known(self, under_way):
        await charge_first(under_way)
        await goodwill(under_way.world, 289_00)
        assert credit(under_way.world.database) == 150_00  # 139.00 went to the second invoice

        closing = await self.close(under_way)

        assert (closing.applied_cents, closing.paid_out_cents, credit(under_way.world.database)) == (0, 11_00, 139_00)
        await find_out(under_way)
        again = await self.close(under_way)
        assert (again.applied_cents, again.paid_out_cents, again.is_new) == (0, 139_00, True)
        assert (credit(under_way.world.database), book(under_way.world.database, "CASH")) == (0, 139_00 - 150_00)

    async def test_once_the_charge_is_declined_the_credit_pays_the_invoice(self, under_way):
        await charge_first(under_way, SOFT)
        await goodwill(under_way.world, 289_00)
        await self.close(under_way)

        await find_out(under_way)

        assert balances(under_way.world.database)[FIRST] == ("PAID", 0)
        assert credit(under_way.world.database) == 0
        assert await states(under_way, 0) == [AttemptState.DECLINED]

    async def test_what_is_paid_by_hand_is_paid_before_anything_is_paid_out(self, by_hand):
        await goodwill(by_hand.world, 150_00)

        closing = await self.close(by_hand)

        assert (closing.applied_cents, closing.paid_out_cents) == (139_00, 11_00)
        assert balances(by_hand.world.database)[FIRST] == ("PAID", 0)
