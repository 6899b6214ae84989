"""Payment methods on each engine: the whole life of them, through the services and the page."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.domain.payment_methods import VERIFICATION_HOLDS
from app.repositories.database import Database
from app.repositories.vault import VaultTaskRepository
from app.services.payment_methods import verify_payment_method
from app.services.payment_methods.add_payment_method import CardVerificationFailed, DuplicatePaymentMethod
from tests.till import AMEX, MASTERCARD, VISA, Till
from tests.wallet import Wallet
from tests.world import World

PAGE = """{ paymentMethods { default { id verification { checkedAt } } backups { id } }
  billingSummary { paymentMethod { id } autoPay { nextChargeOn } } }"""


@pytest.fixture
async def wallet(migrated_url: str, gateway):
    database = Database.open(migrated_url)
    wallet = Wallet(Till(await World.create(database, payments=gateway.payments()), gateway))
    yield wallet
    await wallet.vault.close()
    await database.close()


class TestPaymentMethods:
    async def test_their_whole_life(self, wallet):
        await wallet.world.add_account()
        first, second, third = [await wallet.add(nonce) for nonce in (VISA, MASTERCARD, AMEX)]
        with pytest.raises(DuplicatePaymentMethod):
            await wallet.try_to_add(VISA)
        with pytest.raises(CardVerificationFailed):
            await wallet.try_to_add("fake-processor-declined-visa-nonce")
        await asyncio.gather(*(wallet.set_default(method) for method in [second, third] * 5))
        await wallet.set_default(second)
        await wallet.reorder(third, first)
        assert await wallet.on_file() == [second, third, first]
        wallet.world.clock.instant += timedelta(hours=1)
        renewed = await wallet.add(wallet.till.gateway.nonce("4111111111111111"), replaces=second)
        assert await wallet.remove(renewed) == third
        assert await wallet.on_file() == [third, first]
        await wallet.sweep()
        assert await wallet.in_vault() == {third: True, first: False}
        found = await wallet.world.data(PAGE)
        assert found["paymentMethods"]["default"]["id"] == third
        assert found["paymentMethods"]["default"]["verification"]["checkedAt"] == "2026-07-01T19:00:00.000Z"
        assert found["paymentMethods"]["backups"] == [{"id": first}]
        assert found["billingSummary"]["paymentMethod"] == {"id": third}

    async def test_what_nobody_saw_is_settled(self, wallet):
        await wallet.world.add_account()
        wallet.till.gateway.faults({"match": "vault", "when": "after", "action": "reset"})
        assert (await wallet.try_to_add(VISA)).method is None
        await asyncio.gather(*(wallet.sweep() for _ in range(3)))
        assert len(await wallet.on_file()) == 1
        assert [event.kind for event in await wallet.events()].count("payment_method.added") == 1

    async def test_the_sweep_and_the_press_of_add_at_once_leave_the_card_on_file(self, wallet, monkeypatch):
        """The press comes in the last moment; while it writes, the sweep finds the card overdue, and waits for it."""
        await wallet.world.add_account()
        verified = await wallet.verify(VISA)
        is_found, due, put_on_file = asyncio.Event(), VaultTaskRepository.due, verify_payment_method.put_on_file
        sweeps = []

        async def find_due(*arguments):
            found = await due(*arguments)
            is_found.set()
            return found

        async def meet_the_sweep(*arguments):
            wallet.world.clock.instant += timedelta(seconds=1)
            sweeps.append(asyncio.create_task(wallet.sweep()))
            await is_found.wait()
            await put_on_file(*arguments)

        monkeypatch.setattr(VaultTaskRepository, "due", find_due)
        monkeypatch.setattr(verify_payment_method, "put_on_file", meet_the_sweep)
        wallet.world.clock.instant += VERIFICATION_HOLDS - timedelta(seconds=1)
        await wallet.add_verified(verified.id)
        assert await asyncio.gather(*sweeps) == [1]
        assert await wallet.on_file() == [verified.id]
        await wallet.sweep()
        assert await wallet.in_vault() == {verified.id: True}

    async def test_one_verification_pressed_many_times_is_added_once(self, wallet):
        await wallet.world.add_account()
        verified = await wallet.verify(VISA)
        pressed = (wallet.add_verified(verified.id, key=f"press-{number}") for number in range(10))
        ended = await asyncio.gather(*pressed, return_exceptions=True)
        assert sorted(type(each).__name__ for each in ended) == ["AddedMethod", *["VerificationExpired"] * 9]
        assert [event.kind for event in await wallet.events()].count("payment_method.added") == 1
