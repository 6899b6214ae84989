"""The facts of one account's next invoice, by the very selects that the cycle run bills from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.repositories.billing_facts import FactRows, assemble_facts, fact_parts, read_account, read_catalogue
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.next_invoice import NextInvoiceFacts

if TYPE_CHECKING:
    from app.repositories.sql_json import Rows


def _assemble(account: Rows, prices: Rows, **rows: Rows) -> NextInvoiceFacts | None:
    if not account:
        return None
    found = read_account(account[0])
    return NextInvoiceFacts(found.id, assemble_facts(found, read_catalogue(prices), FactRows(**rows)))


NEXT_INVOICE: Page[NextInvoiceFacts | None] = Page("next_invoice", fact_parts(own), _assemble)
"""Takes `account`; None when there is no such account."""
