"""Nonces and the cards and PayPal accounts that they stand for. Neither a number nor a nonce is ever kept: their
fingerprints are.
"""

from __future__ import annotations

import re
import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import documented, wire
from app.sandbox.braintree_gateway.answers import Content, Invalid, invalid
from app.sandbox.braintree_gateway.state import instant, stamp

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

NONCE_LIFETIME = timedelta(hours=3)
TOKEN_FORM = re.compile(r"[A-Za-z0-9_-]{1,36}")

_NUMBER_INVALID = ("81715", "number", "Credit card number is invalid.")


def mint_nonce(state: State, card: Content) -> Record:
    """Return a new nonce for a documented test number, with the card behind it; it can be spent once.

    :raises Invalid: when the number is not a documented one, or the date is missing.
    """
    number = re.sub(r"[\s-]", "", str(card.get("number") or ""))
    behind = card_of(state, number, card)
    return {"nonce": nonce_for(state, behind), "card": behind}


def nonce_for(state: State, card: Record) -> str:
    """Return a new nonce for a card."""
    nonce = f"tokencc_{secrets.token_urlsafe(18).replace('-', '_')}"
    record_id = documented.fingerprint(nonce)
    record = {"id": record_id, "card": dict(card), "created_at": stamp(state.now()), "is_consumed": False}
    state.store.put("nonce", record_id, record)
    return nonce


def mint_paypal_nonce(state: State, email: str, *, is_agreement: bool) -> str:
    """Return a new nonce for a PayPal account; without an agreement it is good for one payment alone."""
    nonce = f"tokenpp_{secrets.token_hex(12)}"
    record_id = documented.fingerprint(nonce)
    record = {"id": record_id, "email": email if is_agreement else None, "created_at": stamp(state.now())}
    state.store.put("nonce", record_id, {**record, "is_consumed": False})
    return nonce


def card_of(state: State, number: str, params: Content) -> Record:
    """Return the card with a documented number.

    :raises Invalid: when the number is wrong or none of the documented ones, or the date is wrong.
    """
    known = documented.documented_number(number)
    if not number:
        raise invalid("credit_card", "81714", "number", "Credit card number is required.")
    if not number.isdigit() or not 12 <= len(number) <= 19:
        raise invalid("credit_card", "81716", "number", "Credit card number must be 12-19 digits.")
    if not documented.has_luhn(number):
        raise invalid("credit_card", *_NUMBER_INVALID)
    if known is None:
        raise invalid("credit_card", "81717", "number", "Credit card number is not an accepted test number.")
    month, year = expiry_of(state, params)
    holder = params.get("cardholder_name") or params.get("cardholderName")
    address = params.get("billing_address") or params.get("billingAddress")
    return {
        "kind": wire.CARD,
        "brand": known.brand,
        "verdict": known.verdict,
        "flags": list(known.flags),
        "is_disputed": known.disputed,
        "bin": number[:6],
        "last_4": number[-4:],
        "fingerprint": documented.fingerprint(number),
        "expiration_month": month,
        "expiration_year": year,
        "cardholder_name": holder,
        "cvv": documented.cvv_answer(params.get("cvv")),
        "billing_address": None if not address else _address(address),
    }


def expiry_of(state: State, params: Content) -> tuple[str, str]:
    """Return month and year of a card's last month, written with two digits and four.

    :raises Invalid: when they are missing or no month.
    """
    given = str(params.get("expiration_date") or params.get("expirationDate") or "")
    month, _, year = given.partition("/")
    month = str(params.get("expiration_month") or params.get("expirationMonth") or month)
    year = str(params.get("expiration_year") or params.get("expirationYear") or year)
    if not month and not year:
        raise invalid("credit_card", "81709", "expiration_date", "Expiration date is required.")
    if not month.isdigit() or not year.isdigit() or not 1 <= int(month) <= 12 or len(year) not in {2, 4}:
        raise invalid("credit_card", "81710", "expiration_date", "Expiration date is invalid.")
    century = str(state.now().year)[:2]
    return f"{int(month):02d}", year if len(year) == 4 else century + year


