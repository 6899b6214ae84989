"""What an account's add-ons unlock, asked for by the rest of SAS Flex."""

from __future__ import annotations

import pytest

from tests.graphql.test_add_ons import CANCEL, add_on_id, buy, switch
from tests.http.service import ACCOUNTS, Service, a_service_at_noon, refusal
from tests.trips import counted_trips
from tests.world import ACCOUNT, World, pacific

NOTHING = {"onCall": False, "transcription": False, "liveCall": False, "queueVoicemail": False}


@pytest.fixture
async def service(world: World) -> Service:
    return await a_service_at_noon(world)


async def ask(service: Service, account: str = ACCOUNT, **options):
    path = f"{ACCOUNTS}/{account}/entitlements"
    return await service.send(b"", **{"key": "flex", "method": "GET", "path": path, "headers": {}} | options)


class TestEntitlements:
    async def test_change_with_the_add_ons_of_the_account(self, service):
        assert (await ask(service)).json() == {"account": ACCOUNT, "on": "2026-07-14", "entitlements": NOTHING}
        await buy(service.world, "live_call")
        assert (await ask(service)).json()["entitlements"] == NOTHING | {"liveCall": True}

    async def test_last_until_the_end_of_the_month_of_a_cancellation(self, service):
        await buy(service.world)
        await switch(service.world, CANCEL, await add_on_id(service.world))
        await service.world.advance_to(pacific(2026, 7, 31, 23, 59))
        assert (await ask(service)).json()["entitlements"] == NOTHING | {"onCall": True}
        await service.world.advance_to(pacific(2026, 8, 1))
        assert (await ask(service)).json()["entitlements"] == NOTHING

    async def test_of_an_unknown_account_are_not_found(self, service):
        assert refusal(await ask(service, "ZZ9999"))[:2] == (404, "NOT_FOUND")

    async def test_are_for_the_service_key_alone(self, service):
        assert refusal(await ask(service, key="east"))[:2] == (401, "UNAUTHENTICATED")

    async def test_are_read_and_not_written(self, service):
        answer = await ask(service, method="PUT")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET")

    async def test_take_the_key_and_one_read(self, service):
        await ask(service)
        async with counted_trips() as trips:
            await ask(service)
        assert trips.count <= 2, trips.statements
