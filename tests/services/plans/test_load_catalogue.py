"""Prices come in from a file: all of it or nothing, never for the past, and once (rule 22 for the terms of add-ons)."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from app.domain.catalogue_changes import PriceAlreadyKnown, PriceBackdated
from app.domain.plans import Catalogue, InvalidCatalogue
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.repositories import unit_of_work
from app.services.common.staff_actions import ActorMissing, ReasonMissing
from app.services.plans.catalogue_file import InvalidCatalogueFile
from app.services.plans.load_catalogue import load_catalogue, load_catalogue_file
from tests.services.books import dump, rows
from tests.services.staff import ANN
from tests.world import World, pacific

NEW_YEAR = date(2027, 1, 1)
A_PLAN: dict[str, Any] = {
    "code": "100",
    "name": "100 Minutes",
    "base": "149.00",
    "included_minutes": 100,
    "overage_rate": "1.29",
    "valid_from": "2027-01-01",
    "existing_accounts_move_on": "2027-03-01",
}
AN_ADD_ON: dict[str, Any] = {
    "code": "on_call",
    "name": "On-Call",
    "monthly": "29.00",
    "terms_version": "2027-01",
    "terms": "Billed monthly in advance.",
    "valid_from": "2027-01-01",
    "entitlement": "onCall",
}


@pytest.fixture
async def seeded(world: World) -> World:
    """The seed catalogue with its add-ons, and one account; it is 2 July 2026."""
    await unit_of_work.write(world.database, lambda uow: uow.add_ons.add_versions(SEED_ADD_ONS))
    await world.add_account()
    await world.advance_to(pacific(2026, 7, 2, 12))
    return world


async def load(world: World, plans=(A_PLAN,), add_ons=(AN_ADD_ON,), **changes):
    content = json.dumps({"plans": list(plans), "add_ons": list(add_ons)}).encode()
    return await load_catalogue_file(world.services, **{"content": content, **ANN, **changes})


async def catalogue(world: World) -> Catalogue:
    return await unit_of_work.read(world.database, lambda uow: uow.plans.catalogue())


async def load_seed(world: World) -> int:
    return await load_catalogue(world.services, actor="system")


class TestSeed:
    async def test_an_empty_database_gets_every_version_and_one_event(self, database):
        world = World(database, pacific(2026, 7, 1))

        assert await load_seed(world) == len(SEED_CATALOGUE.versions)

        assert set((await catalogue(world)).versions) == set(SEED_CATALOGUE.versions)
        assert set(await unit_of_work.read(database, lambda uow: uow.add_ons.versions())) == set(SEED_ADD_ONS)
        counts = f'{{"versions":{len(SEED_CATALOGUE.versions)},"add_ons":{len(SEED_ADD_ONS)}}}'
        assert rows(database, "SELECT kind, actor, data FROM event") == [("catalogue.loaded", "system", counts)]

    async def test_a_database_that_has_plans_keeps_its_own_and_gets_add_ons_where_it_has_none(self, database):
        await unit_of_work.write(database, lambda uow: uow.plans.add_all(SEED_CATALOGUE.versions[:1]))
        world = World(database, pacific(2026, 7, 1))

        assert await load_seed(world) == 0

        assert (await catalogue(world)).versions == SEED_CATALOGUE.versions[:1]
        assert set(await unit_of_work.read(database, lambda uow: uow.add_ons.versions())) == set(SEED_ADD_ONS)

    async def test_a_second_time_changes_nothing(self, database):
        world = World(database, pacific(2026, 7, 1))
        await load_seed(world)
        before = dump(database)

        assert await load_seed(world) == 0
        assert dump(database) == before


class TestFile:
    async def test_a_new_price_is_sold_from_its_date_and_ends_the_one_before(self, seeded):
        loaded = await load(seeded)

        assert [version.id for version in loaded.added] == ["plan_100_2027-01-01", "addon_on_call_2027-01-01"]
        assert [(v.id, v.valid_before) for v in loaded.ended] == [
            ("plan_100_2020", NEW_YEAR),
            ("addon_on_call_1990", NEW_YEAR),
        ]
        after = await catalogue(seeded)
        assert after.get("100", date(2026, 12, 31)).base_cents == 139_00
        assert after.get("100", NEW_YEAR).base_cents == 149_00
        found = rows(seeded.database, "SELECT valid_before, monthly_cents FROM add_on_version WHERE code = 'on_call'")
        assert sorted(found, key=repr) == [("2027-01-01", 25_00), (None, 29_00)]

    async def test_existing_accounts_move_in_the_month_that_the_price_names(self, seeded):
        sold = (await catalogue(seeded)).get("100", date(2026, 7, 1))

        await load(seeded)

        after = await catalogue(seeded)
        moved = [after.moved(sold, on).base_cents for on in (NEW_YEAR, date(2027, 2, 1), date(2027, 3, 1))]
        assert moved == [139_00, 139_00, 149_00]

    async def test_the_same_file_again_changes_nothing(self, seeded):
        await load(seeded)
        before = dump(seeded.database)

        again = await load(seeded)

        assert (again.added, again.ended, again.is_new) == ((), (), False)
        assert dump(seeded.database) == before

    async def test_the_trail_says_what_was_added_and_what_ended(self, seeded):
        await load(seeded)

        [(actor, data)] = rows(seeded.database, "SELECT actor, data FROM event WHERE kind = 'catalogue.changed'")
        assert actor == "staff:ann"
        assert json.loads(data) == {
            "added": ["plan_100_2027-01-01", "addon_on_call_2027-01-01"],
            "ended": {"plan_100_2020": "2027-01-01", "addon_on_call_1990": "2027-01-01"},
            "reason": "Ticket 4711.",
        }

    async def test_before_there_are_accounts_prices_may_have_begun_long_ago(self, world):
        loaded = await load(world, plans=[{**A_PLAN, "valid_from": "2024-01-01"}], add_ons=[])

        assert loaded.is_new
        assert (await catalogue(world)).get("100", date(2026, 7, 1)).base_cents == 149_00


class TestRefusals:
    @pytest.mark.parametrize(
        ("plans", "add_ons", "error"),
        [
            ([{**A_PLAN, "valid_from": "2026-07-02"}], [], PriceBackdated),
            ([], [{**AN_ADD_ON, "valid_from": "2026-07-02"}], PriceBackdated),
            ([{**A_PLAN, "base": "39.00"}], [AN_ADD_ON], InvalidCatalogue),
            ([A_PLAN], [{**AN_ADD_ON, "code": "line", "valid_from": "1990-01-01"}], PriceAlreadyKnown),
            ([A_PLAN], [{**AN_ADD_ON, "monthly": 29}], InvalidCatalogueFile),
        ],
    )
    async def test_a_file_that_cannot_be_is_refused_as_a_whole(self, seeded, plans, add_ons, error):
        before = dump(seeded.database)

        with pytest.raises(error):
            await load(seeded, plans, add_ons)

        assert dump(seeded.database) == before

    @pytest.mark.parametrize(("changes", "error"), [({"actor": ""}, ActorMissing), ({"reason": ""}, ReasonMissing)])
    async def test_somebody_loads_it_for_a_reason(self, seeded, changes, error):
        with pytest.raises(error):
            await load(seeded, **changes)
