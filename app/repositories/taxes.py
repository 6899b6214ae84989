"""The dated lists of taxes of accounts; an account without any pays no tax."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlmodel import col, select

from app.domain.taxes import TaxList, taxes_in_force
from app.models.charges import TaxListRow
from app.repositories.billing_facts import read_taxes

if TYPE_CHECKING:
    from datetime import date

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.taxes import TaxRate


class TaxRepository:
    """What each account pays from when on."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_for_account(self, account_id: str) -> list[TaxList]:
        """Return the lists of an account, oldest first."""
        statement = select(TaxListRow).where(TaxListRow.account_id == account_id).order_by(col(TaxListRow.valid_from))
        return [TaxList(row.valid_from, read_taxes(row.rates)) for row in await self._session.exec(statement)]

    async def find(self, account_id: str, on: date) -> tuple[TaxRate, ...]:
        """Return the taxes in force on a date."""
        return taxes_in_force(await self.list_for_account(account_id), on)

    async def put(self, account_id: str, wanted: TaxList) -> None:
        """Store a list, in the place of one that begins on the same date."""
        rates = [{"name": tax.name, "rate": tax.rate, "kinds": list(tax.kinds)} for tax in wanted.taxes]
        await self._session.merge(TaxListRow(account_id=account_id, valid_from=wanted.valid_from, rates=rates))
        await self._session.flush()
