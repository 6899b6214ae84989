"""What the Billing Summary is made of: this month's calls, the facts of the next bill, and what is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from app.domain.auto_pay import OpenRound, PayingAccount
    from app.domain.payment_methods import PaymentMethod
    from app.views.next_invoice import NextInvoiceFacts
    from app.views.usage import UsageFacts


@dataclass(frozen=True, slots=True)
class SummaryFacts:
    """`usage` covers the current month; balances are cents of the account's books.

    `methods` are those on file, in the order in which they are tried; `rounds` are those of open invoices.
    """

    usage: UsageFacts
    next_invoice: NextInvoiceFacts
    open_balance_cents: int
    credit_balance_cents: int
    account: PayingAccount
    methods: Sequence[PaymentMethod]
    rounds: Sequence[OpenRound]
