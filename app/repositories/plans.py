"""Plan versions in and out of the database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from app.domain.money import UnitPrice
from app.domain.plans import PlanVersion
from app.models.plans import PlanVersionRow
from app.repositories.billing_facts import PLAN_COLUMNS, read_catalogue
from app.repositories.bulk import read_rows

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.plans import Catalogue

_CATALOGUE = select(*PLAN_COLUMNS).order_by(col(PlanVersionRow.id))


class PlanRepository:
    """The catalogue; versions are added and never changed."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def catalogue(self) -> Catalogue:
        """Return every version ever sold."""
        return read_catalogue(await read_rows(self._session, _CATALOGUE))

    async def get_many(self, version_ids: Iterable[str]) -> dict[str, PlanVersion]:
        """Return the versions by id."""
        statement = select(PlanVersionRow).where(col(PlanVersionRow.id).in_(set(version_ids)))
        return {row.id: plan_from_row(row) for row in await self._session.exec(statement)}

    async def add_all(self, versions: Iterable[PlanVersion]) -> None:
        """Add versions that are not there yet."""
        known = set(await self._session.exec(select(PlanVersionRow.id)))
        self._session.add_all(_row(version) for version in versions if version.id not in known)
        await self._session.flush()

    async def end_sale(self, version_id: str, valid_before: date | None) -> None:
        """Store from which date the version is not sold any more; accounts that have it keep it."""
        statement = update(PlanVersionRow).where(col(PlanVersionRow.id) == version_id)
        await self._session.exec(statement.values(valid_before=valid_before))


def plan_from_row(row: PlanVersionRow) -> PlanVersion:
    """Return the domain value of a row."""
    return PlanVersion(
        id=row.id,
        code=row.code,
        name=row.name,
        base_cents=row.base_cents,
        included_minutes=row.included_minutes,
        overage_rate=UnitPrice(row.overage_rate),
        valid_from=row.valid_from,
        valid_before=row.valid_before,
        existing_move_on=row.existing_move_on,
    )


def _row(version: PlanVersion) -> PlanVersionRow:
    return PlanVersionRow(
        id=version.id,
        code=version.code,
        name=version.name,
        base_cents=version.base_cents,
        included_minutes=version.included_minutes,
        overage_rate=version.overage_rate,
        valid_from=version.valid_from,
        valid_before=version.valid_before,
        existing_move_on=version.existing_move_on,
    )
