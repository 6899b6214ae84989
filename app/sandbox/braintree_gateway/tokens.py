"""What a payment form needs: a client token that names no customer, and nonces for documented test numbers."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import documented
from app.sandbox.braintree_gateway.answers import NOT_FOUND, Answer, Content, invalid
from app.sandbox.braintree_gateway.instruments import mint_nonce
from app.sandbox.braintree_gateway.state import MERCHANT_ID, State

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
        "environment": "development",
        "challenges": [],
        "paypalEnabled": True,
        "threeDSecureEnabled": False,
    }
    text = json.dumps(content)
    value = text if content["version"] == 1 else base64.b64encode(text.encode()).decode()
    return Answer(201, "client_token", {"value": value})


def find_nonce(state: State, nonce: str) -> Answer:
    """Return what a nonce stands for."""
    record = state.store.get("nonce", documented.fingerprint(nonce))
    if record is not None:
        card, is_consumed = record["card"], record["is_consumed"]
    elif nonce in documented.CARD_NONCES:
        known = documented.documented_number(documented.CARD_NONCES[nonce])
        number = documented.CARD_NONCES[nonce]
        card = {"brand": known.brand if known else "", "bin": number[:6], "last_4": number[-4:]}
        is_consumed = False
    else:
        return NOT_FOUND
    details = {
        "card_type": card["brand"],
        "bin": card["bin"],
        "last_four": card["last_4"],
        "last_two": card["last_4"][2:],
    }
    content = {"nonce": nonce, "type": "CreditCard", "consumed": is_consumed, "default": False, "details": details}
    return Answer(200, "payment_method_nonce", content)


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
