"""A new database gets the seed catalogue, so that there are plans to sell; one that has plans keeps its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.seed_catalogue import SEED_CATALOGUE
from app.repositories import unit_of_work
from app.repositories.events import Event

if TYPE_CHECKING:
    from app.ports import Clock, Ids
    from app.repositories.database import Database
    from app.repositories.unit_of_work import UnitOfWork


async def load_catalogue(*, database: Database, clock: Clock, ids: Ids, actor: str) -> int:
    """Load the seed catalogue into a database without plans and return how many versions that were."""

    async def work(uow: UnitOfWork) -> int:
        if (await uow.plans.catalogue()).versions:
            return 0
        await uow.plans.add_all(SEED_CATALOGUE.versions)
        count = len(SEED_CATALOGUE.versions)
        event = Event(ids.new("evt"), None, "catalogue.loaded", actor, clock.now(), None, {"versions": count})
        await uow.events.add_many([event])
        return count

    return await unit_of_work.write(database, work)
