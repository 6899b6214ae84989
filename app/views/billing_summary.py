"""What the Billing Summary is made of: this month's calls, the facts of the next bill, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from app.views.next_invoice import NextInvoiceFacts
    from app.views.usage import UsageFacts


@dataclass(frozen=True, slots=True)
class SummaryFacts:
    """`usage` covers the current month; balances are cents of the account's books."""

    usage: UsageFacts
    next_invoice: NextInvoiceFacts
    open_balance_cents: int
    credit_balance_cents: int
