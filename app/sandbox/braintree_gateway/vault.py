"""Customers and what they pay by: nonces become methods, and cards are verified on the way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import declines, documented, wire
from app.sandbox.braintree_gateway.answers import (
    DELETED,
    NOT_FOUND,
    Answer,
    Content,
    Invalid,
    invalid,
    refused,
    unsuccessful,
)
from app.sandbox.braintree_gateway.instruments import (
    TOKEN_FORM,
    card_of,
    expiry_of,
    instrument_of,
    nonce_or_card,
    spend,
)
from app.sandbox.braintree_gateway.state import MERCHANT_ID, instant, network_id, stamp

if TYPE_CHECKING:
    from datetime import timedelta

    from app.sandbox.braintree_gateway.declines import Outcome
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

_VERIFIED = "verified"


def create_customer(state: State, params: Content) -> Answer:
    """Make a customer, under an id of the caller's or one of ours."""
    customer_id = params.get("id") or state.new_id()
    if state.store.get("customer", customer_id) is not None:
        raise invalid("customer", "91609", "id", "Customer ID has already been taken.")
    if not TOKEN_FORM.fullmatch(customer_id):
        raise invalid("customer", "91610", "id", "Customer ID is invalid (use only letters, numbers, '-', and '_').")
    now = stamp(state.now())
    record = {"id": customer_id, "merchant_id": MERCHANT_ID, "default_token": None, "created_at": now}
    record |= {name: params.get(name) for name in wire.CUSTOMER_FIELDS} | {"updated_at": now}
    state.store.put("customer", customer_id, record)
    if params.get("credit_card") or params.get("payment_method_nonce"):
        refusal = _first_method(state, customer_id, params)
        if refusal is not None:
            state.store.remove("customer", customer_id)
            return refusal
    return Answer(201, "customer", wire.customer(state, record))


def _first_method(state: State, customer_id: str, params: Content) -> Answer | None:
    """Keep what a new customer pays by; returns the refusal if that fails."""
    card = params.get("credit_card") or {}
    nonce = params.get("payment_method_nonce")
    method = {**card, "customer_id": customer_id} | ({"payment_method_nonce": nonce} if nonce else {})
    try:
        answer = create_method(state, method)
    except Invalid as error:
        return refused(Invalid(("customer", *error.where), *error.problems), params)
    return None if answer.status == 201 else answer


def find_customer(state: State, customer_id: str) -> Answer:
    """Return a customer."""
    record = state.store.get("customer", customer_id)
    return NOT_FOUND if record is None else Answer(200, "customer", wire.customer(state, record))


def update_customer(state: State, customer_id: str, params: Content) -> Answer:
    """Change a customer's names, or which method is the default."""
    record = state.store.get("customer", customer_id)
    if record is None:
        return NOT_FOUND
    token = params.get("default_payment_method_token")
    if token is not None:
        method = state.store.get("method", token)
        if method is None or method["customer_id"] != customer_id:
            raise invalid("customer", "91610", "default_payment_method_token", "Payment method token is invalid.")
        record["default_token"] = token
    record |= {name: params[name] for name in wire.CUSTOMER_FIELDS if name in params}
    record["updated_at"] = stamp(state.now())
    state.store.put("customer", customer_id, record)
    return Answer(200, "customer", wire.customer(state, record))


def delete_customer(state: State, customer_id: str) -> Answer:
    """Forget a customer and every method of theirs."""
    if state.store.get("customer", customer_id) is None:
        return NOT_FOUND
    for method in state.store.where("method", "customer_id", customer_id):
        state.store.remove("method", method["token"])
    state.store.remove("customer", customer_id)
    return DELETED


def create_method(state: State, params: Content) -> Answer:
    """Keep what a nonce stands for, unless verifying it fails."""
    customer = _owner(state, params)
    nonce = nonce_or_card(state, params)
    method = instrument_of(state, nonce, params)
    _refuse_duplicates(state, method, params, customer)
    spend(state, nonce)
    verification = None
    if method["kind"] == wire.CARD and _is_verified(state, params):
        verification = verify(state, method, customer_id=customer["id"])
        if verification["status"] != _VERIFIED:
            message = verification["text"] or f"Gateway Rejected: {verification['rejection']}"
            return unsuccessful("verification", wire.verification(verification), message, params)
    now = stamp(state.now())
    token = params.get("token") or state.new_id()
    method |= {"token": token, "customer_id": customer["id"], "created_at": now, "updated_at": now}
    if verification is not None:
        method["network_transaction_id"] = verification["network_transaction_id"]
        state.store.put("verification", verification["id"], {**verification, "token": token})
    state.store.put("method", token, method)
    options = params.get("options") or {}
    if customer["default_token"] is None or options.get("make_default"):
        customer["default_token"] = token
        state.store.put("customer", customer["id"], customer)
    return Answer(201, method["kind"], wire.method_content(state, method))


def _owner(state: State, params: Content) -> Record:
    customer_id = params.get("customer_id")
    if not customer_id:
        raise invalid("payment_method", "93104", "customer_id", "Customer ID is required.")
    customer = state.store.get("customer", customer_id)
    if customer is None:
        raise invalid("payment_method", "93105", "customer_id", "Customer ID is invalid.")
    return customer


def _refuse_token(state: State, kind: str, token: str) -> None:
    if state.store.get("method", token) is not None:
        code = "91719" if kind == wire.CARD else "92906"
        raise invalid(kind, code, "token", "Duplicate token. The token is already in use.")
    if not TOKEN_FORM.fullmatch(token):
        raise invalid(kind, "91718", "token", "Token is invalid.")


