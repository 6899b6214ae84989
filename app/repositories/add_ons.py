"""Add-on versions, and who has which."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update
from sqlmodel import col, select

from app.domain.add_ons import AddOnSubscription, AddOnVersion
from app.domain.invoice_lines import LineKind
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

    async def versions(self) -> tuple[AddOnVersion, ...]:
        """Return every version ever sold."""
        rows = await self._session.exec(select(AddOnVersionRow).order_by(col(AddOnVersionRow.id)))
        return tuple(version_from_row(row) for row in rows)

    async def get_version(self, version_id: str) -> AddOnVersion:
        """Return the version of that id, on sale or not."""
        return version_from_row(await self._session.get_one(AddOnVersionRow, version_id))

    async def end_sale(self, version_id: str, valid_before: date | None) -> None:
        """Store from which date the version is not sold any more; accounts that have it keep it."""
        statement = update(AddOnVersionRow).where(col(AddOnVersionRow.id) == version_id)
        await self._session.exec(statement.values(valid_before=valid_before))

    async def end_all(self, account_id: str, ends_before: date) -> None:
        """Let every subscription of the account be over from the date on, unless it ends sooner."""
        end = col(AddOnSubscriptionRow.ends_before)
        goes_on = end.is_(None) | (end > ends_before)
        statement = update(AddOnSubscriptionRow).where(col(AddOnSubscriptionRow.account_id) == account_id, goes_on)
        await self._session.exec(statement.values(ends_before=ends_before))

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

    async def list_for_account(self, account_id: str) -> list[AddOnSubscription]:
        """Return what an account has or had, in the order of buying."""
        statement = (
            select(AddOnSubscriptionRow, AddOnVersionRow)
            .join(AddOnVersionRow, col(AddOnVersionRow.id) == col(AddOnSubscriptionRow.add_on_version_id))
            .where(AddOnSubscriptionRow.account_id == account_id)
            .order_by(col(AddOnSubscriptionRow.starts_on), col(AddOnSubscriptionRow.id))
        )
        return [
            AddOnSubscription(row.id, version_from_row(version), row.starts_on, row.ends_before)
            for row, version in await self._session.exec(statement)
        ]

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


def version_from_row(row: AddOnVersionRow) -> AddOnVersion:
    """Return the domain value of a row."""
    return AddOnVersion(
        id=row.id,
        code=row.code,
        name=row.name,
        kind=row.kind,
        monthly_cents=row.monthly_cents,
        is_prorated=row.is_prorated,
        entitlement=row.entitlement,
        terms_version=row.terms_version,
        terms=row.terms,
        valid_from=row.valid_from,
        valid_before=row.valid_before,
    )
