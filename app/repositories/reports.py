"""Figures of the whole business for the accountant's reports, read across all accounts by one statement each.

Accounts are named by their external ids. A month is told by two instants: from the one, before the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from sqlalchemy import case, func
from sqlmodel import col, select

from app.domain.aging import OpenAmount
from app.domain.customer_balances import Amounts
from app.domain.events.event import Event, read_event
from app.domain.invoice_lines import LineKind
from app.domain.ledger import Book, PostingKind
from app.models.accounts import AccountRow
from app.models.events import EventRow
from app.models.invoices import InvoiceLineRow, InvoiceRow
from app.models.ledger import LedgerPostingRow, PaymentRow
from app.repositories.conditions import by_bytes, one_of
from app.repositories.invoices import line_from_row
from app.views.journal import JournalEntry

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection
    from datetime import datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.domain.invoice_lines import InvoiceLine

E = TypeVar("E", bound=Event)

AT_ONCE = 1_000
"""How many rows of a long list are in memory at a time."""


class AccountEvent(NamedTuple, Generic[E]):
    """Something that happened to an account.

    Where it was about an invoice, `invoice_cents` is its total, and `credit_cents` the credit it took at its issue.
    """

    account: str
    event: E
    occurred_at: datetime
    subject_id: str | None
    invoice_cents: int | None
    credit_cents: int | None


class Void(NamedTuple):
    """When an invoice was issued and when it was voided, and its total."""

    issued_at: datetime
    voided_at: datetime
    total_cents: int


class ReportRepository:
    """Reads figures across all accounts; it writes nothing."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def journal(self, from_at: datetime, before_at: datetime) -> AsyncIterator[list[JournalEntry]]:
        """Yield the postings of a month, some at a time, by instant, account and place in the account's books.

        Nothing but their number decides how many there are in memory. What is posted never changes, and external ids
        stand in the order of their bytes, so the same month reads the same in every database and at any later time.
        """
        posting, account = LedgerPostingRow, AccountRow
        columns: Any = (
            posting.posted_at,
            account.external_id,
            posting.seq,
            InvoiceRow.number,
            PaymentRow.reference,
            posting.kind,
            posting.debit,
            posting.credit,
            posting.amount_cents,
        )
        statement = (
            select(*columns)
            .join(account, col(account.id) == col(posting.account_id))
            .outerjoin(InvoiceRow, col(InvoiceRow.id) == col(posting.invoice_id))
            .outerjoin(PaymentRow, col(PaymentRow.id) == col(posting.payment_id))
            .where(col(posting.posted_at) >= from_at, col(posting.posted_at) < before_at)
            .order_by(col(posting.posted_at), by_bytes(account.external_id), col(posting.seq))
            .execution_options(yield_per=AT_ONCE)
        )
        result = await self._session.stream(statement)
        async for rows in result.partitions(AT_ONCE):
            yield [JournalEntry(*row) for row in rows]

    async def postings(self, from_at: datetime, before_at: datetime) -> dict[str, dict[PostingKind, Amounts]]:
        """Return what the postings of each account add up to by kind."""
        posting = LedgerPostingRow
        sums = _sums(posting.posted_at, posting.amount_cents, from_at)
        statement = (
            select(AccountRow.external_id, posting.kind, *sums)
            .join(AccountRow, col(AccountRow.id) == col(posting.account_id))
            .where(col(posting.posted_at) < before_at)
            .group_by(col(AccountRow.external_id), col(posting.kind))
        )
        found: dict[str, dict[PostingKind, Amounts]] = {}
        for account, kind, *amounts in await self._session.exec(statement):
            found.setdefault(account, {})[PostingKind(kind)] = Amounts(*map(int, amounts))
        return found

    async def invoiced(self, from_at: datetime, before_at: datetime) -> dict[str, Amounts]:
        """Return what the invoices and credit notes of each account come to, those that were voided since included."""
        row = InvoiceRow
        return await self._by_account(row.account_id, row.issued_at, row.total_cents, (from_at, before_at))

    async def credit_at_issue(self, from_at: datetime, before_at: datetime) -> dict[str, Amounts]:
        """Return how much credit the invoices of each account took when they were issued."""
        row = InvoiceRow
        return await self._by_account(row.account_id, row.issued_at, row.credit_applied_cents, (from_at, before_at))

    async def received(self, from_at: datetime, before_at: datetime) -> dict[str, Amounts]:
        """Return what the payments of each account come to."""
        row = PaymentRow
        return await self._by_account(row.account_id, row.recorded_at, row.amount_cents, (from_at, before_at))

    async def events(
        self, kinds: Collection[type[E]], before_at: datetime | None = None
    ) -> AsyncIterator[AccountEvent[E]]:
        """Yield what of some kinds happened to any account, before an instant where one is given, in order."""
        event, classes = EventRow, {kind.kind: kind for kind in kinds}
        columns: Any = (
            AccountRow.external_id,
            event.kind,
            event.data,
            event.occurred_at,
            event.subject_id,
            InvoiceRow.total_cents,
            InvoiceRow.credit_applied_cents,
        )
        statement = (
            select(*columns)
            .join(AccountRow, col(AccountRow.id) == col(event.account_id))
            .outerjoin(InvoiceRow, col(InvoiceRow.id) == col(event.subject_id))
            .where(col(event.kind).in_(classes))
            .order_by(col(event.occurred_at), col(event.id))
            .execution_options(yield_per=AT_ONCE)
        )
        if before_at is not None:
            statement = statement.where(col(event.occurred_at) < before_at)
        async for account, kind, data, *rest in await self._session.stream(statement):
            yield AccountEvent(account, read_event(classes[kind], data), *rest)

    async def open_amounts(self, before_at: datetime) -> list[OpenAmount]:
        """Return what is still to be paid of invoices at an instant, by account and due date, where it is not zero."""
        balance, touches = _balance(Book.RECEIVABLE)
        columns: Any = (AccountRow.external_id, InvoiceRow.due_on, balance)
        statement = (
            select(*columns)
            .select_from(LedgerPostingRow)
            .join(AccountRow, col(AccountRow.id) == col(LedgerPostingRow.account_id))
            .join(InvoiceRow, col(InvoiceRow.id) == col(LedgerPostingRow.invoice_id))
            .where(touches, col(LedgerPostingRow.posted_at) < before_at)
            .group_by(col(AccountRow.external_id), col(InvoiceRow.due_on))
            .having(balance != 0)
        )
        rows = await self._session.exec(statement)
        return [OpenAmount(account, due_on, int(cents)) for account, due_on, cents in rows]

    async def credit(self, before_at: datetime) -> dict[str, int]:
        """Return the credit that each account has at an instant, where it has any."""
        balance, touches = _balance(Book.CUSTOMER_CREDIT)
        statement = (
            select(AccountRow.external_id, balance)
            .select_from(LedgerPostingRow)
            .join(AccountRow, col(AccountRow.id) == col(LedgerPostingRow.account_id))
            .where(touches, col(LedgerPostingRow.posted_at) < before_at)
            .group_by(col(AccountRow.external_id))
            .having(balance != 0)
        )
        return {account: -int(cents) for account, cents in await self._session.exec(statement)}

    async def voids(self, kinds: Collection[type[Event]]) -> dict[str, Void]:
        """Return every invoice that was ever voided, by id; events of the kinds given say when."""
        statement = (
            select(InvoiceRow.id, InvoiceRow.issued_at, EventRow.occurred_at, InvoiceRow.total_cents)
            .join(EventRow, col(EventRow.subject_id) == col(InvoiceRow.id))
            .where(
                col(EventRow.kind).in_([kind.kind for kind in kinds]),
                col(EventRow.account_id) == col(InvoiceRow.account_id),
            )
        )
        return {invoice_id: Void(*rest) for invoice_id, *rest in await self._session.exec(statement)}

    async def invoiced_in_all(self, from_at: datetime, before_at: datetime) -> int:
        """Return what all invoices issued in a month come to, those that were voided since included."""
        at = col(InvoiceRow.issued_at)
        statement = select(func.coalesce(func.sum(InvoiceRow.total_cents), 0)).where(at >= from_at, at < before_at)
        return int((await self._session.exec(statement)).one())

    async def tax_lines(
        self, from_at: datetime, before_at: datetime, also: Collection[str]
    ) -> AsyncIterator[list[tuple[str, InvoiceLine]]]:
        """Yield the tax lines of invoices issued in a month, and of others by id, each with its invoice's id."""
        line, at = InvoiceLineRow, col(InvoiceRow.issued_at)
        statement = (
            select(line)
            .join(InvoiceRow, col(InvoiceRow.id) == col(line.invoice_id))
            .where(line.kind == LineKind.TAX, ((at >= from_at) & (at < before_at)) | one_of(col(InvoiceRow.id), "also"))
            .execution_options(yield_per=AT_ONCE)
        )
        result = await self._session.stream_scalars(statement, {"also": list(also)})
        async for rows in result.partitions(AT_ONCE):
            yield [(row.invoice_id, line_from_row(row)) for row in rows]

    async def _by_account(
        self, account_id: str, at: datetime | None, cents: int, month: tuple[datetime, datetime]
    ) -> dict[str, Amounts]:
        from_at, before_at = month
        statement = (
            select(AccountRow.external_id, *_sums(at, cents, from_at))
            .join(AccountRow, col(AccountRow.id) == col(account_id))
            .where(col(at) < before_at)
            .group_by(col(AccountRow.external_id))
        )
        rows = await self._session.exec(statement)
        return {account: Amounts(*map(int, amounts)) for account, *amounts in rows}


def _balance(book: Book) -> tuple[Any, Any]:
    """Return the balance of a book, debits above zero, and which postings move it."""
    amount, is_debit = col(LedgerPostingRow.amount_cents), col(LedgerPostingRow.debit) == book
    return func.sum(case((is_debit, amount), else_=-amount)), is_debit | (col(LedgerPostingRow.credit) == book)


def _sums(at: datetime | None, cents: int, from_at: datetime) -> list[Any]:
    """Return what adds up before an instant and from it on; columns are typed as their values."""
    return [func.sum(case((when, col(cents)), else_=0)) for when in (col(at) < from_at, col(at) >= from_at)]