def _refuse_duplicates(state: State, method: Record, params: Content, customer: Record) -> None:
    if params.get("token"):
        _refuse_token(state, method["kind"], params["token"])
    if method["kind"] != wire.CARD:
        return
    options = params.get("options") or {}
    same = state.store.where("method", "fingerprint", method["fingerprint"])
    if options.get("fail_on_duplicate_payment_method") and same:
        raise invalid("credit_card", "81724", "number", "Duplicate card exists in the vault.")
    if options.get("fail_on_duplicate_payment_method_for_customer") and any(
        each["customer_id"] == customer["id"] for each in same
    ):
        raise invalid("credit_card", "81763", "number", "Duplicate card exists in the vault for the customer.")


def _is_verified(state: State, params: Content) -> bool:
    asked = (params.get("options") or {}).get("verify_card")
    return bool(state.setting("verify_all") if asked is None else asked)


def verify(state: State, card: Record, *, customer_id: str | None = None) -> Record:
    """Ask the bank about a card, keep what it said, and return that."""
    address = card["billing_address"] or {}
    street, postal, avs_error = documented.address_answers(address.get("street_address"), address.get("postal_code"))
    status, outcome = _verdict(state, card, street, postal)
    verification_id = state.new_id()
    record = {
        "id": verification_id,
        "status": status,
        "code": outcome.code,
        "text": outcome.text,
        "response_type": outcome.kind,
        "rejection": outcome.rejection,
        "cvv": card["cvv"],
        "avs_street": street,
        "avs_postal": postal,
        "avs_error": avs_error,
        "network_transaction_id": network_id(verification_id) if status == _VERIFIED else None,
        "created_at": stamp(state.now()),
        "card": dict(card),
        "token": card.get("token"),
        "customer_id": customer_id,
    }
    return state.store.put("verification", verification_id, record)


def _verdict(state: State, card: Record, street: str, postal: str) -> tuple[str, Outcome]:
    match card["verdict"]:
        case documented.DECLINED:
            return declines.DECLINED, declines.declined("2000")
        case documented.FAILED:
            return declines.FAILED, declines.failed()
        case documented.FRAUD | documented.RISK as reason:
            return declines.REJECTED, declines.rejected(reason)
    has_cvv = state.setting("cvv_rules") and card["cvv"] in {"N", "U"}
    has_avs = state.setting("avs_rules") and (street in {"N", "U"} or postal in {"N", "U"})
    if has_cvv or has_avs:
        reason = "avs_and_cvv" if has_cvv and has_avs else "cvv" if has_cvv else "avs"
        return declines.REJECTED, declines.rejected(reason)
    return _VERIFIED, declines.APPROVED


def find_method(state: State, token: str) -> Answer:
    """Return a method, under the root of its kind."""
    record = state.store.get("method", token)
    return NOT_FOUND if record is None else Answer(200, record["kind"], wire.method_content(state, record))


def update_method(state: State, token: str, params: Content) -> Answer:
    """Change a card's dates, holder or address, or make a method the default."""
    known = state.store.get("method", token)
    if known is None:
        return NOT_FOUND
    record = dict(known)
    if record["kind"] == wire.CARD:
        _change_card(state, record, params)
    renamed = _renamed(state, record, params.get("token"))
    options = params.get("options") or {}
    if record["kind"] == wire.CARD and options.get("verify_card"):
        verification = verify(state, record, customer_id=record["customer_id"])
        if verification["status"] != _VERIFIED:
            message = verification["text"] or f"Gateway Rejected: {verification['rejection']}"
            return unsuccessful("verification", wire.verification(verification), message, params)
    record |= {"updated_at": stamp(state.now()), "token": renamed}
    customer = state.store.get("customer", record["customer_id"]) or {}
    if options.get("make_default") or customer["default_token"] == token:
        state.store.put("customer", record["customer_id"], {**customer, "default_token": renamed})
    state.store.remove("method", token)
    state.store.put("method", renamed, record)
    return Answer(200, record["kind"], wire.method_content(state, record))


def _change_card(state: State, record: Record, params: Content) -> None:
    if params.get("number"):
        record |= card_of(state, str(params["number"]), params)
    elif any(name in params for name in ("expiration_date", "expiration_month", "expiration_year")):
        former = {} if "expiration_date" in params else record
        month, year = expiry_of(state, {**former, **params})
        record |= {"expiration_month": month, "expiration_year": year}
    if "cardholder_name" in params:
        record["cardholder_name"] = params["cardholder_name"]
    if "billing_address" in params:
        record["billing_address"] = {**(record.get("billing_address") or {}), **params["billing_address"]}


def _renamed(state: State, record: Record, token: str | None) -> str:
    """Return the token that a method gets."""
    if not token or token == record["token"]:
        return str(record["token"])
    _refuse_token(state, record["kind"], token)
    return token


def delete_method(state: State, token: str) -> Answer:
    """Forget a method; the oldest that is left becomes the default if it was."""
    record = state.store.get("method", token)
    if record is None:
        return NOT_FOUND
    state.store.remove("method", token)
    customer = state.store.get("customer", record["customer_id"])
    if customer is not None and customer["default_token"] == token:
        left = state.store.where("method", "customer_id", customer["id"])
        state.store.put("customer", customer["id"], {**customer, "default_token": left[0]["token"] if left else None})
    return DELETED


def find_verification(state: State, verification_id: str) -> Answer:
    """Return a verification."""
    record = state.store.get("verification", verification_id)
    return NOT_FOUND if record is None else Answer(200, "verification", wire.verification(record))


def forget_old_nonces(state: State, lifetime: timedelta) -> None:
    """Forget nonces that nobody can use any more."""
    for record in state.store.all("nonce"):
        if instant(record["created_at"]) + 2 * lifetime < state.now():
            state.store.remove("nonce", record["id"])
