"""The books of accounts: postings appended in order, and the sums that balances are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import case, func, insert, update
from sqlmodel import col, select

from app.domain.checkouts import CheckoutState
from app.domain.invoices import InvoiceStatus
from app.domain.ledger import Book, CreditGrant, OpenInvoice, PaymentKind, Posting, PostingKind
from app.models.accounts import AccountRow
from app.models.collection import CheckoutRow
from app.models.invoices import InvoiceRow
from app.models.ledger import LedgerPostingRow, PaymentRow
from app.repositories.bulk import execute_many

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import date, datetime

    from sqlmodel.ext.asyncio.session import AsyncSession

_INSERT = insert(LedgerPostingRow)


class PostedPosting(NamedTuple):
    """A posting with its account and its place in the account's order."""

    account_id: str
    seq: int
    posting: Posting


@dataclass(frozen=True, slots=True)
class Payment:
    """Money received; `reference` is what the payer or the bank calls it."""

    id: str
    account_id: str
    kind: PaymentKind
    amount_cents: int
    reference: str
    received_on: date


class LedgerRepository:
    """Payments and postings."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add_many(self, posted: Iterable[PostedPosting], *, posted_at: datetime) -> None:
        """Append postings whose numbers the caller took from the accounts it holds."""
        rows = [
            (
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
            for account_id, seq, posting in posted
        ]
        await execute_many(self._session, _INSERT, rows)

    async def append(self, account_id: str, postings: Sequence[Posting], *, posted_at: datetime) -> None:
        """Append postings to one account, numbering them on from its last; the caller is its only writer."""
        last = await self.last_posting(account_id)
        posted = [PostedPosting(account_id, last + place, p) for place, p in enumerate(postings, start=1)]
        await self.add_many(posted, posted_at=posted_at)
        values = {"ledger_seq": last + len(postings)}
        await self._session.exec(update(AccountRow).where(col(AccountRow.id) == account_id).values(values))

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
            .where(
                LedgerPostingRow.credit == Book.CUSTOMER_CREDIT,
                col(LedgerPostingRow.account_id).in_(account_ids),
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
        amount, is_debit = col(LedgerPostingRow.amount_cents), col(LedgerPostingRow.debit) == Book.RECEIVABLE
        balance = (
            select(func.coalesce(func.sum(case((is_debit, amount), else_=-amount)), 0))
            .where(
                LedgerPostingRow.account_id == account_id,
                LedgerPostingRow.invoice_id == InvoiceRow.id,
                is_debit | (col(LedgerPostingRow.credit) == Book.RECEIVABLE),
            )
            .correlate(InvoiceRow)
            .scalar_subquery()
        )
        statement = (
            select(InvoiceRow.id, balance)
            .where(
                InvoiceRow.account_id == account_id,
                InvoiceRow.status == InvoiceStatus.OPEN,
                ~select(CheckoutRow.id)
                .where(CheckoutRow.invoice_id == InvoiceRow.id, CheckoutRow.state == CheckoutState.WAITING)
                .exists(),
            )
            .order_by(col(InvoiceRow.number))
        )
        return [OpenInvoice(invoice_id, int(balance)) for invoice_id, balance in await self._session.exec(statement)]

    async def balance_of_invoice(self, account_id: str, invoice_id: str) -> int:
        """Return what is still to be paid on one invoice."""
        amount, is_debit = col(LedgerPostingRow.amount_cents), col(LedgerPostingRow.debit) == Book.RECEIVABLE
        statement = select(func.coalesce(func.sum(case((is_debit, amount), else_=-amount)), 0)).where(
            LedgerPostingRow.account_id == account_id,
            LedgerPostingRow.invoice_id == invoice_id,
            is_debit | (col(LedgerPostingRow.credit) == Book.RECEIVABLE),
        )
        return int((await self._session.exec(statement)).one())

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

    async def find_payment(self, account_id: str, kind: PaymentKind, reference: str) -> Payment | None:
        """Return the payment recorded under the reference."""
        statement = select(PaymentRow).where(
            PaymentRow.account_id == account_id, PaymentRow.kind == kind, PaymentRow.reference == reference
        )
        row = (await self._session.exec(statement)).one_or_none()
        return None if row is None else _payment(row)

    async def add_payment(self, payment: Payment, *, recorded_at: datetime) -> None:
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

    async def payments(self, account_id: str) -> list[Payment]:
        """Return the payments of an account, by id."""
        statement = select(PaymentRow).where(PaymentRow.account_id == account_id).order_by(col(PaymentRow.id))
        return [_payment(row) for row in await self._session.exec(statement)]

    async def last_posting(self, account_id: str) -> int:
        """Return the number of its last posting that the account remembers."""
        return (await self._session.exec(select(AccountRow.ledger_seq).where(AccountRow.id == account_id))).one()

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


def _payment(row: PaymentRow) -> Payment:
    return Payment(row.id, row.account_id, row.kind, row.amount_cents, row.reference, row.received_on)
