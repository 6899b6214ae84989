"""A new database gets plans to sell, once."""

from __future__ import annotations

from app.domain.seed_catalogue import SEED_CATALOGUE
from app.repositories import unit_of_work
from app.repositories.database import Database
from app.services.load_catalogue import load_catalogue
from tests.fakes.edge import CountingIds, FixedClock
from tests.services.books import dump, rows


async def load(database: Database) -> int:
    return await load_catalogue(database=database, clock=FixedClock(), ids=CountingIds(), actor="system")


class TestLoading:
    async def test_an_empty_database_gets_every_version_and_one_event(self, database):
        assert await load(database) == len(SEED_CATALOGUE.versions)

        catalogue = await unit_of_work.read(database, lambda uow: uow.plans.catalogue())
        assert set(catalogue.versions) == set(SEED_CATALOGUE.versions)
        assert rows(database, "SELECT kind, actor, data FROM event") == [
            ("catalogue.loaded", "system", f'{{"versions":{len(SEED_CATALOGUE.versions)}}}')
        ]

    async def test_a_database_that_has_plans_keeps_its_own(self, database):
        await unit_of_work.write(database, lambda uow: uow.plans.add_all(SEED_CATALOGUE.versions[:1]))
        before = dump(database)

        assert await load(database) == 0

        assert dump(database) == before
