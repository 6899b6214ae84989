"""One-time charges that wait for the next invoice, and the taxes of an account."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKeyConstraint, Index

from app.domain.invoice_lines import LineKind
from app.models.base import Row, day, enum_text, identifier, instant, json_value, minor_units, reference, text


class OneTimeChargeRow(Row, table=True):
    """A fee, or a charge that staff added; on the next invoice unless it is waived before."""

    __tablename__ = "extra_charge"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        Index(None, "account_id", "invoice_id"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    kind: LineKind = enum_text(LineKind)
    title: str = text()
    amount_cents: int = minor_units(least=0)
    created_at: datetime = instant()
    invoice_id: str | None = text(default=None)
    waived_at: datetime | None = instant(default=None)


class TaxListRow(Row, table=True):
    """All the taxes that an account pays from a date on; an empty list ends them."""

    __tablename__ = "tax_list"

    account_id: str = reference("account.id", index=False, primary_key=True)
    valid_from: date = day(primary_key=True)
    rates: list[Any] = json_value()
