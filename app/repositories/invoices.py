"""Invoices: issued whole, then only read and paid."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import case, func, insert, update
from sqlmodel import col, select

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus, Issue
from app.domain.invoice_lines import InvoiceLine, LineKind
from app.domain.money import UnitPrice
from app.domain.periods import Period
from app.domain.position_fold import Document
from app.models.invoices import InvoiceLineRow, InvoiceRow, SequenceRow
from app.repositories.billed_lines import read_shares
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

INVOICE_NUMBERS = "invoice_number"
FIRST_INVOICE_NUMBER = 100_001

_INSERT_INVOICE = insert(InvoiceRow)
_INSERT_LINE = insert(InvoiceLineRow)


@dataclass(frozen=True, slots=True)
class StoredInvoice:
    """An invoice as it stands in the books, with all that a later check needs."""

    id: str
    account_id: str
    kind: InvoiceKind
    status: InvoiceStatus
    number: int
    period: Period
    plan_version_id: str
    policies_version: str
    engine_version: int
    usage_watermark: int
    ledger_watermark: int
    total_cents: int
    credit_applied_cents: int
    amount_due_cents: int
    facts_hash: str
    content_hash: str
    issued_at: datetime
    lines: tuple[InvoiceLine, ...] = ()
    corrects_invoice_id: str | None = None

    @property
    def document(self) -> Document:
        """The invoice as the fold of what is billed takes it in."""
        return Document(self.number, self.ledger_watermark, tuple(enumerate(self.lines, start=1)))

    @property
    def tax_cents(self) -> int:
        """The part of the total that is tax."""
        return sum(line.amount_cents for line in self.lines if line.kind is LineKind.TAX)


class InvoiceRepository:
    """Issues invoices and reads them back."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def issue_many(
        self, issues: Sequence[Issue], *, engine_version: int, issued_at: datetime, due_on: date
    ) -> None:
        """Write drafts with their lines, then issue them: open, or paid at once where nothing is due (rule 27)."""
        await execute_many(
            self._session, _INSERT_INVOICE, [_invoice_values(i, engine_version, issued_at, due_on) for i in issues]
        )
        lines = [values for issue in issues for values in _line_values(issue)]
        await execute_many(self._session, _INSERT_LINE, lines)
        nothing_due = col(InvoiceRow.amount_due_cents) == 0
        statement = (
            update(InvoiceRow)
            .where(
                col(InvoiceRow.number).between(issues[0].number, issues[-1].number),
                col(InvoiceRow.status) == InvoiceStatus.DRAFT,
            )
            .values(
                status=case((nothing_due, InvoiceStatus.PAID), else_=InvoiceStatus.OPEN),
                paid_at=case((nothing_due, issued_at), else_=None),
            )
        )
        await self._session.exec(statement)

    async def mark_paid(self, invoice_ids: Sequence[str], *, paid_at: datetime) -> None:
        """Store that nothing is left to pay; what is written off and not recovered leaves an invoice uncollectible."""
        is_recovered = col(InvoiceRow.written_off_cents) == 0
        statement = (
            update(InvoiceRow)
            .where(col(InvoiceRow.id).in_(invoice_ids))
            .values(
                status=case((is_recovered, InvoiceStatus.PAID), else_=InvoiceStatus.UNCOLLECTIBLE),
                paid_at=case((is_recovered, paid_at), else_=col(InvoiceRow.paid_at)),
            )
        )
        await self._session.exec(statement)

    async def reopen(self, invoice_id: str) -> None:
        """Store that something is to be paid again: money that had paid it went back."""
        values = {"status": InvoiceStatus.OPEN, "paid_at": None}
        await self._session.exec(update(InvoiceRow).where(col(InvoiceRow.id) == invoice_id).values(values))

    async def set_status(self, invoice_id: str, status: InvoiceStatus) -> None:
        """Store that an invoice is void or uncollectible."""
        await self._session.exec(update(InvoiceRow).where(col(InvoiceRow.id) == invoice_id).values(status=status))

    async def find_by_number(self, number: int) -> StoredInvoice | None:
        """Return the invoice of that number, with its lines."""
        row = (await self._session.exec(select(InvoiceRow).where(InvoiceRow.number == number))).one_or_none()
        return None if row is None else (await self._with_lines([row]))[0]

    async def find(self, invoice_id: str, account_id: str) -> StoredInvoice | None:
        """Return the account's invoice of that id, with its lines."""
        statement = select(InvoiceRow).where(
            InvoiceRow.id == invoice_id,
            InvoiceRow.account_id == account_id,
            InvoiceRow.status != InvoiceStatus.DRAFT,
        )
        row = (await self._session.exec(statement.execution_options(populate_existing=True))).one_or_none()
        return None if row is None else (await self._with_lines([row]))[0]

    async def last_issued_at(self, account_id: str) -> datetime | None:
        """Return when the last invoice of an account was issued."""
        statement = select(func.max(InvoiceRow.issued_at)).where(InvoiceRow.account_id == account_id)
        return (await self._session.exec(statement)).one()

    async def list_correcting(self, invoice_id: str, account_id: str) -> list[StoredInvoice]:
        """Return what corrects an invoice, in order: its credit notes, or what took the place of a void one."""
        statement = (
            select(InvoiceRow)
            .where(InvoiceRow.account_id == account_id, InvoiceRow.corrects_invoice_id == invoice_id)
            .order_by(col(InvoiceRow.number))
        )
        return await self._with_lines(list(await self._session.exec(statement)))

    async def list_for_account(self, account_id: str) -> list[StoredInvoice]:
        """Return the issued invoices of an account in the order of their numbers, with their lines."""
        statement = (
            select(InvoiceRow)
            .where(InvoiceRow.account_id == account_id, InvoiceRow.status != InvoiceStatus.DRAFT)
            .order_by(col(InvoiceRow.number))
        )
        return await self._with_lines(list(await self._session.exec(statement)))

    async def _with_lines(self, rows: Sequence[InvoiceRow]) -> list[StoredInvoice]:
        statement = (
            select(InvoiceLineRow)
            .where(col(InvoiceLineRow.invoice_id).in_([row.id for row in rows]))
            .order_by(col(InvoiceLineRow.invoice_id), col(InvoiceLineRow.position))
        )
        lines: dict[str, list[InvoiceLine]] = {}
        for line in await self._session.exec(statement):
            lines.setdefault(line.invoice_id, []).append(line_from_row(line))
        return [_stored(row, tuple(lines.get(row.id, ()))) for row in rows]


