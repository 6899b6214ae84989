"""What a customer agrees to by adding a payment method; a version of the text is never changed, only followed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PaymentAgreement:
    """One version of the agreement. `text_hash` is the SHA-256 of the text in UTF-8, in hexadecimal digits."""

    version: str
    text: str

    @property
    def text_hash(self) -> str:
        """The fingerprint that a consent keeps beside a copy of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


class AuthorizationRequired(ValueError):
    """The agreement in force was not accepted; nothing is asked of the gateway before it is."""

    def __init__(self, agreement: PaymentAgreement) -> None:
        super().__init__("Read and accept the payment agreement to add this payment method.")
        self.agreement = agreement


PAYMENT_AGREEMENT = PaymentAgreement(
    version="2026-11",
    text=(
        "I authorize the answering service to keep this payment method on file and to charge it for my account until I "
        "remove it: each month on or after the first for the plan and the add-ons of the coming month, together with "
        "the usage of the month before and taxes; at once for changes that I make and pay for at once; and for late "
        "fees and other amounts that an invoice shows. The amounts vary with my usage, and each is on an invoice that "
        "I can see before and after it is charged.\n"
        "If my default payment method cannot be charged, my back-up payment methods on file may be charged instead, in "
        "the order that I have set, and a charge that failed may be tried again on later days.\n"
        "I am told by e-mail of each charge, and of any change of prices or of this agreement at least 30 days before "
        "it takes effect. I may replace or remove a payment method at any time on the Payment Methods page; while a "
        "payment method is required or an amount is open, another one has to be added first. This authorization ends "
        "when the payment method is removed or the account is closed and paid."
    ),
)
"""The agreement in force."""


def check_authorization(agreement: PaymentAgreement, *, is_given: bool, version: str) -> None:
    """Check that somebody has accepted the agreement in force.

    :raises AuthorizationRequired: when they have not, or accepted another version.
    """
    if not is_given or version != agreement.version:
        raise AuthorizationRequired(agreement)
