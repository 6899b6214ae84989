"""The books of accounts: postings appended in order, and the running balances that move with them (decision 0023)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import bindparam, case, exists, false, func, insert, true, update
from sqlalchemy import select as sa_select
from sqlmodel import col, select

from app.domain.checkouts import CheckoutState
from app.domain.collection import OPEN_STATES
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import (
    AccountBalances,
    Book,
    CreditGrant,
    InvoiceBalances,
    OpenInvoice,
    PaymentKind,
    Posting,
    PostingKind,
    account_balances,
    invoice_balances,
)
from app.models.accounts import AccountRow
from app.models.collection import CheckoutRow, CollectionRow, PaymentAttemptRow
from app.models.invoices import InvoiceRow
from app.models.ledger import LedgerPostingRow, PaymentRow
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import date, datetime

    from sqlalchemy import ColumnElement
    from sqlalchemy.orm import Mapped
    from sqlmodel.ext.asyncio.session import AsyncSession

    from app.repositories.conditions import Sql

_INSERT = insert(LedgerPostingRow)
_ADVANCE = (
    update(AccountRow)
    .where(col(AccountRow.id) == bindparam("account"))
    .ordered_values(
        (col(AccountRow.ledger_seq), bindparam("last_posting")),
        (col(AccountRow.receivable_cents), col(AccountRow.receivable_cents) + bindparam("receivable_moved")),
        (col(AccountRow.credit_cents), col(AccountRow.credit_cents) + bindparam("credit_moved")),
    )
)
_MOVE = (
    update(InvoiceRow)
    .where(col(InvoiceRow.id) == bindparam("moved_id"))
    .ordered_values(
        (col(InvoiceRow.balance_cents), col(InvoiceRow.balance_cents) + bindparam("balance_moved")),
        (col(InvoiceRow.written_off_cents), col(InvoiceRow.written_off_cents) + bindparam("written_off_moved")),
    )
)


class PostedPosting(NamedTuple):
    """A posting with its account and its place in the account's order."""

    account_id: str
    seq: int
    posting: Posting


