"""The Billing Summary of one account: this month's days, the facts of the next invoice, and its balances."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlmodel import col

from app.domain.auto_pay import OpenRound, PayingAccount
from app.domain.collection import CollectionStatus
from app.models.accounts import AccountRow
from app.models.collection import CollectionRow
from app.repositories.billing_facts import (
    FactRows,
    assemble_facts,
    fact_parts,
    open_balance,
    read_account,
    read_catalogue,
)
from app.repositories.pages.payment_methods import METHODS, read_methods
from app.repositories.pages.scope import own
from app.repositories.pages.usage import CATALOGUE, DAYS, read_days
from app.repositories.reader import Page
from app.views.billing_summary import SummaryFacts
from app.views.next_invoice import NextInvoiceFacts
from app.views.usage import UsageFacts

if TYPE_CHECKING:
    from app.repositories.sql_json import Rows


_ROUNDS = select(col(CollectionRow.status), col(CollectionRow.is_requested), col(CollectionRow.next_attempt_at)).where(
    own(col(CollectionRow.account_id)), col(CollectionRow.status) != CollectionStatus.DONE
)


def _assemble(
    account: Rows,
    days: Rows,
    catalogue: Rows,
    prices: Rows,
    methods: Rows,
    rounds: Rows,
    **rows: Rows,
) -> SummaryFacts | None:
    if not account:
        return None
    *columns, open_balance_cents, status = account[0]
    found = read_account(columns)
    billing = assemble_facts(found, read_catalogue(prices), FactRows(**rows))
    known, sums = read_days(days)
    plans = {month.period.starts_on: month.plan for month in billing.used}
    return SummaryFacts(
        usage=UsageFacts(found.id, found.paid_starts_on, found.plan, plans, sums, known, read_catalogue(catalogue)),
        next_invoice=NextInvoiceFacts(found.id, billing),
        open_balance_cents=open_balance_cents,
        credit_balance_cents=found.credit_cents,
        account=PayingAccount(status, found.paid_starts_on, found.next_cycle_on),
        methods=read_methods(methods),
        rounds=[OpenRound(*each) for each in rounds],
    )


_FACTS = fact_parts(own)

BILLING_SUMMARY: Page[SummaryFacts | None] = Page(
    "billing_summary",
    {
        **_FACTS,
        "account": _FACTS["account"].add_columns(open_balance().label("open_balance_cents"), col(AccountRow.status)),
        "days": DAYS,
        "methods": METHODS,
        "rounds": _ROUNDS,
        "catalogue": CATALOGUE,
    },
    _assemble,
)
"""Takes `account`, and the current month as `since` and `before`; None when there is no such account."""
