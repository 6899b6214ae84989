"""What customers owe, by postings and by documents: invoices, payments, and what the audit log says of everything else.

The audit log tells when an invoice was voided or written off, and when money went back, also where that was undone
since; so a month that is over can be rebuilt as it was at its end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from app.domain.customer_balances import NOTHING, Amounts, DocumentKind, customer_balances
from app.domain.events.accounts import AccountClosed
from app.domain.events.invoices import (
    CheckoutDeclined,
    CreditApplied,
    CreditNoteIssued,
    CreditSettled,
    GoodwillGranted,
    InvoiceRecovered,
    InvoiceVoided,
    InvoiceWrittenOff,
)
from app.domain.events.reversals import (
    ChargeVoidedAtGateway,
    DisputeLost,
    PaymentRefunded,
    PaymentReturned,
    Reversal,
    UnknownRefundMatched,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from app.domain.customer_balances import CustomerBalances
    from app.domain.events.event import Event
    from app.domain.reports import ReportMonth
    from app.repositories.reports import AccountEvent
    from app.repositories.unit_of_work import UnitOfWork

VOIDS = (InvoiceVoided, CheckoutDeclined)
"""The events about an invoice that is void from then on."""

IN_THE_AUDIT_LOG: Mapping[type[Event], DocumentKind] = {
    **dict.fromkeys(VOIDS, DocumentKind.VOID),
    PaymentRefunded: DocumentKind.REFUND,
    UnknownRefundMatched: DocumentKind.REFUND,
    DisputeLost: DocumentKind.CHARGEBACK,
    PaymentReturned: DocumentKind.RETURN,
    ChargeVoidedAtGateway: DocumentKind.RETURN,
    GoodwillGranted: DocumentKind.GOODWILL,
    InvoiceWrittenOff: DocumentKind.WRITE_OFF,
    InvoiceRecovered: DocumentKind.RECOVERY,
    AccountClosed: DocumentKind.PAYOUT,
    CreditSettled: DocumentKind.PAYOUT,
    CreditApplied: DocumentKind.CREDIT_USE,
}
"""The events that change what a customer owes, and the document that each stands for."""

SAY_CREDIT_APPLIED = (CreditNoteIssued, AccountClosed, CreditSettled)
"""Events that say in their data how much credit paid for open invoices with them.

Alone before each such payment had an event of its own, which is of the same instant where there is one.
"""


async def rebuild_balances(uow: UnitOfWork, month: ReportMonth) -> CustomerBalances:
    """Return what all customers owe, from a month's opening to its end, by postings and by documents (rule 35).

    Five statements, whatever the number of accounts.
    """
    span = month.begins_at, month.ends_at
    documents = _Documents(month)
    documents.take(DocumentKind.INVOICE, await uow.reports.invoiced(*span))
    documents.take(DocumentKind.RECEIPT, await uow.reports.received(*span))
    documents.take(DocumentKind.CREDIT_USE, await uow.reports.credit_at_issue(*span))
    kinds: set[type[Event]] = {*IN_THE_AUDIT_LOG, *SAY_CREDIT_APPLIED}
    async for entry in uow.reports.events(kinds, month.ends_at):
        documents.take_event(entry)
    return customer_balances(await uow.reports.postings(*span), documents.by_account())


class _Documents:
    """The amounts of documents by account, as they are read."""

    def __init__(self, month: ReportMonth) -> None:
        self._month = month
        self._found: dict[str, dict[DocumentKind, Amounts]] = {}
        self._voids: list[AccountEvent[Event]] = []
        self._applied: Counter[str | None] = Counter()
        self._applied_at: set[tuple[str, datetime]] = set()
        self._said: list[tuple[AccountEvent[Event], int]] = []

    def take(self, document: DocumentKind, amounts: Mapping[str, Amounts]) -> None:
        for account, cents in amounts.items():
            self._add(account, document, cents)

    def take_event(self, entry: AccountEvent[Event]) -> None:
        event = entry.event
        document = IN_THE_AUDIT_LOG.get(type(event))
        if document is not None:
            self._add(entry.account, document, self._at(entry, _cents(entry)))
        if isinstance(event, VOIDS):
            self._voids.append(entry)
        elif isinstance(event, CreditApplied):
            self._applied[entry.subject_id] += event.amount_cents
            self._applied_at.add((entry.account, entry.occurred_at))
        elif isinstance(event, SAY_CREDIT_APPLIED) and event.applied_cents:
            self._said.append((entry, event.applied_cents))

    def by_account(self) -> Mapping[str, Mapping[DocumentKind, Amounts]]:
        """Return the amounts once all is read: a void gives back all credit that its invoice took, whenever it did."""
        for entry in self._voids:
            cents = (entry.credit_cents or 0) + self._applied[entry.subject_id]
            self._add(entry.account, DocumentKind.CREDIT_USE, self._at(entry, -cents))
        for entry, cents in self._said:
            if (entry.account, entry.occurred_at) not in self._applied_at:
                self._add(entry.account, DocumentKind.CREDIT_USE, self._at(entry, cents))
        return self._found

    def _add(self, account: str, document: DocumentKind, amounts: Amounts) -> None:
        documents = self._found.setdefault(account, {})
        documents[document] = documents.get(document, NOTHING).plus(amounts)

    def _at(self, entry: AccountEvent[Event], cents: int) -> Amounts:
        return Amounts(0, cents) if entry.occurred_at >= self._month.begins_at else Amounts(cents, 0)


def _cents(entry: AccountEvent[Event]) -> int:
    """Return the amount of the document that an event stands for."""
    match entry.event:
        case InvoiceWrittenOff(balance_cents=(before, after)):
            return before - after
        case AccountClosed(paid_out_cents=cents) | CreditSettled(paid_out_cents=cents):
            return cents or 0  # an older one lacks it
        case (
            Reversal(amount_cents=cents)
            | GoodwillGranted(amount_cents=cents)
            | InvoiceRecovered(amount_cents=cents)
            | CreditApplied(amount_cents=cents)
        ):
            return cents
        case _:  # an invoice that is void
            return entry.invoice_cents or 0
