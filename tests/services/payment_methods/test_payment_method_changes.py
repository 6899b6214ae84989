"""The default, the order of the back-ups, and removal: rules 29, 30 and 34."""

from __future__ import annotations

import asyncio

import pytest

from app.domain.payment_methods import InvalidOrder, LastPaymentMethod, MethodStatus
from app.repositories import unit_of_work
from app.services.common.caller import Caller
from app.services.payment_methods.payment_method_changes import PaymentMethodNotFound
from app.services.payment_methods.set_default_payment_method import set_default_payment_method
from tests.till import AMEX, MASTERCARD, VISA
from tests.wallet import ANN, HERE, Wallet
from tests.world import ACCOUNT, pacific

JCB = "fake-valid-jcb-nonce"
LATER = pacific(2027, 2, 15, 12)
OTHER = "AA0202"


@pytest.fixture
async def three(wallet: Wallet):
    """An account in its first months, with a Visa by default, and a Mastercard and an Amex as back-ups."""
    await wallet.world.add_account()
    for nonce in (VISA, MASTERCARD, AMEX):
        await wallet.add(nonce)
    await wallet.sweep()
    return wallet


async def ids(wallet: Wallet) -> list[str]:
    return await wallet.on_file()


async def foreign(wallet: Wallet) -> str:
    await wallet.world.add_account(OTHER, name="Elm Plumbing")
    return await wallet.add(VISA, account=OTHER)


class TestSetDefault:
    async def test_rule_29_the_former_default_becomes_the_first_back_up(self, three):
        visa, mastercard, amex = await ids(three)
        await three.set_default(amex)
        assert await ids(three) == [amex, visa, mastercard]
        await three.sweep()
        assert await three.in_vault() == {visa: False, mastercard: False, amex: True}

    async def test_it_is_an_event_with_who_and_from_where(self, three):
        _, _, amex = await ids(three)
        await three.set_default(amex)
        event = (await three.events())[-1]
        assert (event.kind, event.subject_id, event.actor) == ("payment_method.default_changed", amex, ANN)
        assert event.data == {
            "method_name": "American Express ending in 0005",
            "former_name": "Visa ending in 1881",
            "address": HERE.address,
        }

    async def test_where_nobody_says_from_where_the_event_does_not_either(self, three):
        world, (_, _, amex) = three.world, await ids(three)
        await set_default_payment_method(world.services, Caller(ACCOUNT, ANN), method_id=amex)
        assert "address" not in (await three.events())[-1].data

    async def test_rule_30_open_invoices_are_tried_at_once(self, three):
        await three.world.close_now()
        _, mastercard, _ = await ids(three)
        for method in await ids(three):
            three.till.gateway.force(method, "2001")
        await three.till.collect()
        await three.set_default(mastercard)
        three.till.gateway.force(mastercard, None)
        await three.till.collect()
        assert [attempt.method_id for attempt in await three.till.attempts()][-1] == mastercard
        assert (await three.till.collection()).slots_used == 1

    async def test_the_default_again_writes_nothing(self, three):
        visa, *_ = await ids(three)
        before = await three.everything()
        await three.set_default(visa)
        assert await three.everything() == before

    async def test_an_unknown_a_foreign_and_a_removed_one_are_not_found(self, three):
        _, mastercard, _ = await ids(three)
        stranger = await foreign(three)
        await three.remove(mastercard)
        before = await three.everything()
        for method in ("pm_x", "", stranger, mastercard):
            with pytest.raises(PaymentMethodNotFound):
                await three.set_default(method)
        assert await three.everything() == before

    async def test_fifty_at_once_leave_one_default(self, three):
        _, mastercard, amex = await ids(three)
        await asyncio.gather(*(three.set_default(method) for method in [mastercard, amex] * 25))
        assert len(await ids(three)) == 3


class TestReorder:
    async def test_rule_29_back_ups_are_tried_in_the_new_order(self, three):
        visa, mastercard, amex = await ids(three)
        await three.reorder(amex, mastercard)
        assert await ids(three) == [visa, amex, mastercard]
        event = (await three.events())[-1]
        assert (event.kind, event.data["order"]) == (
            "payment_method.reordered",
            ["American Express ending in 0005", "MasterCard ending in 4444"],
        )

    async def test_the_same_order_writes_nothing(self, three):
        _, mastercard, amex = await ids(three)
        before = await three.everything()
        await three.reorder(mastercard, amex)
        assert await three.everything() == before

    async def test_an_order_that_does_not_name_each_once_changes_nothing(self, three):
        visa, mastercard, amex = await ids(three)
        stranger = await foreign(three)
        before = await three.everything()
        for order in ([], [amex], [amex, amex], [visa, mastercard, amex], [amex, stranger], [amex, "pm_x"]):
            with pytest.raises(InvalidOrder):
                await three.reorder(*order)
        assert await three.everything() == before


