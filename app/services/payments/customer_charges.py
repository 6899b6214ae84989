"""Charging while a customer waits: what it can come to, and why it is refused (rules 17, 30)."""

from __future__ import annotations

from enum import StrEnum


class PaymentMethodRequired(ValueError):
    """There is nothing to charge: the account has no payment method that can be."""

    def __init__(self) -> None:
        super().__init__("Add a payment method first: there is none on file that can be charged.")


class CollectionOnHold(ValueError):
    """Nothing is charged for the time being."""

    def __init__(self) -> None:
        super().__init__("Payments are paused for maintenance. Nothing was charged; try again later.")


class PaymentDeclined(ValueError):
    """No method could be charged: what was to be paid for has not happened."""

    def __init__(self, invoice_id: str) -> None:
        super().__init__(
            "None of your payment methods could be charged, so nothing was changed. "
            "Add another one or ask your bank, then try again."
        )
        self.invoice_id = invoice_id


class Outcome(StrEnum):
    """The outcome of confirming: it has taken effect, waits for the next month, or for its payment."""

    APPLIED = "APPLIED"
    SCHEDULED = "SCHEDULED"
    PAYMENT_PENDING = "PAYMENT_PENDING"
