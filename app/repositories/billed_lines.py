"""What is still billed, as rows: the lines that bill positions, and those that stand for write-offs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.billed_lines import LineRef, WriteOffEntry, WriteOffShare
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.invoice_lines import InvoiceLine, LineKind, TaxShare
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.position_fold import Books, Document, fold
from app.models.accounts import AccountRow
from app.models.invoices import InvoiceLineRow, InvoiceRow
from app.models.ledger import LedgerPostingRow, WriteOffShareRow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from app.repositories.conditions import Scope, Sql
    from app.repositories.sql_json import Rows


def select_billed(scope: Scope, *conditions: Sql) -> Sql:
    """Select lines that bill positions, with the corrections of credit notes, in the order of issue.

    Account id, number, ledger watermark, position, then kind, month, cents, inputs and taxes. `conditions` narrow the
    lines; those of void invoices are left out.
    """
    account_id = col(InvoiceLineRow.account_id)
    return (
        select(
            account_id,
            col(InvoiceRow.number),
            col(InvoiceRow.ledger_watermark),
            col(InvoiceLineRow.position),
            col(InvoiceLineRow.kind),
            col(InvoiceLineRow.period_on),
            col(InvoiceLineRow.amount_cents),
            col(InvoiceLineRow.inputs),
            col(InvoiceLineRow.taxes),
        )
        .join(AccountRow, col(AccountRow.id) == account_id)
        .join(InvoiceRow, col(InvoiceRow.id) == col(InvoiceLineRow.invoice_id))
        .where(scope(account_id), col(InvoiceRow.status).not_in((InvoiceStatus.VOID, InvoiceStatus.DRAFT)), *conditions)
        .order_by(account_id, col(InvoiceRow.number), col(InvoiceLineRow.position))
    )


def select_write_offs(scope: Scope, *conditions: Sql) -> Sql:
    """Select the lines that stand for write-offs and what was recovered of them, in the order of their postings.

    Account id, posting, then the posting that wrote off, the number of the invoice written off, number and position of
    the line, cents before tax and of each tax.
    """
    account_id, row = col(WriteOffShareRow.account_id), WriteOffShareRow
    written_off, of_line = aliased(InvoiceRow), aliased(InvoiceRow)
    posting = LedgerPostingRow
    return (
        select(
            account_id,
            col(row.seq),
            col(row.write_off_seq),
            col(written_off.number).label("written_off_number"),
            col(of_line.number).label("number"),
            col(row.position),
            col(row.cents),
            col(row.tax_cents),
        )
        .join(AccountRow, col(AccountRow.id) == account_id)
        .join(posting, (col(posting.account_id) == account_id) & (col(posting.seq) == col(row.write_off_seq)))
        .join(written_off, col(written_off.id) == col(posting.invoice_id))
        .join(of_line, col(of_line.id) == col(row.invoice_id))
        .where(scope(account_id), *conditions)
        .order_by(account_id, col(row.seq), col(row.write_off_seq), col(of_line.number), col(row.position))
    )


def read_shares(taxes: Iterable[Any] | None) -> tuple[TaxShare, ...]:
    """Return the tax shares of a stored line."""
    return tuple(TaxShare(*share) for share in taxes or ())


def read_books(billed: Rows, write_offs: Rows) -> Books:
    """Fold one account's rows of `select_billed` and `select_write_offs`."""
    lines: dict[tuple[int, int], list[tuple[int, InvoiceLine]]] = {}
    for _, number, watermark, position, *columns in billed:
        lines.setdefault((number, watermark), []).append((position, _billed_line(columns)))
    documents = [Document(number, watermark, tuple(found)) for (number, watermark), found in lines.items()]
    return fold(documents, read_write_offs(write_offs))


def read_write_offs(rows: Rows) -> list[WriteOffEntry]:
    """Return the entries of one account's rows of `select_write_offs`."""
    shares: dict[int, list[WriteOffShare]] = {}
    for _, seq, write_off_seq, written_off, number, position, cents, taxes in rows:
        share = WriteOffShare(write_off_seq, written_off, LineRef(number, position), cents, tuple(taxes))
        shares.setdefault(seq, []).append(share)
    return [WriteOffEntry(seq, tuple(found)) for seq, found in shares.items()]


def _billed_line(columns: Sequence[Any]) -> InvoiceLine:
    """Return as much of a line as positions need: not its quantity, price and rule."""
    kind, period_on, amount_cents, inputs, taxes = columns
    period, shares = Period.containing(period_on), read_shares(taxes)
    return InvoiceLine(LineKind(kind), period, 1, "", UnitPrice(0), amount_cents, 0, inputs, shares)
