"""A card is verified first and added afterwards, or it is gone from the vault (rule 42)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.payment_methods import VERIFICATION_HOLDS, MethodStatus, VaultTask
from app.services.common.idempotency import IdempotencyConflict
from app.services.operations.sweep_gateway import sweep_gateway
from app.services.payment_methods.add_payment_method import (
    CardVerificationFailed,
    DuplicatePaymentMethod,
    TooManyAttempts,
    VerificationExpired,
)
from app.services.payment_methods.settle_vault import TASKS, next_vault_task_at
from tests.till import MASTERCARD, VISA
from tests.wallet import Wallet
from tests.world import SettableClock

IN_TIME = VERIFICATION_HOLDS - timedelta(seconds=1)
DECLINED = "fake-processor-declined-visa-nonce"


@pytest.fixture
async def july(wallet: Wallet):
    """An account without a payment method. At the end the vault has what is on file, and no more."""
    await wallet.world.add_account()
    yield wallet
    await wallet.vault.close()
    wallet.till.gateway.faults()
    wallet.world.clock.instant += timedelta(hours=2)
    for _ in range(3):  # what is found, is given up, and is deleted
        await wallet.sweep()
    assert set(await wallet.in_vault()) == set(await wallet.on_file())
    assert await next_vault_task_at(wallet.world.services) is None


async def wait(wallet: Wallet, until: timedelta) -> None:
    wallet.world.clock.instant += until
    await wallet.sweep()


class TestVerify:
    async def test_the_card_is_in_the_vault_and_not_on_file(self, july):
        verified = await july.verify(VISA)
        assert verified.method.display_name == "Visa ending in 1881"
        assert verified.held_until == july.world.clock.now() + VERIFICATION_HOLDS
        assert set(await july.in_vault()) == {verified.id}
        assert await july.on_file() == []
        assert await july.rows("notification") == []
        assert [event.kind for event in await july.events()][-1] == "payment_method.verified"

    async def test_it_is_added_with_the_place_that_is_chosen_then(self, july):
        first = await july.add(VISA)
        verified = await july.verify(MASTERCARD)
        added = await july.add_verified(verified.id, makes_default=True)
        assert added.method.is_default
        assert added.consent.accepted_by == "user:usr_ann"
        assert await july.on_file() == [verified.id, first]

    async def test_it_takes_the_place_of_the_card_that_it_renews(self, july):
        first = await july.add(VISA)
        verified = await july.verify(VISA, replaces=first)
        await july.add_verified(verified.id)
        assert await july.on_file() == [verified.id]

    async def test_each_press_does_one_thing(self, july):
        both = [await july.verify(VISA, key="verify") for _ in range(2)]
        assert both[0].id == both[1].id
        added = [await july.add_verified(both[0].id, key="add") for _ in range(2)]
        assert {each.method.id for each in added} == {both[0].id}
        with pytest.raises(VerificationExpired):
            await july.add_verified(both[0].id, key="another press")
        with pytest.raises(IdempotencyConflict):
            await july.add_verified(both[0].id, key="add", makes_default=True)

    async def test_a_card_that_the_bank_declines_leaves_nothing(self, july):
        with pytest.raises(CardVerificationFailed):
            await july.verify(DECLINED)
        assert await july.in_vault() == {}

    async def test_a_card_on_file_is_not_verified_again(self, july):
        await july.add(VISA)
        with pytest.raises(DuplicatePaymentMethod):
            await july.verify(VISA)

    async def test_verified_twice_it_is_added_once(self, july):
        one, other = await july.verify(VISA), await july.verify(VISA)
        await july.add_verified(other.id)
        with pytest.raises(DuplicatePaymentMethod):
            await july.add_verified(one.id)
        assert await july.on_file() == [other.id]

    async def test_verifying_counts_as_an_attempt_and_adding_does_not(self, july):
        for _ in range(4):
            with pytest.raises(CardVerificationFailed):
                await july.verify(DECLINED)
        verified = await july.verify(VISA)
        with pytest.raises(TooManyAttempts):
            await july.verify(MASTERCARD)
        assert (await july.add_verified(verified.id)).method.id == verified.id


class TestExpiry:
    async def test_what_is_not_added_is_deleted(self, july):
        verified = await july.verify(VISA)
        await wait(july, VERIFICATION_HOLDS - timedelta(seconds=1))
        assert set(await july.in_vault()) == {verified.id}
        await wait(july, timedelta(seconds=1))
        await july.sweep()
        assert await july.in_vault() == {}
        assert await july.status(verified.id) is MethodStatus.FAILED
        assert [event.kind for event in await july.events()][-1] == "payment_method.verification_expired"
        (consent,) = await july.rows("payment_consent")
        assert consent["revoked_at"] is not None

    async def test_too_late_it_is_refused_also_before_anybody_swept(self, july):
        verified = await july.verify(VISA)
        july.world.clock.instant += VERIFICATION_HOLDS
        with pytest.raises(VerificationExpired):
            await july.add_verified(verified.id)
        assert await july.on_file() == []

    async def test_the_press_of_add_comes_first_though_the_sweep_has_begun(self, july, monkeypatch):
        """Another server's clock is a second behind: its customer is in time, when this one has begun to give up."""
        verified, settle = await july.verify(VISA), TASKS[VaultTask.SETTLE]
        slow = Wallet(july.till, clock=SettableClock(july.world.clock.now() + IN_TIME))

        async def add_before(services, claimed):
            await slow.add_verified(verified.id)
            await settle(services, claimed)

        monkeypatch.setitem(TASKS, VaultTask.SETTLE, add_before)
        july.world.clock.instant += VERIFICATION_HOLDS
        await july.sweep()
        assert await july.on_file() == [verified.id]
        assert await july.in_vault() == {verified.id: True}
        (consent,) = await july.rows("payment_consent")
        assert consent["revoked_at"] is None

    async def test_the_sweep_comes_first_and_the_press_of_add_is_too_late(self, july):
        verified = await july.verify(VISA)
        slow = Wallet(july.till, clock=SettableClock(july.world.clock.now() + IN_TIME))
        july.world.clock.instant += VERIFICATION_HOLDS
        await july.sweep()
        with pytest.raises(VerificationExpired):
            await slow.add_verified(verified.id)
        assert await july.on_file() == []

    async def test_the_nightly_comparison_leaves_it_alone(self, july):
        first, verified = await july.add(VISA), await july.verify(MASTERCARD)
        assert (await sweep_gateway(july.world.services)).findings == ()
        assert set(await july.in_vault()) == {first, verified.id}
        assert (await july.stored(verified.id)).vault_task is VaultTask.SETTLE
        await july.add_verified(verified.id)
        assert await july.on_file() == [first, verified.id]

    async def test_one_that_the_vault_has_not_verified_yet_is_added_by_the_same_press_later(self, july):
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        pending = await july.verify(VISA)
        july.till.gateway.faults()
        assert pending.method is None
        waiting = await july.add_verified(pending.id, key="add", makes_default=True)
        assert (waiting.method, waiting.consent) == (None, pending.consent)
        await wait(july, timedelta(minutes=2))
        assert (await july.add_verified(pending.id, key="add", makes_default=True)).method.id == pending.id
        assert await july.on_file() == [pending.id]

    async def test_one_that_the_vault_has_not_verified_in_time_is_too_old(self, july):
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        pending = await july.verify(VISA)
        july.till.gateway.faults()
        july.world.clock.instant += VERIFICATION_HOLDS
        with pytest.raises(VerificationExpired):
            await july.add_verified(pending.id)

    async def test_a_lost_answer_is_found_at_the_vault_and_waits_to_be_added(self, july):
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        pending = await july.verify(VISA, key="verify")
        july.till.gateway.faults()
        if pending.method is None:
            await wait(july, timedelta(minutes=2))
        found = await july.verify(VISA, key="verify")
        assert (found.id, found.method.display_name) == (pending.id, "Visa ending in 1881")
        await july.add_verified(found.id)
        assert await july.on_file() == [found.id]


class TestOthers:
    async def test_nobody_else_can_add_it(self, july):
        verified = await july.verify(VISA)
        with pytest.raises(VerificationExpired):
            await july.add_verified(verified.id, by=july.caller(actor="user:usr_ben"))

    async def test_no_other_account_can_add_it(self, july):
        await july.world.add_account("AA0102")
        verified = await july.verify(VISA)
        with pytest.raises(VerificationExpired):
            await july.add_verified(verified.id, by=july.caller("AA0102"))
        assert await july.status(verified.id) is MethodStatus.VERIFIED

    async def test_one_that_waits_for_the_vault_is_told_of_to_its_person_alone(self, july):
        july.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        pending = await july.verify(VISA)
        with pytest.raises(VerificationExpired):
            await july.add_verified(pending.id, by=july.caller(actor="user:usr_ben"))

    async def test_an_id_that_is_none_is_told_alike(self, july):
        added = await july.add(VISA)
        for wrong in ("pm_nothing", added):
            with pytest.raises(VerificationExpired):
                await july.add_verified(wrong)
