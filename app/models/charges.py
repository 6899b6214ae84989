"""Single charges that wait for the next invoice, and the taxes of an account."""

from datetime import date, datetime

from sqlalchemy import ForeignKeyConstraint, Index

from app.domain.invoices import LineKind
from app.models.base import Row, day, enum_text, identifier, instant, minor_units, reference, text, whole_number


class ExtraChargeRow(Row, table=True):
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
    amount_cents: int = minor_units()
    created_at: datetime = instant()
    invoice_id: str | None = text(default=None)
    waived_at: datetime | None = instant(default=None)


class TaxRateRow(Row, table=True):
    """The tax that an account pays from a date on; a rate of zero ends it."""

    __tablename__ = "tax_rate"

    account_id: str = reference("account.id", index=False, primary_key=True)
    valid_from: date = day(primary_key=True)
    name: str = text()
    ten_thousandths: int = whole_number()
