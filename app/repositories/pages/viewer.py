"""The session look-up: the user of a token, and their membership of the account that the token names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from sqlalchemy import ColumnElement, Text, bindparam, case, cast, func, select
from sqlmodel import col

from app.domain.collection import AttemptState, CollectionStatus
from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import REVERSALS, PostingKind
from app.models.accounts import AccountRow, MembershipRow, UserRow
from app.models.collection import CollectionRow, PaymentAttemptRow
from app.models.invoices import InvoiceRow
from app.models.ledger import LedgerPostingRow
from app.repositories.billing_facts import open_balance
from app.repositories.reader import Page
from app.views.viewer import PastDue, Viewer

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ScalarSelect
    from sqlalchemy.orm import Mapped

    from app.repositories.sql_json import Rows

V = TypeVar("V")


def _past_due() -> ColumnElement[str | None]:
    """What happened last to the payment of the newest open invoice that could not be charged, lost its payment again,
    or whose suspension is announced; null where there is none, or the credit of the account covers what it owes.
    """
    row, account_id = CollectionRow, col(AccountRow.id)
    declined_at = _last_declined_at()
    went_back, went_back_at = _last_back(col(LedgerPostingRow.kind)), _last_back(col(LedgerPostingRow.posted_at))
    is_warned = col(row.warn_at).is_(None) & col(row.suspend_at).is_not(None)
    why = case(
        (declined_at.is_not(None) & (went_back_at.is_(None) | (declined_at > went_back_at)), PastDue.DECLINED.value),
        *((went_back == kind, reason.value) for kind, reason in _WENT_BACK.items()),
        else_=PastDue.SUSPENSION_ANNOUNCED.value,
    )
    reason = (
        select(cast(why, Text))
        .select_from(row)
        .join(InvoiceRow, col(InvoiceRow.id) == col(row.invoice_id))
        .where(
            col(InvoiceRow.status) == InvoiceStatus.OPEN,
            col(row.account_id) == account_id,
            col(row.status) == CollectionStatus.WAITING,
            declined_at.is_not(None) | went_back_at.is_not(None) | is_warned,
        )
        .order_by(col(InvoiceRow.number).desc())
        .limit(1)
        .correlate(AccountRow)
        .scalar_subquery()
    )
    return case((open_balance() > col(AccountRow.credit_cents), reason), else_=None)


_WENT_BACK = {
    PostingKind.CHARGED_BACK: PastDue.CHARGED_BACK,
    PostingKind.RETURNED: PastDue.RETURNED,
    PostingKind.REFUNDED: PastDue.REFUNDED,
}


def _last_declined_at() -> ScalarSelect[datetime | None]:
    attempt, row = PaymentAttemptRow, CollectionRow
    found = select(func.max(col(attempt.resolved_at))).where(
        col(attempt.account_id) == col(row.account_id),
        col(attempt.invoice_id) == col(row.invoice_id),
        col(attempt.state) == AttemptState.DECLINED,
    )
    return found.correlate(row).scalar_subquery()


def _last_back(column: Mapped[V]) -> ScalarSelect[V]:
    """A column of the posting by which money went back last."""
    posting, row = LedgerPostingRow, CollectionRow
    found = select(column).where(
        col(posting.account_id) == col(row.account_id),
        col(posting.invoice_id) == col(row.invoice_id),
        col(posting.kind).in_(REVERSALS),
    )
    return found.order_by(col(posting.seq).desc()).limit(1).correlate(row).scalar_subquery()


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
        _past_due().label("past_due"),
    )
    .join(MembershipRow, col(MembershipRow.user_id) == col(UserRow.id))
    .join(AccountRow, col(AccountRow.id) == col(MembershipRow.account_id))
    .where(col(UserRow.subject) == bindparam("subject"), col(AccountRow.external_id) == bindparam("account"))
)


def _assemble(member: Rows) -> Viewer | None:
    if not member:
        return None
    found = Viewer(*member[0])
    return replace(found, past_due=None if found.past_due is None else PastDue(found.past_due))


VIEWER: Page[Viewer | None] = Page("viewer", {"member": _MEMBER}, _assemble)