class RunningBalances(NamedTuple):
    """The balances of an account, and those of its invoices by id."""

    account: AccountBalances
    invoices: Mapping[str, InvoiceBalances]


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received; `reference` is what the payer or the bank calls it."""

    id: str
    account_id: str
    kind: PaymentKind
    amount_cents: int
    reference: str
    received_on: date


def waits_for_payment() -> ColumnElement[bool]:
    """Return the condition that an invoice is that of a change which waits for its payment."""
    return exists().where(col(CheckoutRow.invoice_id) == InvoiceRow.id, col(CheckoutRow.state) == CheckoutState.WAITING)


def select_open_invoices(scope: Callable[[Mapped[str]], ColumnElement[bool]]) -> Sql:
    """Select open invoices, oldest first: id, balance, number, paid by hand alone, a charge under way.

    The invoice of a change that waits for its own payment is not among them: nothing else pays it (rule 17).
    """
    is_under_way = exists().where(
        col(PaymentAttemptRow.invoice_id) == InvoiceRow.id, col(PaymentAttemptRow.state).in_(OPEN_STATES)
    )
    return (
        sa_select(
            col(InvoiceRow.id),
            col(InvoiceRow.balance_cents),
            col(InvoiceRow.number),
            func.coalesce(col(CollectionRow.is_by_hand), false()).label("is_by_hand"),
            is_under_way.label("is_under_way"),
        )
        .outerjoin(CollectionRow, col(CollectionRow.invoice_id) == InvoiceRow.id)
        .where(scope(col(InvoiceRow.account_id)), col(InvoiceRow.status) == InvoiceStatus.OPEN, ~waits_for_payment())
        .order_by(col(InvoiceRow.number))
    )


class LedgerRepository:
    """Payments and postings."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def append(self, account_id: str, postings: Sequence[Posting], *, posted_at: datetime) -> None:
        """Append postings to one account; the caller is its only writer."""
        await self.append_many([(account_id, await self.last_posting(account_id), postings)], posted_at=posted_at)

    async def append_many(self, appended: Iterable[tuple[str, int, Sequence[Posting]]], *, posted_at: datetime) -> None:
        """Append postings to accounts: each one's id, the number of its last posting, and what follows.

        The running balances move by them (rule 35). The caller is their only writer.
        """
        rows, accounts, invoices = [], [], []
        for account_id, last, postings in appended:
            rows += [_row(account_id, seq, posting, posted_at) for seq, posting in enumerate(postings, start=last + 1)]
            sums = account_balances(postings)
            accounts.append((last + len(postings), sums.receivable_cents, sums.credit_cents, account_id))
            invoices += [(*balances, invoice_id) for invoice_id, balances in invoice_balances(postings).items()]
        await execute_many(self._session, _INSERT, rows)
        await execute_many(self._session, _ADVANCE, accounts)
        await execute_many(self._session, _MOVE, invoices)

    async def credit_grants(self, account_ids: Sequence[str]) -> dict[str, list[CreditGrant]]:
        """Return the credits with something left, oldest first, by account."""
        used = (
            select(
                LedgerPostingRow.account_id,
                LedgerPostingRow.grant_seq,
                func.sum(LedgerPostingRow.amount_cents).label("cents"),
            )
            .where(LedgerPostingRow.debit == Book.CUSTOMER_CREDIT)
            .group_by(col(LedgerPostingRow.account_id), col(LedgerPostingRow.grant_seq))
            .subquery()
        )
        statement = (
            select(
                LedgerPostingRow.account_id,
                LedgerPostingRow.seq,
                LedgerPostingRow.amount_cents - func.coalesce(used.c.cents, 0),
            )
            .outerjoin(
                used,
                (used.c.account_id == LedgerPostingRow.account_id) & (used.c.grant_seq == LedgerPostingRow.seq),
            )
            .join(AccountRow, col(AccountRow.id) == LedgerPostingRow.account_id)
            .where(
                LedgerPostingRow.credit == Book.CUSTOMER_CREDIT,
                col(LedgerPostingRow.account_id).in_(account_ids),
                AccountRow.credit_cents > 0,
            )
            .order_by(col(LedgerPostingRow.account_id), col(LedgerPostingRow.seq))
        )
        grants: dict[str, list[CreditGrant]] = {}
        for account_id, seq, remaining in await self._session.exec(statement):
            if remaining > 0:
                grants.setdefault(account_id, []).append(CreditGrant(seq, int(remaining)))
        return grants

    async def open_invoices(self, account_id: str) -> list[OpenInvoice]:
        """Return what is still to be paid by the postings of each invoice, oldest invoice first.

        The invoice of a change that waits for its own payment is not among them: nothing else pays it (rule 17).
        """
        statement = select_open_invoices(lambda column: column == account_id)
        return [OpenInvoice(*row) for row in await self._session.exec(statement)]

    async def accounts_with_waiting_credit(self, limit: int) -> list[str]:
        """Return accounts that have credit beside an open invoice which it ought to pay, at most `limit`, by id.

        Not for invoices that are paid by hand alone, nor for those whose charge or change is under way.
        """
        is_by_hand = exists().where(
            col(CollectionRow.invoice_id) == InvoiceRow.id, col(CollectionRow.is_by_hand).is_(true())
        )
        is_under_way = exists().where(
            col(PaymentAttemptRow.invoice_id) == InvoiceRow.id, col(PaymentAttemptRow.state).in_(OPEN_STATES)
        )
        statement = (
            select(InvoiceRow.account_id)
            .join(AccountRow, col(AccountRow.id) == InvoiceRow.account_id)
            .where(
                InvoiceRow.status == InvoiceStatus.OPEN,
                ~is_by_hand,
                ~is_under_way,
                ~waits_for_payment(),
                AccountRow.credit_cents > 0,
            )
            .distinct()
            .order_by(col(InvoiceRow.account_id))
            .limit(limit)
        )
        return list(await self._session.exec(statement))

    async def balance_of_invoice(self, account_id: str, invoice_id: str) -> int:
        """Return what is still to be paid on one invoice; zero where the account has none with this id."""
        statement = select(InvoiceRow.balance_cents).where(
            InvoiceRow.account_id == account_id, InvoiceRow.id == invoice_id
        )
        return (await self._session.exec(statement)).one_or_none() or 0

    async def sums_of_invoice(self, account_id: str, invoice_id: str) -> Counter[PostingKind]:
        """Return what the postings of an invoice add up to by kind; zero for a kind it has none of."""
        statement = select(LedgerPostingRow.kind, LedgerPostingRow.amount_cents).where(
            LedgerPostingRow.account_id == account_id, LedgerPostingRow.invoice_id == invoice_id
        )
        sums: Counter[PostingKind] = Counter()
        for kind, amount_cents in await self._session.exec(statement):
            sums[PostingKind(kind)] += amount_cents
        return sums

    async def sums_by_kind(self, from_at: datetime, before_at: datetime) -> dict[PostingKind, tuple[int, int]]:
        """Return what the postings of every account add up to by kind: before an instant, and from it to another."""
        amount, at = col(LedgerPostingRow.amount_cents), col(LedgerPostingRow.posted_at)
        statement = (
            select(
                LedgerPostingRow.kind,
                func.sum(case((at < from_at, amount), else_=0)),
                func.sum(case((at >= from_at, amount), else_=0)),
            )
            .where(at < before_at)
            .group_by(col(LedgerPostingRow.kind))
        )
        rows = await self._session.exec(statement)
        return {PostingKind(kind): (int(before), int(within)) for kind, before, within in rows}

    async def last_posting(self, account_id: str) -> int:
        """Return the number of its last posting that the account remembers."""
        return (await self._session.exec(select(AccountRow.ledger_seq).where(AccountRow.id == account_id))).one()

    async def running_balances(self, account_id: str) -> RunningBalances:
        """Return the running balances of an account, and of its invoices by id; one at zero is left out."""
        of_account = select(AccountRow.receivable_cents, AccountRow.credit_cents).where(AccountRow.id == account_id)
        of_invoices = select(InvoiceRow.id, InvoiceRow.balance_cents, InvoiceRow.written_off_cents).where(
            InvoiceRow.account_id == account_id,
            (InvoiceRow.balance_cents != 0) | (InvoiceRow.written_off_cents != 0),
        )
        return RunningBalances(
            AccountBalances(*(await self._session.exec(of_account)).one()),
            {invoice_id: InvoiceBalances(*sums) for invoice_id, *sums in await self._session.exec(of_invoices)},
        )

    async def set_balances(self, account_id: str, to: RunningBalances) -> None:
        """Set the running balances of an account and all its invoices without a posting: for mending alone."""
        of_account = update(AccountRow).where(col(AccountRow.id) == account_id)
        await self._session.exec(of_account.values(to.account._asdict()))
        of_invoices = update(InvoiceRow).where(
            col(InvoiceRow.account_id) == account_id,
            (col(InvoiceRow.balance_cents) != 0) | (col(InvoiceRow.written_off_cents) != 0),
        )
        await self._session.exec(of_invoices.values(InvoiceBalances()._asdict()))
        await execute_many(self._session, _MOVE, [(*sums, invoice_id) for invoice_id, sums in to.invoices.items()])

    async def postings(self, account_id: str) -> list[PostedPosting]:
        """Return the books of an account in order."""
        statement = (
            select(LedgerPostingRow)
            .where(LedgerPostingRow.account_id == account_id)
            .order_by(col(LedgerPostingRow.seq))
        )
        return [
            PostedPosting(
                row.account_id,
                row.seq,
                Posting(row.kind, row.amount_cents, row.invoice_id, row.payment_id, row.grant_seq),
            )
            for row in await self._session.exec(statement)
        ]


