"""Refunds by staff through the real adapter and a gateway of this machine; rules 29 to 31 hold for them too."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.collection import CollectionStatus
from app.domain.payment_gateway import GatewayUnavailable
from app.repositories import unit_of_work
from app.repositories.webhook_events import COLLECTION, Hold
from app.services.adjustments import refund_payment as refund_service
from app.services.adjustments.credit_note import issue_credit_note
from app.services.adjustments.refund_payment import (
    NothingToRefund,
    Refunded,
    RefundRefused,
    RefundsOnHold,
    RefundUnderWay,
    refund_payment,
)
from app.services.adjustments.refund_steps import settle_refunds
from app.services.adjustments.write_off import write_off_invoice
from app.services.common.caller import Caller
from app.services.common.idempotency import IdempotencyConflict
from app.services.common.staff_actions import InvoiceNotFound
from app.services.operations.report_month import report_month
from app.services.payments.collect_due import request_collection
from app.services.payments.customer_charges import Outcome
from app.services.payments.pay_invoice import pay_invoice
from tests.services.books import rows
from tests.services.staff import WHY, balances, by_ann, by_staff, check_books
from tests.till import MASTERCARD, Till
from tests.world import ACCOUNT, pacific

FIRST = 100_001
FULL = 139_00


@pytest.fixture
async def paid(till: Till):
    """An account whose first invoice was paid by card; the charge is not settled."""
    await till.world.add_account()
    await till.add_card()
    await till.world.close_now()
    await till.collect()
    yield till
    assert await till.world.differences() == []
    check_books(till.world.database)


async def refund(till: Till, cents: int = FULL, reference: str = "R1", **changes) -> Refunded:
    given = {"invoice_number": FIRST, "amount_cents": cents, "reference": reference}
    return await by_staff(till.world, refund_payment, **{**given, **changes})


async def money(till: Till) -> tuple[int, int]:
    """Captured and refunded cents of the first charge, by the gateway's own ledger."""
    (attempt, *_) = await till.attempts()
    order = till.gateway.ledger()[attempt.id]
    return order["captured_cents"], order["refunded_cents"]


def refund_states(till: Till) -> list[tuple[str, str]]:
    return rows(till.world.database, "SELECT kind, state FROM refund ORDER BY id")


class TestGivenBack:
    async def test_a_charge_that_is_not_settled_is_voided_whole(self, paid):
        done = await refund(paid)
        assert (done.is_known, done.is_new, done.amount_cents) == (True, True, FULL)
        assert refund_states(paid) == [("VOID", "SUCCEEDED")]
        assert await money(paid) == (0, 0)
        assert balances(paid.world.database) == {FIRST: ("OPEN", FULL)}

    async def test_a_settled_charge_is_refunded_whole_or_in_parts(self, paid):
        paid.gateway.settle()
        await refund(paid, 39_00)
        await refund(paid, 50_00, "R2")
        assert refund_states(paid) == [("REFUND", "SUCCEEDED")] * 2
        assert await money(paid) == (FULL, 89_00)
        assert balances(paid.world.database) == {FIRST: ("OPEN", 89_00)}
        with pytest.raises(NothingToRefund, match=r"At most \$50\.00"):
            await refund(paid, 50_01, "R3")

    async def test_a_part_of_what_is_not_settled_has_to_wait(self, paid):
        with pytest.raises(RefundRefused, match="try again tomorrow"):
            await refund(paid, 39_00)
        assert balances(paid.world.database) == {FIRST: ("PAID", 0)}
        with pytest.raises(RefundRefused):
            await refund(paid, 39_00)
        assert refund_states(paid) == [("REFUND", "DECLINED")]
        paid.gateway.settle()
        await refund(paid, 39_00, "R2")
        assert await money(paid) == (FULL, 39_00)

    async def test_what_settles_before_it_is_voided_is_refunded(self, paid):
        paid.gateway.settle(status="settling")
        await refund(paid)
        assert refund_states(paid) == [("REFUND", "SUCCEEDED")]
        assert await money(paid) == (FULL, FULL)

    async def test_it_is_in_the_trail_and_in_the_month_report(self, paid):
        await refund(paid)
        event = (await paid.world.trail())[-1]
        assert (event.kind, event.actor) == ("payment.refunded", "staff:ann")
        assert event.data["reason"] == "Ticket 4711."
        assert (event.data["amount_cents"], event.data["method_name"]) == (FULL, "Visa ending in 1881")
        report = await report_month(paid.world.services, month="2026-07")
        assert dict(report.receivable.movements)["refunded"] == FULL
        assert report.receivable.closing_cents == FULL


