"""How a sale of the sandbox ends by its amount, and what the processors' codes say."""

from __future__ import annotations

from dataclasses import dataclass

AUTHORIZED, DECLINED, FAILED, REJECTED = "authorized", "processor_declined", "failed", "gateway_rejected"
HARD, SOFT = "hard_declined", "soft_declined"
APPROVED_CODE = "1000"
NETWORK_CODE = "3000"
NETWORK_TEXT = "Processor Network Unavailable - Try Again"
REVOKED_CODE = "2070"
EXPIRED_CODE = "2004"

_SOFT = {
    2000: "Do Not Honor",
    2001: "Insufficient Funds",
    2002: "Limit Exceeded",
    2003: "Cardholder's Activity Limit Exceeded",
    2016: "Duplicate Transaction",
    2021: "Security Violation",
    2025: "Set Up Error - Merchant",
    2030: "Set Up Error - Terminal",
    2034: "No Action Taken",
    2035: "Partial Approval For Amount In Group III Version",
    2038: "Processor Declined",
    2046: "Declined",
    2048: "Invalid Amount",
    2057: "Issuer or Cardholder has put a restriction on the card",
    2062: "Invalid Tax Amount",
    2074: "Funding Instrument In The PayPal Account Was Declined By The Processor Or Bank",
    2099: "Cardholder Authentication Required",
}
_HARD = {
    2004: "Expired Card",
    2005: "Invalid Credit Card Number",
    2006: "Invalid Expiration Date",
    2007: "No Account",
    2008: "Card Account Length Error",
    2009: "No Such Issuer",
    2010: "Card Issuer Declined CVV",
    2011: "Voice Authorization Required",
    2012: "Processor Declined - Possible Lost Card",
    2013: "Processor Declined - Possible Stolen Card",
    2014: "Processor Declined - Fraud Suspected",
    2015: "Transaction Not Allowed",
    2017: "Cardholder Stopped Billing",
    2018: "Cardholder Stopped All Billing",
    2019: "Invalid Transaction",
    2020: "Violation",
    2022: "Declined - Updated Cardholder Available",
    2023: "Processor Does Not Support This Feature",
    2024: "Card Type Not Enabled",
    2041: "Declined - Call For Approval",
    2043: "Error - Do Not Retry, Call Issuer",
    2044: "Declined - Call Issuer",
    2047: "Call Issuer. Pick Up Card.",
    2051: "Credit Card Number does not match method of payment",
    2053: "Card reported as lost or stolen",
    2059: "Address Verification Failed",
    2060: "Address Verification and Card Security Code Failed",
    2070: "PayPal Buyer Revoked Pre-Approved Payment Authorization",
    2075: "Payer Account Is Locked Or Closed",
    2076: "Payer Cannot Pay For This Transaction With PayPal",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a sale ends; `settles_as` is the status that settling it leads to."""

    status: str
    code: str | None = None
    text: str | None = None
    kind: str | None = None
    rejection: str | None = None
    settles_as: str = "settled"


APPROVED = Outcome(AUTHORIZED, APPROVED_CODE, "Approved", "approved")


def declined(code: str) -> Outcome:
    """Return a decline with the processor's code; one that nobody documents is a soft one."""
    number = int(code)
    if number in _HARD:
        return Outcome(DECLINED, code, _HARD[number], HARD)
    return Outcome(DECLINED, code, _SOFT.get(number, "Processor Declined"), SOFT)


def failed() -> Outcome:
    """Return what a processor that cannot be reached leads to."""
    return Outcome(FAILED, NETWORK_CODE, NETWORK_TEXT, SOFT)


def rejected(reason: str) -> Outcome:
    """Return a rejection by the gateway itself, which no bank has heard of."""
    return Outcome(REJECTED, rejection=reason)


def advice(outcome: Outcome) -> str | None:
    """Return what Mastercard advises after a decline: ask for newer particulars, or do not try again."""
    return {SOFT: "01", HARD: "03"}.get(outcome.kind or "") if outcome.status == DECLINED else None


def forced(code: str) -> Outcome:
    """Return what staff of the sandbox asked for: a processor's code, or the reason of a rejection."""
    if not code.isdigit():
        return rejected(code)
    return failed() if code == NETWORK_CODE else declined(code)


def outcome_of_amount(amount_cents: int, *, is_paypal: bool) -> Outcome:
    """Return how the sandbox ends a sale of an amount."""
    dollars = amount_cents // 100
    if 2000 <= dollars < 3000:
        return declined(str(dollars))
    if dollars == 3000:
        return failed()
    if amount_cents == 500_100:
        return rejected("application_incomplete")
    if amount_cents == 500_101 and is_paypal:
        return declined("2038")
    if is_paypal and 4001 <= dollars < 5001:
        return Outcome(
            AUTHORIZED,
            APPROVED_CODE,
            "Approved",
            "approved",
            settles_as="settlement_pending" if dollars == 4002 else "settlement_declined",
        )
    return APPROVED
