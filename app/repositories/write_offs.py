"""Write-offs: the lines that stand for each, what is recovered of them, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import case, func, insert, true
from sqlmodel import col, select

from app.domain.ledger import Book
from app.models.invoices import InvoiceLineRow, InvoiceRow
from app.models.ledger import LedgerPostingRow, WriteOffShareRow
from app.repositories.billed_lines import read_write_offs, select_write_offs
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.billed_lines import WriteOffEntry
    from app.repositories.conditions import Sql

_INSERT = insert(WriteOffShareRow)


@dataclass(frozen=True, slots=True)
class UnrecoveredInvoice:
    """An invoice that was written off, and the cents of it, tax and all, that no money has recovered."""

    id: str
    number: int
    cents: int


class WriteOffRepository:
    """The lines behind the postings that write off and recover."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, account_id: str, entry: WriteOffEntry) -> None:
        """Add the shares of one posting."""
        numbers = {share.ref.number for share in entry.shares}
        statement = (
            select(InvoiceLineRow, col(InvoiceRow.number))
            .join(InvoiceRow, col(InvoiceRow.id) == InvoiceLineRow.invoice_id)
            .where(col(InvoiceRow.number).in_(numbers))
        )
        rows = [
            (account_id, entry.seq, *_key(line), share.seq, line.period_on, share.cents, list(share.taxes))
            for line, number in await self._session.exec(statement)
            for share in entry.shares
            if share.ref == (number, line.position)
        ]
        await execute_many(self._session, _INSERT, rows)

    async def list_for_account(self, account_id: str) -> list[WriteOffEntry]:
        """Return the shares of an account by their postings, in order."""

        def own(column: Sql) -> Sql:
            return column == account_id

        return read_write_offs((await self._session.exec(select_write_offs(own))).all())

    async def unrecovered(self, account_id: str, invoice_id: str | None = None) -> list[UnrecoveredInvoice]:
        """Return the invoices that are written off and not recovered in full, oldest first, or the one named."""
        is_off, amount = col(LedgerPostingRow.debit) == Book.BAD_DEBT, col(LedgerPostingRow.amount_cents)
        cents = func.sum(case((is_off, amount), else_=-amount))
        statement = (
            select(InvoiceRow.id, InvoiceRow.number, cents)
            .join(LedgerPostingRow, col(LedgerPostingRow.invoice_id) == InvoiceRow.id)
            .where(
                LedgerPostingRow.account_id == account_id,
                is_off | (col(LedgerPostingRow.credit) == Book.BAD_DEBT),
                true() if invoice_id is None else col(InvoiceRow.id) == invoice_id,
            )
            .group_by(col(InvoiceRow.id), col(InvoiceRow.number))
            .having(cents > 0)
            .order_by(col(InvoiceRow.number))
        )
        return [UnrecoveredInvoice(i, n or 0, int(c)) for i, n, c in await self._session.exec(statement)]

    async def stand_on(self, invoice_id: str) -> bool:
        """Tell whether a write-off stands on lines of an invoice."""
        statement = select(WriteOffShareRow.seq).where(WriteOffShareRow.invoice_id == invoice_id).limit(1)
        return (await self._session.exec(statement)).first() is not None


def _key(line: InvoiceLineRow) -> tuple[str, int]:
    return line.invoice_id, line.position