class PaymentRepository:
    """Payments as they were received."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def find(self, account_id: str, kind: PaymentKind, reference: str) -> Payment | None:
        """Return the payment recorded under the reference."""
        statement = select(PaymentRow).where(
            PaymentRow.account_id == account_id, PaymentRow.kind == kind, PaymentRow.reference == reference
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _payment(row)

    async def add(self, payment: Payment, *, recorded_at: datetime) -> None:
        """Add a payment."""
        self._session.add(
            PaymentRow(
                id=payment.id,
                account_id=payment.account_id,
                kind=payment.kind,
                amount_cents=payment.amount_cents,
                reference=payment.reference,
                received_on=payment.received_on,
                recorded_at=recorded_at,
            )
        )
        await self._session.flush()

    async def of_account(self, account_id: str) -> list[Payment]:
        """Return the payments of an account, by id."""
        statement = select(PaymentRow).where(PaymentRow.account_id == account_id).order_by(col(PaymentRow.id))
        return [_payment(row) for row in await self._session.exec(statement)]


def _payment(row: PaymentRow) -> Payment:
    return Payment(row.id, row.account_id, row.kind, row.amount_cents, row.reference, row.received_on)


def _row(account_id: str, seq: int, posting: Posting, posted_at: datetime) -> tuple[object, ...]:
    return (
        account_id,
        seq,
        posting.kind,
        posting.debit,
        posting.credit,
        posting.amount_cents,
        posting.invoice_id,
        posting.payment_id,
        posting.grant_seq,
        posted_at,
    )
