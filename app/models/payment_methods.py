"""Payment methods as far as we may know them, and the consent that each was added with."""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.payment_gateway import MethodKind
from app.domain.payment_methods import AddFailure, MethodStatus, VaultTask
from app.models.base import Row, enum_text, flag, identifier, instant, json_value, reference, text, whole_number

ON_FILE = "status IN ('ACTIVE', 'NEEDS_ATTENTION')"


class PaymentMethodRow(Row, table=True):
    """One method; its id is its token in the vault. `vault_task` is what the vault is still to be told or asked."""

    __tablename__ = "payment_method"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        Index(
            "uq_payment_method_default",
            "account_id",
            unique=True,
            sqlite_where=sql(f"is_default AND {ON_FILE}"),
            postgresql_where=sql(f"is_default AND {ON_FILE}"),
        ),
        Index(
            "uq_payment_method_card",
            "account_id",
            "fingerprint",
            unique=True,
            sqlite_where=sql(f"fingerprint IS NOT NULL AND {ON_FILE}"),
            postgresql_where=sql(f"fingerprint IS NOT NULL AND {ON_FILE}"),
        ),
        Index(None, "account_id", "created_at"),
        Index(None, "created_at"),
        Index(
            "ix_payment_method_vault_task",
            "next_action_at",
            sqlite_where=sql("vault_task IS NOT NULL"),
            postgresql_where=sql("vault_task IS NOT NULL"),
        ),
        CheckConstraint("last4 IS NULL OR length(last4) = 4", name="last4"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    kind: MethodKind = enum_text(MethodKind)
    status: MethodStatus = enum_text(MethodStatus)
    is_default: bool = flag()
    position: int = whole_number()
    brand: str = text()
    last4: str | None = text(default=None)
    expiry_month: int | None = whole_number(least=1, most=12, default=None)
    expiry_year: int | None = whole_number(most=9999, default=None)
    cardholder: str | None = text(default=None)
    postal_code: str | None = text(default=None)
    payer_email: str | None = text(default=None)
    fingerprint: str | None = text(default=None)
    network_transaction_id: str | None = text(default=None)
    verification: dict[str, Any] | None = json_value(default=None)
    failure: AddFailure | None = enum_text(AddFailure, default=None)
    duplicate_of_id: str | None = text(default=None)
    replaces_id: str | None = text(default=None)
    wants_default: bool = flag()
    held_until: datetime | None = instant(default=None)
    created_by: str = text()
    request_id: str | None = text(default=None)
    created_at: datetime = instant()
    updated_at: datetime = instant()
    vault_task: VaultTask | None = enum_text(VaultTask, default=None)
    next_action_at: datetime | None = instant(default=None)
    failures: int = whole_number(default=0)


class PaymentConsentRow(Row, table=True):
    """What somebody agreed to when they added a method: the text itself, and from where (never changed but revoked)."""

    __tablename__ = "payment_consent"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "method_id"], ["payment_method.account_id", "payment_method.id"]),
        Index(None, "account_id", "method_id"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    method_id: str = text()
    agreement_version: str = text()
    text_hash: str = text()
    agreement: str = text()
    accepted_by: str = text()
    accepted_at: datetime = instant()
    address: str | None = text(default=None)
    user_agent: str | None = text(default=None)
    revoked_at: datetime | None = instant(default=None)
