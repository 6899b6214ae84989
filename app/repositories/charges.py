"""One-time charges: added or waived by staff, and on the next invoice of their account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import bindparam, update
from sqlmodel import col, select

from app.domain.billing_items import OneTimeCharge
from app.domain.invoice_lines import LineKind
from app.models.charges import OneTimeChargeRow
from app.models.invoices import InvoiceLineRow
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

CHARGE_KINDS = (LineKind.CHARGE, LineKind.LATE_FEE)

_MARK_INVOICED = (
    update(OneTimeChargeRow)
    .where(col(OneTimeChargeRow.id) == bindparam("charge"))
    .values(invoice_id=bindparam("taken_by"))
)


@dataclass(frozen=True, slots=True)
class StoredCharge:
    """A charge and its outcome: it waits, is on an invoice, or was waived."""

    account_id: str
    charge: OneTimeCharge
    created_at: datetime
    invoice_id: str | None
    waived_at: datetime | None


class ChargeRepository:
    """A charge waits until it is invoiced or waived; a void invoice lets its charges wait again."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, account_id: str, charge: OneTimeCharge, *, created_at: datetime) -> None:
        """Add a charge that waits for the next invoice."""
        self._session.add(
            OneTimeChargeRow(
                id=charge.id,
                account_id=account_id,
                kind=charge.kind,
                title=charge.title,
                amount_cents=charge.amount_cents,
                created_at=created_at,
            )
        )
        await self._session.flush()

    async def find(self, charge_id: str) -> StoredCharge | None:
        """Return a charge, whatever became of it."""
        row = (await self._session.exec(select(OneTimeChargeRow).where(OneTimeChargeRow.id == charge_id))).one_or_none()
        if row is None:
            return None
        return StoredCharge(row.account_id, _charge(row), row.created_at, row.invoice_id, row.waived_at)

    async def waiting(self, account_ids: Sequence[str]) -> dict[str, tuple[OneTimeCharge, ...]]:
        """Return the charges that the next invoice of each account takes up, in the order they were added."""
        statement = (
            select(OneTimeChargeRow)
            .where(
                col(OneTimeChargeRow.account_id).in_(account_ids),
                col(OneTimeChargeRow.invoice_id).is_(None),
                col(OneTimeChargeRow.waived_at).is_(None),
            )
            .order_by(col(OneTimeChargeRow.id))
        )
        waiting: dict[str, tuple[OneTimeCharge, ...]] = {}
        for row in await self._session.exec(statement):
            waiting[row.account_id] = (*waiting.get(row.account_id, ()), _charge(row))
        return waiting

    async def by_invoice(self, account_id: str) -> dict[str, tuple[OneTimeCharge, ...]]:
        """Return the charges that each invoice of the account has lines for, void ones too, in their order."""
        rows = await self._session.exec(select(OneTimeChargeRow).where(OneTimeChargeRow.account_id == account_id))
        charges = {row.id: _charge(row) for row in rows}
        statement = (
            select(InvoiceLineRow.invoice_id, InvoiceLineRow.inputs)
            .where(InvoiceLineRow.account_id == account_id, col(InvoiceLineRow.kind).in_(CHARGE_KINDS))
            .order_by(col(InvoiceLineRow.invoice_id), col(InvoiceLineRow.position))
        )
        taken: dict[str, tuple[OneTimeCharge, ...]] = {}
        for invoice_id, inputs in await self._session.exec(statement):
            charge = charges.get(str(inputs["charge"]))
            if charge is not None:
                taken[invoice_id] = (*taken.get(invoice_id, ()), charge)
        return taken

    async def mark_invoiced(self, taken: Iterable[tuple[str, str]]) -> None:
        """Store which invoice takes up each charge, as pairs of a charge's id and an invoice's."""
        await execute_many(self._session, _MARK_INVOICED, [(invoice_id, charge_id) for charge_id, invoice_id in taken])

    async def release(self, account_id: str, invoice_id: str) -> None:
        """Let the charges of a void invoice wait for the next one."""
        statement = update(OneTimeChargeRow).where(
            col(OneTimeChargeRow.account_id) == account_id, col(OneTimeChargeRow.invoice_id) == invoice_id
        )
        await self._session.exec(statement.values(invoice_id=None))

    async def waive(self, charge_id: str, *, at: datetime) -> None:
        """Store that the charge is never invoiced."""
        await self._session.exec(
            update(OneTimeChargeRow).where(col(OneTimeChargeRow.id) == charge_id).values(waived_at=at)
        )


def _charge(row: OneTimeChargeRow) -> OneTimeCharge:
    return OneTimeCharge(row.kind, row.id, row.title, row.amount_cents)
