"""Braintree's documented test data: which amounts, numbers and nonces end how. Nothing else is a card here."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

GOOD, DECLINED, FAILED, FRAUD, RISK, INVALID, CONSUMED = (
    "good", "declined", "failed", "fraud", "risk_threshold", "invalid", "consumed",
)  # fmt: skip
"""How verifying a number ends."""

VISA, MASTERCARD, AMEX, DISCOVER, JCB, DINERS, MAESTRO = (
    "Visa", "MasterCard", "American Express", "Discover", "JCB", "Diners Club", "Maestro",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class DocumentedNumber:
    """A documented number: how its verification ends, and what the card is said to be."""

    brand: str
    verdict: str = GOOD
    flags: tuple[str, ...] = ()
    disputed: bool = False


NUMBERS = {
    "4111111111111111": DocumentedNumber(VISA),
    "4012888888881881": DocumentedNumber(VISA),
    "4005519200000004": DocumentedNumber(VISA),
    "4009348888881881": DocumentedNumber(VISA),
    "4012000033330026": DocumentedNumber(VISA),
    "4012000077777777": DocumentedNumber(VISA),
    "4217651111111119": DocumentedNumber(VISA),
    "4500600000000061": DocumentedNumber(VISA, flags=("prepaid",)),
    "4111111111131010": DocumentedNumber(VISA, flags=("commercial",)),
    "4117101010101010": DocumentedNumber(VISA, flags=("debit",)),
    "4111111111111210": DocumentedNumber(VISA, flags=("prepaid",)),
    "4111111114101010": DocumentedNumber(VISA, flags=("payroll",)),
    "4111111510101010": DocumentedNumber(VISA, flags=("healthcare",)),
    "4111161010101010": DocumentedNumber(VISA, flags=("durbin_regulated",)),
    "4111111111310101": DocumentedNumber(VISA),
    "4111111111112101": DocumentedNumber(VISA),
    "4111111111121102": DocumentedNumber(VISA),
    "4111111141010101": DocumentedNumber(VISA),
    "4229989800000003": DocumentedNumber(VISA, flags=("business",)),
    "4229989700000004": DocumentedNumber(VISA, flags=("consumer",)),
    "4229989100000000": DocumentedNumber(VISA, flags=("corporate",)),
    "4229989500000006": DocumentedNumber(VISA, flags=("purchase",)),
    "4229989900000002": DocumentedNumber(VISA, flags=("prepaid_reloadable",)),
    "5555555555554444": DocumentedNumber(MASTERCARD),
    "5454545454545454": DocumentedNumber(MASTERCARD),
    "2223000048400011": DocumentedNumber(MASTERCARD),
    "378282246310005": DocumentedNumber(AMEX),
    "371449635398431": DocumentedNumber(AMEX),
    "6011111111111117": DocumentedNumber(DISCOVER),
    "3530111333300000": DocumentedNumber(JCB),
    "36259600000004": DocumentedNumber(DINERS),
    "6304000000000000": DocumentedNumber(MAESTRO),
    "4000111111111115": DocumentedNumber(VISA, DECLINED),
    "5105105105105100": DocumentedNumber(MASTERCARD, DECLINED),
    "378734493671000": DocumentedNumber(AMEX, DECLINED),
    "6011000990139424": DocumentedNumber(DISCOVER, DECLINED),
    "38520000009814": DocumentedNumber(DINERS, DECLINED),
    "3566002020360505": DocumentedNumber(JCB, FAILED),
    "4000111111111511": DocumentedNumber(VISA, FRAUD),
    "4023898493988028": DocumentedNumber(VISA, disputed=True),
}

_PLAIN_VISA = "4012888888881881"
_OF_BRAND = {
    "visa": _PLAIN_VISA,
    "mastercard": "5555555555554444",
    "amex": "378282246310005",
    "discover": "6011111111111117",
    "jcb": "3530111333300000",
    "dinersclub": "36259600000004",
    "maestro": "6304000000000000",
    "commercial": "4111111111131010",
    "debit": "4117101010101010",
    "prepaid": "4111111111111210",
    "payroll": "4111111114101010",
    "healthcare": "4111111510101010",
    "durbin-regulated": "4111161010101010",
    "business": "4229989800000003",
    "consumer": "4229989700000004",
    "corporate": "4229989100000000",
    "purchase": "4229989500000006",
    "prepaid-reloadable": "4229989900000002",
    "no-indicators": "4111111111310101",
    "unknown-indicators": "4111111111112101",
}

CARD_NONCES = {
    "fake-valid-nonce": _PLAIN_VISA,
    **{f"fake-valid-{name}-nonce": number for name, number in _OF_BRAND.items()},
    "fake-processor-declined-visa-nonce": "4000111111111115",
    "fake-processor-declined-mastercard-nonce": "5105105105105100",
    "fake-processor-declined-amex-nonce": "378734493671000",
    "fake-processor-declined-discover-nonce": "6011000990139424",
    "fake-processor-declined-dinersclub-nonce": "38520000009814",
    "fake-processor-failure-jcb-nonce": "3566002020360505",
    "fake-gateway-rejected-fraud-nonce": "4000111111111511",
    "fake-gateway-rejected-risk-thresholds-nonce": _PLAIN_VISA,
    "fake-luhn-invalid-nonce": "4111111111111112",
    **{
        f"fake-{digits}-digit-cvv-only-{answer}-response-nonce": number
        for digits, number in (("three", _PLAIN_VISA), ("four", "378282246310005"))
        for answer in "nus"
    },
}
"""The nonces that stand for a card, usable as often as one likes."""

CONSUMED_NONCE = "fake-consumed-nonce"
PAYPAL_NONCES = {
    "fake-paypal-billing-agreement-nonce": "jane.doe@paypal.com",
    "fake-paypal-future-nonce": "jane.doe@paypal.com",
    "fake-paypal-one-time-nonce": None,
}
"""PayPal's: the payer's address, or none where the agreement is for one payment and cannot be kept."""

CVV_OF_CODE = {"200": "N", "201": "U", "301": "S", "2000": "N", "2011": "U", "3011": "S"}
POSTAL_ANSWERS = {"20000": "N", "20001": "U"}
AVS_ERRORS = {"30000": "E", "30001": "S"}


def documented_number(number: str) -> DocumentedNumber | None:
    """Return what is documented of a number, or None when it is none of the test numbers."""
    return NUMBERS.get(number)


def has_luhn(number: str) -> bool:
    """Tell whether the digits check."""
    total = 0
    for at, digit in enumerate(reversed(number)):
        value = int(digit) * (1 + at % 2)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def fingerprint(text: str) -> str:
    """Return what stands for a number or a nonce in the gateway's memory, which keeps neither."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def cvv_answer(code: str | None) -> str:
    """Return the bank's word on a security code."""
    return CVV_OF_CODE.get(code, "M") if code else "I"


def nonce_cvv_answer(nonce: str) -> str:
    """Return the word on the security code that a test nonce was made with."""
    head, found, tail = nonce.partition("-digit-cvv-only-")
    return tail[0].upper() if found and head.startswith("fake-") else "M"


def address_answers(street: str | None, postal_code: str | None) -> tuple[str, str, str | None]:
    """Return the bank's words on the street and on the postal code, and the code of its error if it had one."""
    error = AVS_ERRORS.get(postal_code or "")
    if error is not None:
        return "B", "B", error
    number = (street or "").split(" ", 1)[0]
    return (
        {"200": "N", "201": "U", "": "I"}.get(number, "M"),
        POSTAL_ANSWERS.get(postal_code, "M") if postal_code else "I",
        None,
    )
