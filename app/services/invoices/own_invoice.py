"""An invoice that a customer names by its id: one of the account's own, or a refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.repositories.invoices import StoredInvoice
    from app.repositories.unit_of_work import UnitOfWork


class InvoiceUnknown(LookupError):
    """The account has no invoice of that id."""

    def __init__(self, invoice_id: str) -> None:
        super().__init__("There is no such invoice. Load the list again.")
        self.invoice_id = invoice_id


async def own_invoice(uow: UnitOfWork, invoice_id: str, account_id: str) -> StoredInvoice:
    """Return an invoice of the account.

    :raises InvoiceUnknown: when there is none of that id, or it is another account's.
    """
    invoice = await uow.invoices.find(invoice_id, account_id)
    if invoice is None:
        raise InvoiceUnknown(invoice_id)
    return invoice