class TestRemove:
    async def test_it_is_gone_at_once_with_its_consent_and_at_the_vault_later(self, three):
        visa, mastercard, amex = await ids(three)
        assert await three.remove(mastercard) is None
        assert await ids(three) == [visa, amex]
        assert await three.status(mastercard) is MethodStatus.REMOVED
        revoked = {row["method_id"]: row["revoked_at"] is not None for row in await three.rows("payment_consent")}
        assert revoked == {visa: False, mastercard: True, amex: False}
        await three.sweep()
        assert set(await three.in_vault()) == {visa, amex}

    async def test_rule_34_the_next_back_up_becomes_the_default(self, three):
        visa, mastercard, amex = await ids(three)
        assert await three.remove(visa) == mastercard
        assert await ids(three) == [mastercard, amex]
        removed, changed = (await three.events())[-2:]
        assert (removed.kind, removed.data["method_name"]) == ("payment_method.removed", "Visa ending in 1881")
        assert (changed.kind, changed.subject_id) == ("payment_method.default_changed", mastercard)
        await three.sweep()
        assert await three.in_vault() == {mastercard: True, amex: False}

    async def test_rule_34_the_next_one_that_can_be_charged_is_it(self, three):
        visa, mastercard, amex = await ids(three)
        await self.mark(three, mastercard, MethodStatus.NEEDS_ATTENTION)
        assert await three.remove(visa) == amex
        assert await ids(three) == [amex, mastercard]

    async def test_rule_34_the_last_stays_while_auto_pay_is_required(self, three):
        visa, mastercard, amex = await ids(three)
        await three.remove(amex)
        await three.remove(mastercard)
        before = await three.everything()
        with pytest.raises(LastPaymentMethod) as refused:
            await three.remove(visa)
        assert refused.value.is_required
        assert await three.everything() == before

    async def test_rule_34_the_last_may_go_after_six_months_with_nothing_open(self, wallet):
        await wallet.world.add_account()
        method = await wallet.add(VISA)
        await wallet.till.advance_to(LATER)
        assert await wallet.remove(method) is None
        assert await ids(wallet) == []

    async def test_rule_34_but_not_while_something_is_open(self, wallet):
        await wallet.world.add_account()
        method = await wallet.add(VISA)
        await wallet.till.advance_to(pacific(2027, 1, 31, 12))
        wallet.till.gateway.force(method, "2001")
        await wallet.till.advance_to(LATER)
        before = await wallet.everything()
        with pytest.raises(LastPaymentMethod) as refused:
            await wallet.remove(method)
        assert not refused.value.is_required
        assert await wallet.everything() == before

    async def test_rule_34_nor_while_an_outcome_is_not_known(self, wallet):
        await wallet.world.add_account()
        method = await wallet.add(VISA)
        await wallet.till.advance_to(pacific(2027, 1, 31, 12))
        wallet.till.gateway.faults({"match": "sale", "when": "after", "action": "reset", "times": 1})
        wallet.world.clock.instant = pacific(2027, 2, 1, 7)
        await wallet.world.close_now()
        await wallet.till.collect()
        with pytest.raises(LastPaymentMethod):
            await wallet.remove(method)

    async def test_an_unknown_a_foreign_and_a_removed_one_are_not_found(self, three):
        _, mastercard, _ = await ids(three)
        stranger = await foreign(three)
        await three.remove(mastercard)
        before = await three.everything()
        for method in ("pm_x", "", stranger, mastercard):
            with pytest.raises(PaymentMethodNotFound):
                await three.remove(method)
        assert await three.everything() == before

    async def test_all_at_once_leave_the_last(self, three):
        removed = await asyncio.gather(*(three.remove(method) for method in await ids(three)), return_exceptions=True)
        assert [type(each) for each in removed].count(LastPaymentMethod) == 1
        assert len(await ids(three)) == 1

    @staticmethod
    async def mark(wallet: Wallet, method: str, status: MethodStatus) -> None:
        now = wallet.world.clock.now()
        await unit_of_work.write(
            wallet.world.database, lambda uow: uow.payment_methods.set_status(method, status, at=now)
        )
