"""What a payment form needs: a client token that names no customer, and nonces for documented test numbers."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway.answers import NOT_FOUND, Answer, Content, Invalid, invalid
from app.sandbox.braintree_gateway.instruments import mint_nonce, mint_paypal_nonce, nonce_for, nonce_of
from app.sandbox.braintree_gateway.state import MERCHANT_ACCOUNT, MERCHANT_ID, State
from app.sandbox.braintree_gateway.wire import CARD

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.store import Record


def client_token(state: State, params: Content) -> Answer:
    """Return a token for a form: base64 JSON in version 2, plain JSON in version 1."""
    customer_id = params.get("customer_id")
    if customer_id and state.store.get("customer", customer_id) is None:
        raise invalid("client_token", "92804", "customer_id", "Customer specified by customer_id does not exist.")
    base = state.base_url
    content = {
        "version": params.get("version", 2),
        "authorizationFingerprint": f"{secrets.token_hex(32)}|created_at={state.now().isoformat()}",
        "configUrl": f"{base}/merchants/{MERCHANT_ID}/client_api/v1/configuration",
        "clientApiUrl": f"{base}/merchants/{MERCHANT_ID}/client_api",
        "assetsUrl": base,
        "merchantId": MERCHANT_ID,
        "merchantAccountId": params.get("merchant_account_id") or MERCHANT_ACCOUNT,
        "environment": "development",
        "challenges": [],
        "paypalEnabled": True,
        "threeDSecureEnabled": False,
    }
    text = json.dumps(content)
    value = text if content["version"] == 1 else base64.b64encode(text.encode()).decode()
    return Answer(201, "client_token", {"value": value})


def find_nonce(state: State, nonce: str) -> Answer:
    """Return what a nonce stands for that can still be used."""
    try:
        found = nonce_of(state, nonce)
    except Invalid:
        return NOT_FOUND
    return Answer(200, "payment_method_nonce", _nonce_content(nonce, found.get("card")))


def nonce_for_method(state: State, token: str, _params: Content) -> Answer:
    """Return a new nonce for a card of the vault, good for one use."""
    method = state.store.get("method", token)
    if method is None or method["kind"] != CARD:
        return NOT_FOUND
    return Answer(201, "payment_method_nonce", _nonce_content(nonce_for(state, method), method))


def _nonce_content(nonce: str, card: Record | None) -> Content:
    content = {"nonce": nonce, "consumed": False, "default": False}
    if card is None:
        return {**content, "type": "PayPalAccount", "details": {"payer_info": ""}}
    last_four = card["last_4"]
    details = {"card_type": card["brand"], "bin": card["bin"], "last_four": last_four, "last_two": last_four[2:]}
    return {**content, "type": "CreditCard", "details": details}


def tokenize_card(state: State, body: Content) -> Content:
    """Return the answer to a browser's card form, in JSON.

    :raises Invalid: when the number is not a documented one.
    """
    minted = mint_nonce(state, body.get("credit_card") or body.get("creditCard") or {})
    card: Record = minted["card"]
    return {
        "creditCards": [
            {
                "type": "CreditCard",
                "nonce": minted["nonce"],
                "description": f"ending in {card['last_4'][2:]}",
                "consumed": False,
                "default": False,
                "details": {
                    "bin": card["bin"],
                    "cardType": card["brand"],
                    "lastFour": card["last_4"],
                    "lastTwo": card["last_4"][2:],
                    "expirationMonth": card["expiration_month"],
                    "expirationYear": card["expiration_year"],
                },
            }
        ]
    }


def tokenize_paypal(state: State, body: Content) -> Content:
    """Return the answer to a browser's PayPal button, in JSON: consent is an agreement, an access token one payment."""
    account = body.get("paypal_account") or body.get("paypalAccount") or {}
    is_agreement = bool(account.get("consent_code") or account.get("consentCode"))
    email = account.get("email") or "jane.doe@paypal.com"
    nonce = mint_paypal_nonce(state, email, is_agreement=is_agreement)
    return {"paypalAccounts": [{"type": "PayPalAccount", "nonce": nonce, "details": {"email": email}}]}


def refusal_of(error: Exception) -> Content:
    """Return the answer to a form that gets no nonce, in JSON: what is wrong, and with which of its fields."""
    if not isinstance(error, Invalid):
        return {"error": {"message": str(error)}}
    wrong = [
        {"field": _CAMEL.get(each.attribute, each.attribute), "code": each.code, "message": each.message}
        for each in error.problems
    ]
    field = "".join(word.capitalize() if place else word for place, word in enumerate(error.where[-1].split("_")))
    message = "; ".join(each.message for each in error.problems)
    return {"error": {"message": message}, "fieldErrors": [{"field": field, "fieldErrors": wrong}]}


def is_checked(body: Content) -> bool:
    """Tell whether a form wanted its card to be looked at before it gets a nonce, as forms do unless they say so."""
    details: Content = next((each for each in body.values() if isinstance(each, dict)), {})
    return bool((details.get("options") or {}).get("validate", True))


_CAMEL = {"expiration_date": "expirationDate"}

TOKENIZERS = {
    "payment_methods/credit_cards": tokenize_card,
    "payment_methods/paypal_accounts": tokenize_paypal,
}
