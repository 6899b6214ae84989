"""The books: payments received and every posting, append-only."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint

from app.domain.ledger import Book, PaymentKind, PostingKind
from app.models.base import (
    Row,
    day,
    enum_text,
    identifier,
    instant,
    json_value,
    minor_units,
    reference,
    text,
    whole_number,
)


class PaymentRow(Row, table=True):
    """Money received. The same reference is never recorded twice for one account."""

    __tablename__ = "payment"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("account_id", "kind", "reference"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    kind: PaymentKind = enum_text(PaymentKind)
    amount_cents: int = minor_units(least=1)
    reference: str = text()
    received_on: date = day()
    recorded_at: datetime = instant()


class LedgerPostingRow(Row, table=True):
    """One movement between two books, in the account's commit order."""

    __tablename__ = "ledger_posting"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        ForeignKeyConstraint(["account_id", "payment_id"], ["payment.account_id", "payment.id"]),
        Index(None, "account_id", "invoice_id"),
        CheckConstraint("amount_cents > 0", name="amount"),
        {"sqlite_with_rowid": False},
    )

    account_id: str = reference("account.id", index=False, primary_key=True)
    seq: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: PostingKind = enum_text(PostingKind)
    debit: Book = enum_text(Book, name="debit")
    credit: Book = enum_text(Book, name="credit")
    amount_cents: int = minor_units(least=0)
    invoice_id: str | None = text(default=None)
    payment_id: str | None = text(default=None)
    grant_seq: int | None = whole_number(least=1, default=None)
    posted_at: datetime = instant()


class WriteOffShareRow(Row, table=True):
    """The part of a write-off, or below zero of what was recovered of one, that a line of an invoice stands for.

    `seq` is the posting that moved it, `write_off_seq` the one that wrote it off; `period_on` is the line's.
    """

    __tablename__ = "write_off_share"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "seq"], ["ledger_posting.account_id", "ledger_posting.seq"]),
        ForeignKeyConstraint(["account_id", "write_off_seq"], ["ledger_posting.account_id", "ledger_posting.seq"]),
        ForeignKeyConstraint(["invoice_id", "position"], ["invoice_line.invoice_id", "invoice_line.position"]),
        Index(None, "account_id", "period_on"),
        {"sqlite_with_rowid": False},
    )

    account_id: str = reference("account.id", index=False, primary_key=True)
    seq: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    invoice_id: str = text(primary_key=True)
    position: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    write_off_seq: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    period_on: date = day()
    cents: int = minor_units()
    tax_cents: list[Any] = json_value()
