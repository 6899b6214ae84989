"""The snapshot of one invoice, which every step of its collecting is decided from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from app.domain.accounts import Account
    from app.domain.checkouts import Checkout
    from app.domain.collection import Attempt, Collection
    from app.domain.payment_methods import PaymentMethod
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class CollectionSnapshot:
    """One invoice and everything that collecting it depends on, read by the account's only writer."""

    account: Account
    invoice: StoredInvoice
    collection: Collection
    balance_cents: int
    attempts: Sequence[Attempt]
    methods: Sequence[PaymentMethod]
    checkout: Checkout | None
    now: datetime

    def method(self, method_id: str) -> PaymentMethod | None:
        """Return a method of the account that is on file."""
        return next((method for method in self.methods if method.id == method_id), None)


async def load_collection(uow: UnitOfWork, invoice_id: str, account_id: str, now: datetime) -> CollectionSnapshot:
    """Return the snapshot of an invoice, and make the caller its account's only writer.

    :raises LookupError: when the invoice has nothing to collect.
    """
    account = await uow.accounts.get(account_id, lock=True)
    invoice = await uow.invoices.find(invoice_id, account_id)
    collection = await uow.collections.find(invoice_id)
    if invoice is None or collection is None:
        raise LookupError(invoice_id)
    return CollectionSnapshot(
        account=account,
        invoice=invoice,
        collection=collection,
        balance_cents=await uow.ledger.balance_of_invoice(account_id, invoice_id),
        attempts=await uow.attempts.of_invoice(invoice_id),
        methods=await uow.payment_methods.list_on_file(account_id),
        checkout=await uow.checkouts.find_by_invoice(invoice_id) if collection.is_checkout else None,
        now=now,
    )