class TestCollecting:
    async def test_a_refunded_invoice_is_not_charged_by_itself(self, paid):
        await refund(paid)
        collection = await paid.collection()
        assert (collection.status, collection.next_attempt_at) == (CollectionStatus.WAITING, None)
        await paid.advance_to(pacific(2026, 7, 31, 12))
        assert len(await paid.attempts()) == 1
        assert "late_fee.added" not in await paid.kinds()
        assert "account.suspended" not in await paid.kinds()

    async def test_a_new_card_does_not_charge_it_either(self, paid):
        await refund(paid)
        await paid.add_card(MASTERCARD)
        owner = await paid.read(lambda uow: uow.accounts.get_by_external_id(ACCOUNT))
        now = paid.world.clock.now()
        requested = await unit_of_work.write(paid.world.database, lambda uow: request_collection(uow, owner.id, now))
        assert requested == []

    @pytest.mark.parametrize("way", ["check", "write-off", "credit-note"])
    async def test_staff_can_close_it(self, paid, way):
        await refund(paid)
        if way == "check":
            await paid.world.pay(FULL)
        elif way == "write-off":
            await write_off_invoice(paid.world.services, by_ann(), invoice_number=FIRST, **WHY)
        else:
            await issue_credit_note(
                paid.world.services, by_ann(), invoice_number=FIRST, cents_by_line={}, reference="CN1", **WHY
            )
        assert balances(paid.world.database)[FIRST][1] == 0
        if way != "credit-note":
            assert (await paid.collection(0)).status is CollectionStatus.DONE

    async def test_pay_now_pays_it(self, paid):
        await refund(paid)
        (invoice,) = await paid.world.issued()
        outcome = await pay_invoice(
            paid.world.services,
            Caller(ACCOUNT, "user:ann"),
            payment_runner=paid.world.payment_runner,
            invoice_id=invoice.id,
            idempotency_key="K1",
        )
        assert outcome is Outcome.APPLIED
        assert [attempt.amount_cents for attempt in await paid.attempts()] == [FULL, FULL]
        assert (await paid.collection()).status is CollectionStatus.DONE


class TestNeverTwice:
    async def test_the_same_reference_gives_back_once(self, paid):
        first = await refund(paid)
        again = await refund(paid)
        assert (again.refund_id, again.is_new, again.is_known) == (first.refund_id, False, True)
        assert len(refund_states(paid)) == 1
        with pytest.raises(IdempotencyConflict):
            await refund(paid, 1_00)

    async def test_nothing_is_left_after_all_of_it(self, paid):
        await refund(paid)
        with pytest.raises(NothingToRefund, match="Nothing of invoice"):
            await refund(paid, 1, "R2")

    async def test_another_refund_waits_for_one_whose_outcome_is_unknown(self, paid):
        paid.gateway.settle()
        paid.gateway.faults({"match": "refund", "when": "after", "action": "reset"})
        assert not (await refund(paid, 39_00)).is_known
        with pytest.raises(RefundUnderWay):
            await refund(paid, 39_00, "R2")
        later(paid)
        assert await settle_refunds(paid.world.services) == 1
        assert await money(paid) == (FULL, 39_00)
        assert (await refund(paid, 39_00)).is_known

    async def test_what_was_paid_by_check_is_not_given_back_here(self, till):
        await till.world.add_account()
        await till.world.close_now()
        await till.world.pay(FULL)
        with pytest.raises(NothingToRefund):
            await refund(till)


def later(till: Till, seconds: int = 120) -> None:
    till.world.clock.instant += timedelta(seconds=seconds)


class TestKilled:
    @pytest.mark.parametrize("keys", [True, False], ids=["keys", "no-keys"])
    @pytest.mark.parametrize("way", ["void", "refund"])
    async def test_rule_31_whoever_dies_before_sending_it_leaves_it_to_the_next(self, paid, way, keys, monkeypatch):
        paid.gateway.settings(request_keys=keys)
        if way == "refund":
            paid.gateway.settle()
        monkeypatch.setattr(refund_service, "carry_out", die)
        with pytest.raises(Died):
            await refund(paid)
        assert await money(paid) == (FULL, 0)
        assert not (await refund(paid)).is_known
        for _ in range(6):
            later(paid, 180)
            await settle_refunds(paid.world.services)
        assert (await refund(paid)).is_known
        assert await money(paid) == ((0, 0) if way == "void" else (FULL, FULL))


class Died(BaseException):
    """The process is gone."""


async def die(*_args, **_kwargs):
    raise Died


class TestRefused:
    async def test_an_invoice_of_nobody(self, paid):
        with pytest.raises(InvoiceNotFound):
            await refund(paid, invoice_number=999)

    async def test_a_gateway_that_cannot_be_asked(self, paid):
        paid.gateway.faults({"match": "find_transaction", "when": "before", "action": "reset", "times": 5})
        with pytest.raises(GatewayUnavailable):
            await refund(paid)
        assert refund_states(paid) == []

    async def test_money_on_hold_stays(self, paid):
        hold = Hold(COLLECTION, paid.world.clock.now(), "restored")
        await unit_of_work.write(paid.world.database, lambda uow: uow.holds.put(hold))
        with pytest.raises(RefundsOnHold):
            await refund(paid)
        assert await settle_refunds(paid.world.services) == 0
