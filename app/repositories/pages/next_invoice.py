"""The facts of one account's next invoice, by the very selects that the cycle run bills from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.repositories.billing_facts import (
    assemble_facts,
    read_account,
    select_accounts,
    select_billed,
    select_cycles,
    select_usage,
)
from app.repositories.pages.scope import own
from app.repositories.reader import Page
from app.views.next_invoice import NextInvoiceFacts

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def _assemble(
    account: Sequence[Any], cycles: Iterable[Any], usage: Iterable[Any], billed: Iterable[Any]
) -> NextInvoiceFacts | None:
    if not account:
        return None
    found = read_account(account[0])
    return NextInvoiceFacts(found.id, assemble_facts(found, cycles, usage, billed))


NEXT_INVOICE: Page[NextInvoiceFacts | None] = Page(
    "next_invoice",
    {
        "account": select_accounts(own),
        "cycles": select_cycles(own),
        "usage": select_usage(own),
        "billed": select_billed(own),
    },
    _assemble,
)
"""Takes `account`; None when there is no such account."""
