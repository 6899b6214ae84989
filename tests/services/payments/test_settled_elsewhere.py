"""What is settled by anything but a charge is collected no more, and serves the account again (rules 27, 33)."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from app.domain.accounts import AccountStatus
from app.domain.checkouts import ChangeInProgress
from app.domain.collection import CollectionStatus
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import PaymentKind
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.grant_credit import grant_goodwill
from app.services.adjustments.record_payment import record_payment
from app.services.adjustments.void_invoice import void_invoice
from app.services.adjustments.write_off import write_off_invoice
from app.services.common.staff_actions import ChargeUnderWay
from app.services.cycle.close_account import close_account
from app.services.payments.collect_due import next_collection_at
from tests.graphql.test_plan_changes import PLAN_220, confirm, preview
from tests.services.books import dump
from tests.services.staff import WHY, balances, by_ann, check_books
from tests.till import Till
from tests.world import ACCOUNT, World, pacific

BANNER = "{ viewer { banner } }"
FULL = 139_00


async def check(world: World, number: int) -> None:
    given = {"kind": PaymentKind.CHECK, "amount_cents": FULL, "reference": "4711", "received_on": date(2026, 7, 24)}
    await record_payment(world.services, by_ann(), **given, **WHY)


async def credit_note(world: World, number: int) -> None:
    given = {"invoice_number": number, "cents_by_line": {}, "reference": "N1"}
    await issue_credit_note(world.services, by_ann(), **given, **WHY)


async def write_off(world: World, number: int) -> None:
    await write_off_invoice(world.services, by_ann(), invoice_number=number, **WHY)


async def status(world: World) -> AccountStatus:
    from app.repositories import unit_of_work

    owner = await unit_of_work.read(world.database, lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
    return owner.status


@pytest.fixture
async def declined(till: Till):
    """A customer of long snapshot whose card is declined: July's invoice is open. In the end the books agree."""
    await till.world.add_account(paid_since_on=date(2026, 7, 1))
    await till.add_card()
    till.gateway.force("*", "2001", 1_000)
    await till.world.close_now()
    await till.collect()
    yield till
    assert await till.world.differences() == []
    check_books(till.world.database)


class TestSuspended:
    @pytest.mark.parametrize("settle", [check, credit_note, write_off])
    async def test_rule_33_service_is_back_once_nothing_is_open_whatever_settled_it(self, declined, settle):
        world = declined.world
        await declined.advance_to(pacific(2026, 7, 24, 12))
        assert await status(world) is AccountStatus.SUSPENDED
        assert (await world.data(BANNER))["viewer"]["banner"] is not None

        await settle(world, 100_001)

        assert (await status(world), await world.data(BANNER)) == (AccountStatus.ACTIVE, {"viewer": {"banner": None}})
        assert (await declined.collection(0)).status is CollectionStatus.DONE
        assert "account.reactivated" in await declined.kinds()


class TestCollecting:
    @pytest.mark.parametrize("settle", [check, credit_note, write_off])
    async def test_nothing_is_charged_any_more_and_nobody_is_told_to_pay(self, declined, settle):
        world = declined.world
        assert (await world.data(BANNER))["viewer"]["banner"] is not None

        await settle(world, 100_001)

        assert await world.data(BANNER) == {"viewer": {"banner": None}}
        assert (await declined.collection(0)).status is CollectionStatus.DONE
        assert await next_collection_at(world.services) is None

    async def test_of_an_invoice_that_was_issued_again_the_new_one_is_collected(self, declined):
        await void_invoice(declined.world.services, by_ann(), invoice_number=100_001, **WHY)
        assert [(await declined.collection(place)).status for place in (0, 1)] == [
            CollectionStatus.DONE,
            CollectionStatus.IDLE,
        ]

    async def test_credit_that_settles_a_closed_account_ends_it_too(self, declined):
        world = declined.world
        await grant_goodwill(world.services, by_ann(), amount_cents=FULL, reference="T-1", **WHY)
        await close_account(world.services, by_ann(), **WHY)
        assert balances(world.database) == {100_001: ("PAID", 0)}
        assert (await declined.collection(0)).status is CollectionStatus.DONE
        assert "account.reactivated" not in await declined.kinds()


class TestWarning:
    async def test_rule_33_nobody_is_suspended_without_notice_however_late_collecting_goes_on(self, declined):
        """Collecting stood still from the 2nd to the 30th of July, as under a hold."""
        world = declined.world
        world.clock.instant = pacific(2026, 7, 30, 12)
        await declined.collect()
        assert await status(world) is AccountStatus.ACTIVE
        assert (await declined.kinds()).count("suspension.scheduled") == 1
        await declined.advance_to(pacific(2026, 8, 2, 11))
        assert await status(world) is AccountStatus.ACTIVE
        await declined.advance_to(pacific(2026, 8, 2, 13))
        assert await status(world) is AccountStatus.SUSPENDED


class TestUnderWay:
    @pytest.fixture
    async def paid(self, till: Till):
        """July is paid by card."""
        await till.world.add_account()
        await till.add_card()
        await till.world.close_now()
        await till.collect()
        yield till
        assert await till.world.differences() == []
        assert await till.disagreements() == []
        check_books(till.world.database)

    @pytest.mark.parametrize("settle", [credit_note, write_off])
    async def test_rule_17_what_waits_for_its_payment_is_left_to_it(self, paid, settle):
        world = paid.world
        quoted = await preview(world, PLAN_220)
        paid.gateway.faults({"match": "sale", "when": "before", "action": "reset"})
        assert (await confirm(world, quoted))["status"] == "PAYMENT_PENDING"
        balance = (await world.data("{ billingSummary { openBalance { amount } } }"))["billingSummary"]["openBalance"]
        assert balance == {"amount": "0.00"}, "what waits for its own payment is not open yet"
        before = dump(world.database)
        with pytest.raises(ChangeInProgress):
            await settle(world, 100_002)
        assert dump(world.database) == before
        await paid.advance_to(world.clock.now() + timedelta(minutes=30))

    @pytest.mark.parametrize("settle", [credit_note, write_off])
    async def test_rule_31_an_unknown_outcome_comes_first(self, till, settle):
        world = till.world
        await world.add_account()
        await till.add_card()
        await world.close_now()
        till.gateway.faults({"match": "sale", "when": "after", "action": "reset"})
        await till.collect()
        before = dump(world.database)
        with pytest.raises(ChargeUnderWay):
            await settle(world, 100_001)
        assert dump(world.database) == before
        await till.advance_to(world.clock.now() + timedelta(minutes=30))
        assert (await world.issued())[0].status is InvoiceStatus.PAID
