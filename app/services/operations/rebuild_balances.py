"""What customers owe, by postings and by documents: invoices, payments, and what the audit log says of everything else.

The audit log tells when an invoice was voided or written off, and when money went back, also where that was undone
since; so a month that is over can be rebuilt as it was at its end.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from app.domain.customer_balances import NOTHING, Amounts, DocumentKind, customer_balances

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from app.domain.customer_balances import CustomerBalances
    from app.domain.reports import ReportMonth
    from app.repositories.reports import AccountEvent
    from app.repositories.unit_of_work import UnitOfWork


def _amount(event: AccountEvent) -> int:
    return int(event.data["amount_cents"])


def _written_off(event: AccountEvent) -> int:
    before, after = event.data["balance_cents"]
    return int(before) - int(after)


def _paid_out(event: AccountEvent) -> int:
    return int(event.data.get("paid_out_cents", 0))


def _voided(event: AccountEvent) -> int:
    return event.invoice_cents or 0


VOIDS = ("invoice.voided", "checkout.declined")
"""The kinds of events about an invoice that is void from then on."""

IN_THE_AUDIT_LOG: Mapping[str, tuple[DocumentKind, Callable[[AccountEvent], int]]] = {
    **dict.fromkeys(VOIDS, (DocumentKind.VOID, _voided)),
    "payment.refunded": (DocumentKind.REFUND, _amount),
    "refund.adopted": (DocumentKind.REFUND, _amount),
    "dispute.lost": (DocumentKind.CHARGEBACK, _amount),
    "payment.returned": (DocumentKind.RETURN, _amount),
    "payment.voided_elsewhere": (DocumentKind.RETURN, _amount),
    "credit.granted": (DocumentKind.GOODWILL, _amount),
    "invoice.written_off": (DocumentKind.WRITE_OFF, _written_off),
    "invoice.recovered": (DocumentKind.RECOVERY, _amount),
    "account.closed": (DocumentKind.PAYOUT, _paid_out),
    "credit.settled": (DocumentKind.PAYOUT, _paid_out),
}
"""The kinds of events that change what a customer owes, the document that each stands for, and its amount in cents."""


CREDIT_APPLIED = "credit.applied"
"""Credit paid for an open invoice after its issue."""

SAY_CREDIT_APPLIED = ("credit_note.issued", "account.closed", "credit.settled")
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
    async for event in uow.reports.events({*IN_THE_AUDIT_LOG, CREDIT_APPLIED, *SAY_CREDIT_APPLIED}, month.ends_at):
        documents.take_event(event)
    return customer_balances(await uow.reports.postings(*span), documents.by_account())


class _Documents:
    """The amounts of documents by account, as they are read."""

    def __init__(self, month: ReportMonth) -> None:
        self._month = month
        self._found: dict[str, dict[DocumentKind, Amounts]] = {}
        self._voids: list[AccountEvent] = []
        self._applied: Counter[str | None] = Counter()
        self._applied_at: set[tuple[str, datetime]] = set()
        self._said: list[AccountEvent] = []

    def take(self, document: DocumentKind, amounts: Mapping[str, Amounts]) -> None:
        for account, cents in amounts.items():
            self._add(account, document, cents)

    def take_event(self, event: AccountEvent) -> None:
        if event.kind in IN_THE_AUDIT_LOG:
            document, cents_of = IN_THE_AUDIT_LOG[event.kind]
            self._add(event.account, document, self._at(event, cents_of(event)))
        if event.kind in VOIDS:
            self._voids.append(event)
        elif event.kind == CREDIT_APPLIED:
            self._applied[event.subject_id] += _amount(event)
            self._applied_at.add((event.account, event.occurred_at))
            self._add(event.account, DocumentKind.CREDIT_USE, self._at(event, _amount(event)))
        elif event.kind in SAY_CREDIT_APPLIED and event.data.get("applied_cents"):
            self._said.append(event)

    def by_account(self) -> Mapping[str, Mapping[DocumentKind, Amounts]]:
        """Return the amounts once all is read: a void gives back all credit that its invoice took, whenever it did."""
        for event in self._voids:
            cents = (event.credit_cents or 0) + self._applied[event.subject_id]
            self._add(event.account, DocumentKind.CREDIT_USE, self._at(event, -cents))
        for event in self._said:
            if (event.account, event.occurred_at) not in self._applied_at:
                self._add(event.account, DocumentKind.CREDIT_USE, self._at(event, int(event.data["applied_cents"])))
        return self._found

    def _add(self, account: str, document: DocumentKind, amounts: Amounts) -> None:
        documents = self._found.setdefault(account, {})
        documents[document] = documents.get(document, NOTHING).plus(amounts)

    def _at(self, event: AccountEvent, cents: int) -> Amounts:
        return Amounts(0, cents) if event.occurred_at >= self._month.begins_at else Amounts(cents, 0)
