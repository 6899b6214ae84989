"""Payment methods on each engine: the whole life of them, through the services and the page."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from app.repositories.database import Database
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
