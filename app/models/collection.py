"""Collecting invoices: one row for each invoice's collecting, its charges, and the changes that wait for one."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, UniqueConstraint
from sqlalchemy import text as sql

from app.domain.checkouts import CheckoutAction, CheckoutState
from app.domain.collection import AttemptState, CollectionStatus
from app.domain.payment_gateway import ChargeReason
from app.domain.refunds import DisputeState, RefundKind
from app.models.base import (
    Row,
    day,
    enum_text,
    flag,
    identifier,
    instant,
    json_value,
    minor_units,
    reference,
    text,
    whole_number,
)

OPEN_ATTEMPT = "state IN ('PLANNED', 'SENT', 'UNKNOWN')"


class CollectionRow(Row, table=True):
    """The collecting of one invoice. `next_action_at` is the earliest of its dates; the lease goes by real time."""

    __tablename__ = "collection"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        Index(
            "ix_collection_next_action_at",
            "next_action_at",
            sqlite_where=sql("next_action_at IS NOT NULL"),
            postgresql_where=sql("next_action_at IS NOT NULL"),
        ),
        Index(None, "account_id", "invoice_id"),
    )

    invoice_id: str = identifier()
    account_id: str = reference("account.id", index=False)
    status: CollectionStatus = enum_text(CollectionStatus)
    due_on: date = day()
    round_no: int = whole_number(default=0)
    slots_used: int = whole_number(default=0)
    is_requested: bool = flag()
    is_checkout: bool = flag()
    is_by_hand: bool = flag()
    next_attempt_at: datetime | None = instant(default=None)
    late_fee_at: datetime | None = instant(default=None)
    warn_at: datetime | None = instant(default=None)
    suspend_at: datetime | None = instant(default=None)
    retry_at: datetime | None = instant(default=None)
    failures: int = whole_number(default=0)
    note: str | None = text(default=None)
    next_action_at: datetime | None = instant(default=None)
    lease_until: datetime | None = instant(default=None)
    lease_epoch: int = whole_number(default=0)


class PaymentAttemptRow(Row, table=True):
    """One charge, written before it is sent; its id is order id and request key at the gateway (rule 31)."""

    __tablename__ = "payment_attempt"
    __table_args__ = (
        UniqueConstraint("account_id", "id"),
        UniqueConstraint("invoice_id", "attempt_no"),
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        ForeignKeyConstraint(["account_id", "method_id"], ["payment_method.account_id", "payment_method.id"]),
        Index(
            "uq_payment_attempt_open",
            "invoice_id",
            unique=True,
            sqlite_where=sql(OPEN_ATTEMPT),
            postgresql_where=sql(OPEN_ATTEMPT),
        ),
        Index(
            "ix_payment_attempt_unsettled",
            "sent_at",
            sqlite_where=sql("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
            postgresql_where=sql("state = 'SUCCEEDED' AND settled_at IS NULL AND returned_at IS NULL"),
        ),
        Index(None, "account_id", "invoice_id", "attempt_no"),
        Index(None, "transaction_id"),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    invoice_id: str = text()
    attempt_no: int = whole_number(least=1)
    round_no: int = whole_number()
    method_id: str = text()
    amount_cents: int = minor_units(least=1)
    state: AttemptState = enum_text(AttemptState)
    reason: ChargeReason = enum_text(ChargeReason)
    uses_key: bool = flag()
    sends: int = whole_number(default=0)
    absences: int = whole_number(default=0)
    created_at: datetime = instant()
    sent_at: datetime | None = instant(default=None)
    resolved_at: datetime | None = instant(default=None)
    transaction_id: str | None = text(default=None)
    decline: dict[str, Any] | None = json_value(default=None)
    settled_at: datetime | None = instant(default=None)
    returned_at: datetime | None = instant(default=None)


class CheckoutRow(Row, table=True):
    """A confirmed change that takes effect when its invoice is paid; one at a time for an account (rule 17)."""

    __tablename__ = "checkout"
    __table_args__ = (
        UniqueConstraint("invoice_id"),
        ForeignKeyConstraint(["account_id", "invoice_id"], ["invoice.account_id", "invoice.id"]),
        Index(
            "uq_checkout_waiting",
            "account_id",
            unique=True,
            sqlite_where=sql("state = 'WAITING'"),
            postgresql_where=sql("state = 'WAITING'"),
        ),
        Index(None, "account_id", "id"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    invoice_id: str = text()
    action: CheckoutAction = enum_text(CheckoutAction)
    state: CheckoutState = enum_text(CheckoutState)
    details: dict[str, Any] = json_value()
    actor: str = text()
    request_id: str | None = text(default=None)
    created_at: datetime = instant()
    finished_at: datetime | None = instant(default=None)
    origin: str | None = text(default=None)


class RefundRow(Row, table=True):
    """Money of one charge given back by staff; its id is order id and request key at the gateway."""

    __tablename__ = "refund"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "attempt_id"], ["payment_attempt.account_id", "payment_attempt.id"]),
        Index(
            "uq_refund_open",
            "attempt_id",
            unique=True,
            sqlite_where=sql(OPEN_ATTEMPT),
            postgresql_where=sql(OPEN_ATTEMPT),
        ),
        Index(None, "account_id", "attempt_id"),
        Index(None, "transaction_id"),
        Index(
            "ix_refund_next_action_at",
            "next_action_at",
            sqlite_where=sql("next_action_at IS NOT NULL"),
            postgresql_where=sql("next_action_at IS NOT NULL"),
        ),
        CheckConstraint("amount_cents > 0", name="amount"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    attempt_id: str = text()
    kind: RefundKind = enum_text(RefundKind)
    amount_cents: int = minor_units(least=1)
    state: AttemptState = enum_text(AttemptState)
    uses_key: bool = flag()
    sends: int = whole_number(default=0)
    absences: int = whole_number(default=0)
    actor: str = text()
    why: str = text()
    created_at: datetime = instant()
    sent_at: datetime | None = instant(default=None)
    resolved_at: datetime | None = instant(default=None)
    transaction_id: str | None = text(default=None)
    next_action_at: datetime | None = instant(default=None)


class DisputeRow(Row, table=True):
    """A charge that the customer's bank disputes; the id is the gateway's."""

    __tablename__ = "dispute"
    __table_args__ = (
        ForeignKeyConstraint(["account_id", "attempt_id"], ["payment_attempt.account_id", "payment_attempt.id"]),
        Index(None, "account_id", "attempt_id"),
    )

    id: str = identifier()
    account_id: str = reference("account.id", index=False)
    attempt_id: str = text()
    amount_cents: int = minor_units(least=0)
    state: DisputeState = enum_text(DisputeState)
    opened_at: datetime = instant()
    changed_at: datetime = instant()
