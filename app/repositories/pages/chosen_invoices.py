"""Issued invoices chosen by what happened to them: what is open, what a charge was of, what credit has paid."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from app.domain.invoice_drafts import InvoiceStatus
from app.domain.ledger import PostingKind
from app.models.collection import PaymentAttemptRow
from app.models.invoices import InvoiceRow
from app.models.ledger import LedgerPostingRow
from app.repositories.pages.invoices import page_of
from app.repositories.pages.scope import own

if TYPE_CHECKING:
    from app.repositories.conditions import Sql


def _settled_by(bind: str) -> Sql:
    """Tell whether an invoice was paid, wholly or in part, by credit that another one had granted."""
    used, grant = aliased(LedgerPostingRow), aliased(LedgerPostingRow)
    ids = (
        select(col(used.invoice_id))
        .join(grant, (col(grant.account_id) == col(used.account_id)) & (col(grant.seq) == col(used.grant_seq)))
        .where(
            own(col(used.account_id)),
            col(used.kind) == PostingKind.CREDIT_APPLIED,
            col(grant.invoice_id) == bindparam(bind),
        )
    )
    return col(InvoiceRow.id).in_(ids)


ATTEMPTED_INVOICE = page_of(
    "attempted invoice",
    col(InvoiceRow.id).in_(
        select(col(PaymentAttemptRow.invoice_id)).where(col(PaymentAttemptRow.id) == bindparam("attempt_id"))
    ),
)
"""The issued invoice of the account that a charge is of, as a list of at most one: `attempt_id`."""

SETTLED_INVOICES = page_of("settled invoices", _settled_by("invoice_id"))
"""The issued invoices of the account that credit of another one has paid, wholly or in part: `invoice_id`."""

OPEN_INVOICES = page_of("open invoices", col(InvoiceRow.status) == InvoiceStatus.OPEN)
"""The open invoices of the account, in no order."""