class InvoiceNumberRepository:
    """The numbers of invoices, which have no gaps."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, count: int) -> int:
        """Return the first of `count` invoice numbers in a row; given back if the transaction fails (rule 27)."""
        row = await self._session.get_one(SequenceRow, INVOICE_NUMBERS, with_for_update=True)
        first = row.next_value
        row.next_value = first + count
        await self._session.flush()
        return first

    async def of(self, invoice_ids: Iterable[str]) -> list[int]:
        """Return the numbers of invoices, in order."""
        statement = (
            select(InvoiceRow.number).where(col(InvoiceRow.id).in_(set(invoice_ids))).order_by(col(InvoiceRow.number))
        )
        return [number for number in await self._session.exec(statement) if number is not None]

    async def all(self) -> AsyncIterator[int]:
        """Yield every invoice number in order."""
        statement = (
            select(InvoiceRow.number).where(col(InvoiceRow.number).is_not(None)).order_by(col(InvoiceRow.number))
        )
        async for number in await self._session.stream_scalars(statement):
            yield number

    async def next(self) -> int:
        """Return the number that the next invoice will have."""
        return (await self._session.get_one(SequenceRow, INVOICE_NUMBERS)).next_value

    async def skip_to(self, following: int) -> None:
        """Let the next invoice have the number given, which is above the one it would have had."""
        row = await self._session.get_one(SequenceRow, INVOICE_NUMBERS, with_for_update=True)
        row.next_value = following
        await self._session.flush()


def line_from_row(row: InvoiceLineRow) -> InvoiceLine:
    """Return the domain value of a line."""
    return InvoiceLine(
        row.kind,
        Period.containing(row.period_on),
        row.quantity,
        row.unit,
        UnitPrice(row.unit_price),
        row.amount_cents,
        row.rule,
        row.inputs,
        read_shares(row.taxes),
    )


def _invoice_values(issue: Issue, engine_version: int, issued_at: datetime, due_on: date) -> tuple[Any, ...]:
    draft = issue.draft
    return (
        issue.id,
        issue.account_id,
        issue.account_name,
        draft.kind,
        InvoiceStatus.DRAFT,
        issue.number,
        draft.period.starts_on,
        issue.plan_version_id,
        issue.corrects_invoice_id,
        issue.policies_version,
        engine_version,
        issue.usage_watermark,
        issue.ledger_watermark,
        draft.total_cents,
        draft.credit_applied_cents,
        draft.amount_due_cents,
        issue.facts_hash,
        draft.content_hash,
        issued_at,
        due_on,
        None,
        0,
        0,
    )


def _line_values(issue: Issue) -> list[tuple[Any, ...]]:
    return [
        (
            issue.id,
            position,
            issue.account_id,
            line.kind,
            line.period.starts_on,
            line.quantity,
            line.unit,
            line.unit_price,
            line.amount_cents,
            line.rule,
            line.inputs,
            [list(share) for share in line.taxes] or None,
        )
        for position, line in enumerate(issue.draft.lines, start=1)
    ]


def _stored(row: InvoiceRow, lines: tuple[InvoiceLine, ...]) -> StoredInvoice:
    if row.number is None or row.issued_at is None:
        raise ValueError(f"Invoice {row.id} has not been issued.")
    return StoredInvoice(
        id=row.id,
        account_id=row.account_id,
        kind=row.kind,
        status=row.status,
        number=row.number,
        period=Period.containing(row.period_on),
        plan_version_id=row.plan_version_id,
        policies_version=row.policies_version,
        engine_version=row.engine_version,
        usage_watermark=row.usage_watermark,
        ledger_watermark=row.ledger_watermark,
        total_cents=row.total_cents,
        credit_applied_cents=row.credit_applied_cents,
        amount_due_cents=row.amount_due_cents,
        facts_hash=row.facts_hash,
        content_hash=row.content_hash,
        issued_at=row.issued_at,
        lines=lines,
        corrects_invoice_id=row.corrects_invoice_id,
    )
