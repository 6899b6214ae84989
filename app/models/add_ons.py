"""Add-ons and additional lines: what was sold, and who has it."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.invoice_lines import LineKind
from app.models.base import Row, day, enum_text, flag, identifier, instant, minor_units, reference, text


class AddOnVersionRow(Row, table=True):
    """One add-on at one price with one version of its terms; never changed once an account has it."""

    __tablename__ = "add_on_version"
    __table_args__ = (
        UniqueConstraint("code", "valid_from"),
        CheckConstraint("monthly_cents >= 0", name="price"),
    )

    id: str = identifier()
    code: str = text()
    name: str = text()
    kind: LineKind = enum_text(LineKind)
    monthly_cents: int = minor_units(least=0)
    is_prorated: bool = flag()
    entitlement: str | None = text(default=None)
    terms_version: str = text()
    terms: str = text()
    valid_from: date = day()
    valid_before: date | None = day(default=None)


class AddOnSubscriptionRow(Row, table=True):
    """An add-on that an account has or had; `terms_version` is what `accepted_by` agreed to when it was bought."""

    __tablename__ = "add_on_subscription"
    __table_args__ = (
        Index(None, "account_id", "starts_on"),
        Index(
            "uq_add_on_subscription_active",
            "account_id",
            "code",
            unique=True,
            sqlite_where=sql("ends_before IS NULL AND is_single"),
            postgresql_where=sql("ends_before IS NULL AND is_single"),
        ),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    add_on_version_id: str = reference("add_on_version.id", index=False)
    code: str = text()
    is_single: bool = flag()
    starts_on: date = day()
    ends_before: date | None = day(default=None)
    terms_version: str = text()
    accepted_by: str = text()
    accepted_at: datetime = instant()
