"""Invoices and their lines, frozen by triggers once issued (rule 27)."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.invoice_drafts import InvoiceKind, InvoiceStatus
from app.domain.invoice_lines import LineKind
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


class InvoiceRow(Row, table=True):
    """One invoice. The watermarks are the account's `usage_seq` and `ledger_seq` that it saw.

    `balance_cents` and `written_off_cents` are running balances of its postings: what is still to be paid, and what was
    written off of it and has not been recovered.
    """

    __tablename__ = "invoice"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("number"),
        Index(
            "uq_invoice_cycle",
            "account_id",
            "period_on",
            unique=True,
            sqlite_where=sql("kind = 'CYCLE' AND status <> 'VOID'"),
            postgresql_where=sql("kind = 'CYCLE' AND status <> 'VOID'"),
        ),
        Index(
            "ix_invoice_issued",
            "account_id",
            "number",
            "status",
            sqlite_where=sql("status <> 'DRAFT'"),
            postgresql_where=sql("status <> 'DRAFT'"),
        ),
        Index(
            "ix_invoice_open",
            "account_id",
            "number",
            sqlite_where=sql("status = 'OPEN'"),
            postgresql_where=sql("status = 'OPEN'"),
        ),
        ForeignKeyConstraint(["account_id", "corrects_invoice_id"], ["invoice.account_id", "invoice.id"]),
        CheckConstraint("credit_applied_cents >= 0 AND amount_due_cents >= 0", name="amounts"),
        CheckConstraint("status = 'DRAFT' OR (number IS NOT NULL AND issued_at IS NOT NULL)", name="issued"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    account_name: str = text()
    kind: InvoiceKind = enum_text(InvoiceKind)
    status: InvoiceStatus = enum_text(InvoiceStatus)
    number: int | None = whole_number(least=1, default=None)
    period_on: date = day()
    plan_version_id: str = reference("plan_version.id", index=False)
    corrects_invoice_id: str | None = text(default=None)
    policies_version: str = text()
    engine_version: int = whole_number(least=1)
    usage_watermark: int = whole_number()
    ledger_watermark: int = whole_number()
    total_cents: int = minor_units()
    credit_applied_cents: int = minor_units(least=0)
    amount_due_cents: int = minor_units(least=0)
    facts_hash: str = text()
    content_hash: str = text()
    issued_at: datetime | None = instant(default=None)
    due_on: date | None = day(default=None)
    paid_at: datetime | None = instant(default=None)
    balance_cents: int = minor_units(least=0, default=0, sa_column_kwargs={"server_default": "0"})
    written_off_cents: int = minor_units(least=0, default=0, sa_column_kwargs={"server_default": "0"})


class InvoiceLineRow(Row, table=True):
    """One line; `inputs` explain it, its words are built when it is read. `taxes` are its shares of the taxes."""

    __tablename__ = "invoice_line"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        Index(None, "account_id", "period_on"),
        {"sqlite_with_rowid": False},
    )

    invoice_id: str = text(primary_key=True)
    position: int = whole_number(least=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    account_id: str = text()
    kind: LineKind = enum_text(LineKind)
    period_on: date = day()
    quantity: int = whole_number()
    unit: str = text()
    unit_price: int = minor_units()
    amount_cents: int = minor_units()
    rule: int = whole_number()
    inputs: dict[str, Any] = json_value()
    taxes: list[Any] | None = json_value(default=None)


class SequenceRow(Row, table=True):
    """A gap-free counter, such as that of invoice numbers."""

    __tablename__ = "sequence"

    name: str = identifier()
    next_value: int = whole_number(least=1)
