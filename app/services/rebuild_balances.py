"""What customers owe, by postings and by documents: invoices, payments, and what the audit log says of everything else.

The audit log tells when an invoice was voided or written off, and when money went back, also where that was undone
since; so a month that is over can be rebuilt as it was at its end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.customer_balances import NOTHING, Amounts, Document, customer_balances

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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

IN_THE_AUDIT_LOG: Mapping[str, tuple[Document, Callable[[AccountEvent], int]]] = {
    **dict.fromkeys(VOIDS, (Document.VOID, _voided)),
    "payment.refunded": (Document.REFUND, _amount),
    "refund.adopted": (Document.REFUND, _amount),
    "dispute.lost": (Document.CHARGEBACK, _amount),
    "payment.returned": (Document.RETURN, _amount),
    "payment.voided_elsewhere": (Document.RETURN, _amount),
    "credit.granted": (Document.GOODWILL, _amount),
    "invoice.written_off": (Document.WRITE_OFF, _written_off),
    "invoice.recovered": (Document.RECOVERY, _amount),
    "account.closed": (Document.PAYOUT, _paid_out),
    "credit.settled": (Document.PAYOUT, _paid_out),
}
"""The kinds of events that change what a customer owes, the document that each stands for, and its amount in cents."""


async def rebuild_balances(uow: UnitOfWork, month: ReportMonth) -> CustomerBalances:
    """Return what all customers owe, from a month's opening to its end, by postings and by documents (rule 35).

    Four statements, whatever the number of accounts.
    """
    documents: dict[str, dict[Document, Amounts]] = {}
    for document, found in (
        (Document.INVOICE, await uow.reports.invoiced(month.begins_at, month.ends_at)),
        (Document.RECEIPT, await uow.reports.received(month.begins_at, month.ends_at)),
    ):
        for account, amounts in found.items():
            documents.setdefault(account, {})[document] = amounts
    async for event in uow.reports.events(IN_THE_AUDIT_LOG, month.ends_at):
        document, cents_of = IN_THE_AUDIT_LOG[event.kind]
        of_account = documents.setdefault(event.account, {})
        of_account[document] = of_account.get(document, NOTHING).plus(_at(event, cents_of(event), month))
    postings = await uow.reports.postings(month.begins_at, month.ends_at)
    return customer_balances(postings, documents)


def _at(event: AccountEvent, cents: int, month: ReportMonth) -> Amounts:
    return Amounts(0, cents) if event.occurred_at >= month.begins_at else Amounts(cents, 0)
