"""The pages of the trail and of entitlements on both engines: what a session reads, and nobody else's rows."""

from __future__ import annotations

import pytest

from app.repositories.database import Database
from app.repositories.pages.activity import LAST_ID, activity_page
from app.repositories.pages.entitlements import ENTITLEMENTS
from tests.graphql.test_add_ons import buy
from tests.graphql.test_plan_changes import PLAN_220, change
from tests.repositories.test_invoice_pages import both
from tests.world import World, pacific

START = {"after_id": LAST_ID, "fetch": 3}
TODAY = pacific(2026, 8, 14).date()


@pytest.fixture
async def told(migrated_url):
    """A change of plan and an add-on on 14 August, with another account beside them."""
    database = Database.open(migrated_url)
    world = await World.create(database)
    await world.add_account()
    await world.add_account("AA0202")
    await world.advance_to(pacific(2026, 8, 14, 12))
    await change(world, PLAN_220)
    await buy(world, key="press-2")
    yield database
    await database.close()


class TestEqualReads:
    @pytest.mark.parametrize(("prefix", "shown", "total"), [("", 3, 7), ("plan.", 1, 1)])
    async def test_of_the_trail(self, told, prefix, shown, total):
        for is_counted in (True, False):
            read, expected = await both(told, activity_page(prefix=prefix, is_counted=is_counted), **START)
            assert read == expected
            assert (len(read.events), read.total) == (shown, total if is_counted else None)
            assert {event.actor_name for event in read.events} == {"Admin"}

    async def test_of_entitlements(self, told):
        read, expected = await both(told, ENTITLEMENTS, today=TODAY)
        assert read == expected == frozenset({"onCall"})
        assert (await both(told, ENTITLEMENTS, today=TODAY, account="AA0202"))[0] == frozenset()
        assert (await both(told, ENTITLEMENTS, today=TODAY, account="ZZ9999"))[0] is None
