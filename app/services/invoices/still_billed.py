"""What is still billed of every line of an account, folded from all that was issued."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.invoice_drafts import InvoiceStatus
from app.domain.position_fold import Books, fold

if TYPE_CHECKING:
    from app.repositories.unit_of_work import UnitOfWork


async def load_books(uow: UnitOfWork, account_id: str) -> Books:
    """Return what is still billed of each line of an account, from its invoices (not void) and write-offs."""
    invoices = await uow.invoices.list_for_account(account_id)
    documents = [invoice.document for invoice in invoices if invoice.status is not InvoiceStatus.VOID]
    return fold(documents, await uow.write_offs.list_for_account(account_id))
