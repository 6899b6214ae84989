"""The dated tax rates of accounts; an account without any pays no tax."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlmodel import col, select

from app.domain.billing_items import TaxRate
from app.models.charges import TaxRateRow

if TYPE_CHECKING:
    from datetime import date

    from sqlmodel.ext.asyncio.session import AsyncSession


@dataclass(frozen=True, slots=True)
class DatedTaxRate:
    """A tax from a date on, until the next begins; a rate of zero ends the tax."""

    valid_from: date
    rate: TaxRate


class TaxRepository:
    """What each account pays from when on."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def list_for_account(self, account_id: str) -> list[DatedTaxRate]:
        """Return the rates of an account, oldest first."""
        statement = select(TaxRateRow).where(TaxRateRow.account_id == account_id).order_by(col(TaxRateRow.valid_from))
        rows = await self._session.exec(statement)
        return [DatedTaxRate(row.valid_from, TaxRate(row.name, row.ten_thousandths)) for row in rows]

    async def find(self, account_id: str, on: date) -> TaxRate | None:
        """Return the tax in force on a date; None where there is none or its rate is zero."""
        begun = [dated.rate for dated in await self.list_for_account(account_id) if dated.valid_from <= on]
        return begun[-1] if begun and begun[-1].ten_thousandths else None

    async def put(self, account_id: str, dated: DatedTaxRate) -> None:
        """Store a rate, in the place of one that begins on the same date."""
        await self._session.merge(
            TaxRateRow(
                account_id=account_id,
                valid_from=dated.valid_from,
                name=dated.rate.name,
                ten_thousandths=dated.rate.ten_thousandths,
            )
        )
        await self._session.flush()
