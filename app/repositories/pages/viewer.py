"""The session look-up: the user of a token, and their membership of the account that the token names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import ColumnElement, bindparam, select
from sqlmodel import col

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.invoices import InvoiceStatus
from app.domain.refunds import DisputeState
from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.models.collection import CollectionRow, DisputeRow, PaymentAttemptRow
from app.models.invoices import InvoiceRow
from app.repositories.reader import Page
from app.views.viewer import Viewer

if TYPE_CHECKING:
    from collections.abc import Sequence


def _is_past_due() -> ColumnElement[bool]:
    """Whether an open invoice could not be charged, lost its payment again, or its suspension is announced."""
    row, attempt = CollectionRow, PaymentAttemptRow
    has_failed = (
        select(col(attempt.id))
        .where(
            col(attempt.account_id) == col(row.account_id),
            col(attempt.invoice_id) == col(row.invoice_id),
            (col(attempt.state) == AttemptState.DECLINED) | col(attempt.returned_at).is_not(None),
        )
        .exists()
    )
    was_taken_back = (
        select(col(DisputeRow.id))
        .join(attempt, col(attempt.id) == col(DisputeRow.attempt_id))
        .where(
            col(attempt.account_id) == col(row.account_id),
            col(attempt.invoice_id) == col(row.invoice_id),
            col(DisputeRow.state) == DisputeState.LOST,
        )
        .exists()
    )
    is_warned = col(row.warn_at).is_(None) & col(row.suspend_at).is_not(None)
    return (
        select(col(row.invoice_id))
        .join(InvoiceRow, col(InvoiceRow.id) == col(row.invoice_id))
        .where(
            col(InvoiceRow.status) == InvoiceStatus.OPEN,
            col(row.account_id) == col(AccountRow.id),
            col(row.status) == CollectionStatus.WAITING,
            has_failed | was_taken_back | is_warned,
        )
        .exists()
    )


_MEMBER = (
    select(
        col(UserRow.id),
        col(UserRow.email),
        col(UserRow.name),
        col(MembershipRow.role),
        col(AccountRow.id),
        col(AccountRow.external_id),
        col(AccountRow.name),
        col(AccountRow.status),
        _is_past_due().label("is_past_due"),
    )
    .join(MembershipRow, col(MembershipRow.user_id) == col(UserRow.id))
    .join(AccountRow, col(AccountRow.id) == col(MembershipRow.account_id))
    .where(col(UserRow.subject) == bindparam("subject"), col(AccountRow.external_id) == bindparam("account"))
)


def _assemble(member: Sequence[tuple[Any, ...]]) -> Viewer | None:
    return Viewer(*member[0]) if member else None


VIEWER: Page[Viewer | None] = Page("viewer", {"member": _MEMBER}, _assemble)
