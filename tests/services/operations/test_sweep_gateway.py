"""The nightly sweep: settlement is asked for, and the vault is compared with what we believe."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.payment_gateway import Customer, GatewayUnavailable, VaultRequest
from app.domain.payment_methods import MethodStatus, VaultTask
from app.repositories import unit_of_work
from app.services.adjustments.refund_payment import refund_payment
from app.services.operations.report_month import report_month
from app.services.operations.sweep_gateway import SweepReport, sweep_gateway, sweep_if_due
from tests.services.books import rows
from tests.services.staff import WHY, balances, by_ann, check_books
from tests.till import MASTERCARD, Till
from tests.world import pacific

FIRST = 100_001
FULL = 139_00
NOTHING = SweepReport(0, 0, 0, 0, 0, ())


@pytest.fixture
async def paid(till: Till):
    """An account whose first invoice was paid by its Visa; a Mastercard is the back-up."""
    await till.world.add_account()
    await till.add_card()
    await till.add_card(MASTERCARD)
    await till.world.close_now()
    await till.collect()
    yield till
    assert await till.world.differences() == []
    check_books(till.world.database)


async def sweep(till: Till) -> SweepReport:
    return await sweep_gateway(till.world.services)


class TestCharges:
    async def test_what_is_not_settled_waits(self, paid):
        assert await sweep(paid) == SweepReport(0, 0, 0, 1, 0, ())

    async def test_what_is_settled_is_known_once(self, paid):
        paid.gateway.settle()
        assert (await sweep(paid)).settled == 1
        assert await sweep(paid) == NOTHING

    async def test_the_month_report_matches_settlements(self, paid):
        await paid.world.add_account("AA0102")
        await paid.add_card(account="AA0102")
        paid.gateway.settle()
        await sweep(paid)
        await paid.world.close_now()
        await paid.collect()
        report = await report_month(paid.world.services, month="2026-07")
        matched = report.settlements
        assert (matched.matched_count, matched.matched_cents) == (1, FULL)
        assert (matched.unmatched_count, matched.unmatched_cents) == (1, FULL)

    async def test_a_late_decline_opens_the_balance(self, paid):
        paid.gateway.settle(status="settlement_declined")
        assert (await sweep(paid)).returned == 1
        assert balances(paid.world.database) == {FIRST: ("OPEN", FULL)}
        assert await sweep(paid) == NOTHING

    async def test_a_void_at_the_gateway_is_reported_and_nothing_is_charged_by_itself(self, paid):
        (attempt,) = await paid.attempts()
        await paid.world.services.payments.void(attempt.transaction_id, "by-hand")
        report = await sweep(paid)
        assert (report.voided, len(report.findings)) == (1, 1)
        assert balances(paid.world.database) == {FIRST: ("OPEN", FULL)}
        await paid.advance_to(pacific(2026, 7, 31))
        assert len(await paid.attempts()) == 1

    async def test_a_void_of_our_own_is_none_of_its_business(self, paid):
        await refund_payment(
            paid.world.services, by_ann(), invoice_number=FIRST, amount_cents=FULL, reference="R1", **WHY
        )
        assert await sweep(paid) == NOTHING
        assert balances(paid.world.database) == {FIRST: ("OPEN", FULL)}


class TestVault:
    async def test_a_method_that_is_gone_needs_attention(self, paid):
        visa, _ = await paid.methods()
        await paid.world.services.payments.remove_method(visa.id)
        report = await sweep(paid)
        assert report.findings == (f"Account {visa.account_id}: the vault has no payment method {visa.id} any more.",)
        assert (await paid.methods())[0].status is MethodStatus.NEEDS_ATTENTION
        assert (await paid.methods())[0].is_default
        assert (await sweep(paid)).findings == ()

    async def test_a_stranger_is_reported_and_not_adopted(self, paid):
        visa, _ = await paid.methods()
        request = VaultRequest(Customer(visa.account_id, "Harbor Dental"), "pm_stranger", "fake-valid-amex-nonce")
        await paid.world.services.payments.vault(request)
        for _ in range(2):
            assert (await sweep(paid)).findings == (
                f"Account {visa.account_id}: the vault has a payment method pm_stranger that is none of ours.",
            )
        assert len(await paid.methods()) == 2

    async def test_what_was_removed_here_is_deleted_there_and_the_default_is_mirrored(self, paid):
        visa, mastercard = await paid.methods()
        now = paid.world.clock.now()

        async def change(uow):
            await uow.payment_methods.set_status(visa.id, MethodStatus.REMOVED, at=now)
            await uow.payment_methods.set_default(visa.account_id, mastercard.id, former_position=1)

        await unit_of_work.write(paid.world.database, change)
        assert (await sweep(paid)).findings == ()
        tasks = dict(rows(paid.world.database, "SELECT id, vault_task FROM payment_method"))
        assert tasks == {visa.id: VaultTask.DELETE, mastercard.id: VaultTask.MAKE_DEFAULT}

    async def test_a_card_that_changed_without_a_word_is_read_again(self, paid):
        visa, _ = await paid.methods()
        paid.gateway.update_card(visa.id, expiration_year="2039", is_silent=True)
        assert (await sweep(paid)).updated == 1
        assert (await paid.methods())[0].expiry_year == 2039


class TestOnceADay:
    async def test_it_runs_once_for_each_day_from_three_on(self, paid):
        around = paid.world.services
        assert await sweep_if_due(around) is not None
        assert await sweep_if_due(around) is None
        paid.world.clock.instant = pacific(2026, 7, 2, 2, 59)
        assert await sweep_if_due(around) is None
        paid.world.clock.instant = pacific(2026, 7, 2, 3)
        assert await sweep_if_due(around) is not None

    async def test_a_gateway_that_cannot_be_asked_is_asked_again_later(self, paid):
        around = paid.world.services
        paid.gateway.faults({"match": "*", "action": "reset", "times": 99})
        assert await sweep_if_due(around) is None
        paid.gateway.faults()
        assert await sweep_if_due(around) is None
        paid.world.clock.instant += timedelta(minutes=10)
        assert await sweep_if_due(around) is not None

    async def test_by_hand_it_says_that_it_cannot(self, paid):
        paid.gateway.faults({"match": "*", "action": "reset", "times": 99})
        with pytest.raises(GatewayUnavailable):
            await sweep(paid)