def _address(given: Content) -> Record:
    camel = {"postalCode": "postal_code", "streetAddress": "street_address", "countryCodeAlpha2": "country_code_alpha2"}
    return {camel.get(name, name): value for name, value in given.items()}


def nonce_of(
    state: State, nonce: str | None, *, where: str = "payment_method", unknown: str = "93108", consumed: str = "93107"
) -> Record:
    """Return what a nonce stands for, a record `{id, kind, …}`.

    :raises Invalid: when it is missing, unknown, too old or spent.
    """
    if not nonce:
        raise invalid(where, "93103", "payment_method_nonce", "Nonce is required.")
    if nonce == documented.CONSUMED_NONCE:
        raise _consumed(where, consumed)
    if nonce in documented.PAYPAL_NONCES:
        return {"id": None, "kind": wire.PAYPAL, "email": documented.PAYPAL_NONCES[nonce]}
    if nonce in documented.CARD_NONCES:
        return {"id": None, "kind": wire.CARD, "card": _card_of_test_nonce(state, nonce)}
    record = state.store.get("nonce", documented.fingerprint(nonce))
    if record is not None and "email" in record and not record["is_consumed"]:
        return {"id": record["id"], "kind": wire.PAYPAL, "email": record["email"]}
    if record is None or instant(record["created_at"]) + NONCE_LIFETIME < state.now():
        raise invalid(where, unknown, "payment_method_nonce", "Unknown or expired payment_method_nonce.")
    if record["is_consumed"]:
        raise _consumed(where, consumed)
    return {"id": record["id"], "kind": wire.CARD, "card": dict(record["card"])}


def nonce_or_card(state: State, params: Content) -> Record:
    """Return what is to be kept: behind a nonce, or a test card that is named outright, as only a sandbox allows.

    :raises Invalid: when it is missing, unknown, too old or spent.
    """
    number = params.get("number")
    if number and not params.get("payment_method_nonce"):
        return {"id": None, "kind": wire.CARD, "card": card_of(state, str(number), params)}
    return nonce_of(state, params.get("payment_method_nonce"))


def _consumed(where: str, code: str) -> Invalid:
    return invalid(where, code, "payment_method_nonce", "Cannot use a payment_method_nonce more than once.")


def _card_of_test_nonce(state: State, nonce: str) -> Record:
    number = documented.CARD_NONCES[nonce]
    if not documented.has_luhn(number):
        raise invalid("credit_card", *_NUMBER_INVALID)
    card = card_of(state, number, {"expiration_date": f"12/{state.now().year + 1}"})
    card["cvv"] = documented.nonce_cvv_answer(nonce)
    if "risk-thresholds" in nonce:
        card["verdict"] = documented.RISK
    return card


def instrument_of(state: State, nonce: Record, params: Content) -> Record:
    """Return the card or account behind a nonce, with what the request says of it.

    :raises Invalid: when it cannot be kept.
    """
    if nonce["kind"] == wire.PAYPAL:
        if nonce["email"] is None:
            raise invalid("paypal_account", "82902", "base", "Cannot vault a one-time use PayPal account.")
        return {
            "kind": wire.PAYPAL,
            "email": nonce["email"],
            "payer_id": f"PAYER{state.new_id().upper()}",
            "billing_agreement_id": f"B-{state.new_id().upper()}",
            "revoked_at": None,
        }
    card: Record = nonce["card"]
    if params.get("billing_address"):
        card["billing_address"] = _address(params["billing_address"])
    if params.get("cardholder_name"):
        card["cardholder_name"] = params["cardholder_name"]
    if params.get("cvv"):
        card["cvv"] = documented.cvv_answer(params["cvv"])
    return card


def spend(state: State, nonce: Record) -> None:
    """Make sure that a nonce is not used again; test nonces are not used up."""
    record = state.store.get("nonce", nonce["id"]) if nonce["id"] else None
    if record is not None:
        state.store.put("nonce", nonce["id"], {**record, "is_consumed": True})
