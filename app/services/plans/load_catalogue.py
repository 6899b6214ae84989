"""What is sold: a new database gets the seed catalogue, and staff load new prices from a file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from app.domain.catalogue_changes import change_catalogue, change_versions
from app.domain.events.plans import CatalogueChanged, SeedCatalogueLoaded
from app.domain.periods import billing_date
from app.domain.seed_catalogue import SEED_ADD_ONS, SEED_CATALOGUE
from app.repositories import unit_of_work
from app.services.common.staff_actions import check_staff
from app.services.plans.catalogue_file import read_catalogue_file

if TYPE_CHECKING:
    from app.domain.add_ons import AddOnVersion
    from app.domain.catalogue_changes import Changes
    from app.domain.plans import PlanVersion
    from app.repositories.unit_of_work import UnitOfWork
    from app.services.common.services import Services


@dataclass(frozen=True, slots=True)
class CatalogueLoaded:
    """The versions that a file added, and those whose sale it ended. Nothing is new when it had been loaded before."""

    added: tuple[PlanVersion | AddOnVersion, ...]
    ended: tuple[PlanVersion | AddOnVersion, ...]

    @property
    def is_new(self) -> bool:
        """Tell whether anything changed."""
        return bool(self.added or self.ended)


async def load_catalogue(services: Services, *, actor: str) -> int:
    """Load the seed catalogue into a database without plans and return how many versions of plans that were.

    A database from before there were add-ons has plans of its own and none of those: it gets the add-ons alone.
    """

    async def work(uow: UnitOfWork) -> int:
        plans = () if (await uow.plans.catalogue()).versions else SEED_CATALOGUE.versions
        add_ons = () if await uow.add_ons.versions() else SEED_ADD_ONS
        if not (plans or add_ons):
            return 0
        await uow.plans.add_all(plans)
        await uow.add_ons.add_versions(add_ons)
        loaded = SeedCatalogueLoaded(versions=len(plans), add_ons=len(add_ons))
        await uow.events.record(loaded, ids=services.ids, actor=actor, at=services.clock.now())
        return loaded.versions

    return await unit_of_work.write(services.database, work)


async def load_catalogue_file(services: Services, *, content: bytes, actor: str, reason: str) -> CatalogueLoaded:
    """Take new prices of plans and add-ons from the content of a file; all of it, or nothing.

    Once there are accounts, prices begin and end tomorrow at the earliest. The same file twice changes nothing.
    :raises InvalidCatalogueFile: when the file cannot be read.
    :raises InvalidCatalogue: in one of its forms, when what it asks for cannot be.
    """
    check_staff(actor, reason)
    file = read_catalogue_file(content)

    async def work(uow: UnitOfWork) -> CatalogueLoaded:
        now = services.clock.now()
        earliest_on = billing_date(now) + timedelta(days=1) if await uow.accounts.exists_any() else date.min
        plans = change_catalogue((await uow.plans.catalogue()).versions, file.plans, earliest_on)
        add_ons = change_versions(await uow.add_ons.versions(), file.add_ons, earliest_on)
        await _store(uow, plans, add_ons)
        loaded = CatalogueLoaded((*plans.added, *add_ons.added), (*plans.ended, *add_ons.ended))
        if loaded.is_new:
            changed = CatalogueChanged(
                added=tuple(version.id for version in loaded.added),
                ended={version.id: str(version.valid_before) for version in loaded.ended},
                reason=reason,
            )
            await uow.events.record(changed, ids=services.ids, actor=actor, at=now)
        return loaded

    return await unit_of_work.write(services.database, work)


async def _store(uow: UnitOfWork, plans: Changes[PlanVersion], add_ons: Changes[AddOnVersion]) -> None:
    await uow.plans.add_all(plans.added)
    await uow.add_ons.add_versions(add_ons.added)
    for plan in plans.ended:
        await uow.plans.end_sale(plan.id, plan.valid_before)
    for add_on in add_ons.ended:
        await uow.add_ons.end_sale(add_on.id, add_on.valid_before)
