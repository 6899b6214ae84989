"""Add-on versions, and who has which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from app.domain.add_ons import AddOnSubscription, AddOnVersion
from app.domain.invoices import LineKind
from app.models.add_ons import AddOnSubscriptionRow, AddOnVersionRow

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession


class AddOnRepository:
    """Versions are added and never changed; a subscription only gets or loses its end."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_versions(self, versions: Iterable[AddOnVersion]) -> None:
        """Add versions that are not there yet."""
        known = set(await self._session.exec(select(AddOnVersionRow.id)))
        self._session.add_all(_row(version) for version in versions if version.id not in known)
        await self._session.flush()

    async def subscribe(
        self, subscription: AddOnSubscription, account_id: str, *, accepted_by: str, accepted_at: datetime
    ) -> None:
        """Add a subscription whose terms the buyer accepted."""
        version = subscription.version
        self._session.add(
            AddOnSubscriptionRow(
                id=subscription.id,
                account_id=account_id,
                add_on_version_id=version.id,
                code=version.code,
                is_single=version.kind is LineKind.ADD_ON,
                starts_on=subscription.starts_on,
                ends_before=subscription.ends_before,
                terms_version=version.terms_version,
                accepted_by=accepted_by,
                accepted_at=accepted_at,
            )
        )
        await self._session.flush()

    async def set_end(self, subscription_id: str, account_id: str, ends_before: date | None) -> None:
        """Store the day from which the subscription is over, or that it goes on."""
        statement = update(AddOnSubscriptionRow).where(
            col(AddOnSubscriptionRow.id) == subscription_id, col(AddOnSubscriptionRow.account_id) == account_id
        )
        await self._session.exec(statement.values(ends_before=ends_before))


def _row(version: AddOnVersion) -> AddOnVersionRow:
    return AddOnVersionRow(
        id=version.id,
        code=version.code,
        name=version.name,
        kind=version.kind,
        monthly_cents=version.monthly_cents,
        is_prorated=version.is_prorated,
        entitlement=version.entitlement,
        terms_version=version.terms_version,
        terms=version.terms,
        valid_from=version.valid_from,
        valid_before=version.valid_before,
    )
