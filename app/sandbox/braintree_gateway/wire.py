"""Records as the SDK wants to read them."""

from __future__ import annotations

import base64
from datetime import date
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway.codec import Items
from app.sandbox.braintree_gateway.state import CURRENCY, MERCHANT_ACCOUNT, dollars, instant

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.answers import Content
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

_ADVICE = {"01": "New account information available", "03": "Do not try again"}
PAYER_EMAIL = "payer@example.com"
"""Whom each PayPal payment of the sandbox is said to come from, whatever the account's own address."""

_FLAGS = (
    "business", "commercial", "consumer", "corporate", "debit", "durbin_regulated", "healthcare", "payroll", "prepaid",
    "prepaid_reloadable", "purchase",
)  # fmt: skip
_ADDRESS = (
    "first_name", "last_name", "company", "street_address", "extended_address", "locality", "region", "postal_code",
    "country_code_alpha2", "country_code_alpha3", "country_code_numeric", "country_name",
)  # fmt: skip
CARD, PAYPAL = "credit_card", "paypal_account"
CUSTOMER_FIELDS = ("first_name", "last_name", "company", "email", "phone", "fax", "website", "international_phone")


def is_expired(card: Record, today: date) -> bool:
    """Tell whether a card's last month is over."""
    return (int(card["expiration_year"]), int(card["expiration_month"])) < (today.year, today.month)


def _global_id(kind: str, record_id: str) -> str:
    return base64.b64encode(f"{kind}_{record_id}".encode()).decode().rstrip("=")


def customer(state: State, record: Record) -> Content:
    """Return a customer with everything kept for them."""
    methods = state.store.where("method", "customer_id", record["id"])
    return {
        **{name: record.get(name) for name in ("id", *CUSTOMER_FIELDS)},
        "global_id": _global_id("customer", record["id"]),
        "merchant_id": record["merchant_id"],
        "created_at": instant(record["created_at"]),
        "updated_at": instant(record["updated_at"]),
        "addresses": Items("address"),
        "credit_cards": Items(CARD, [method_content(state, each) for each in methods if each["kind"] == CARD]),
        "paypal_accounts": Items(PAYPAL, [method_content(state, each) for each in methods if each["kind"] == PAYPAL]),
        "custom_fields": "",
    }


def method_content(state: State, record: Record) -> Content:
    """Return a method as a find or a create has it, under the root of its kind."""
    owner = state.store.get("customer", record["customer_id"]) or {}
    common = {
        "token": record["token"],
        "customer_id": record["customer_id"],
        "default": owner.get("default_token") == record["token"],
        "created_at": instant(record["created_at"]),
        "updated_at": instant(record["updated_at"]),
        "global_id": _global_id("paymentmethod", record["token"]),
        "subscriptions": Items("subscription"),
        "image_url": "http://127.0.0.1/method.png",
    }
    if record["kind"] == PAYPAL:
        return {**common, **_paypal(record), "revoked_at": record.get("revoked_at") and instant(record["revoked_at"])}
    checks = [verification(each) for each in state.store.where("verification", "token", record["token"])]
    return {
        **common,
        **card(record, state.now().date()),
        "billing_address": _address(record["billing_address"]),
        "verifications": Items("verification", checks),
        "network_transaction_id": record.get("network_transaction_id"),
    }


def card(record: Record, today: date) -> Content:
    """Return what is told of a card wherever one stands: in the vault, in a transaction, in a verification."""
    indicators = {name: "Yes" if name in record["flags"] else "No" for name in _FLAGS}
    return {
        "bin": record["bin"],
        "last_4": record["last_4"],
        "card_type": record["brand"],
        "cardholder_name": record.get("cardholder_name"),
        "customer_location": "US",
        "expiration_month": record["expiration_month"],
        "expiration_year": record["expiration_year"],
        "expired": is_expired(record, today),
        "unique_number_identifier": record["fingerprint"],
        "country_of_issuance": "USA",
        "issuing_bank": "Test Bank",
        "product_id": "F",
        **indicators,
    }


def _paypal(record: Record) -> Content:
    return {
        "email": record["email"],
        "payer_id": record["payer_id"],
        "billing_agreement_id": record["billing_agreement_id"],
        "payer_info": "",
        "funding_source_description": "PayPal",
    }


def _address(record: Record | None) -> Content | None:
    return None if record is None else {name: record.get(name) for name in _ADDRESS}


def verification(record: Record) -> Content:
    """Return a verification of a card."""
    at = instant(record["created_at"])
    return {
        "id": record["id"],
        "global_id": _global_id("verification", record["id"]),
        "status": record["status"],
        "amount": dollars(0),
        "currency_iso_code": CURRENCY,
        "avs_error_response_code": record["avs_error"],
        "avs_postal_code_response_code": record["avs_postal"],
        "avs_street_address_response_code": record["avs_street"],
        "cvv_response_code": record["cvv"],
        "gateway_rejection_reason": record["rejection"],
        "processor_response_code": record["code"],
        "processor_response_text": record["text"],
        "processor_response_type": record["response_type"],
        "network_transaction_id": record["network_transaction_id"],
        "network_response_code": "XX",
        "network_response_text": "sample network response text",
        "merchant_account_id": MERCHANT_ACCOUNT,
        "created_at": at,
        "updated_at": at,
        "credit_card": {"token": record["token"], **card(record["card"], at.date())},
        "billing": _address(record["card"]["billing_address"]),
    }


def transaction(state: State, record: Record) -> Content:
    """Return a transaction in its current state."""
    refunds = [each["id"] for each in state.store.where("transaction", "refunded_transaction_id", record["id"])]
    return {
        **{name: record[name] for name in ("id", "status", "type", "order_id", "refunded_transaction_id", "recurring")},
        "global_id": _global_id("transaction", record["id"]),
        "amount": dollars(record["amount_cents"]),
        "currency_iso_code": CURRENCY,
        "merchant_account_id": MERCHANT_ACCOUNT,
        "created_at": instant(record["created_at"]),
        "updated_at": instant(record["updated_at"]),
        "customer": {"id": record["customer_id"]},
        "billing": {"postal_code": None},
        "shipping": {"postal_code": None},
        **_bank_answer(record),
        **_instrument(state, record),
        "refund_id": refunds[0] if refunds else None,
        "refund_ids": Items("item", refunds),
        "partial_settlement_transaction_ids": Items("item", record["partials"]),
        "retried": False,
        "retry_ids": Items("item"),
        "status_history": Items("status_event", [_event(each) for each in record["history"]]),
        "disputes": Items("dispute", [dispute(each) for each in _disputes(state, record)]),
        "add_ons": Items("add_on"),
        "discounts": Items("discount"),
        "disbursement_details": {"disbursement_date": None},
        "descriptor": {"name": None, "phone": None, "url": None},
        "subscription": {"billing_period_start_date": None, "billing_period_end_date": None},
    }


def _bank_answer(record: Record) -> Content:
    code = record["code"]
    is_declined = record["status"] in {"processor_declined", "failed"}
    return {
        "processor_response_code": record["code"],
        "processor_response_text": record["text"],
        "processor_response_type": record["response_type"],
        "additional_processor_response": f"{code} : {record['text']}" if is_declined else None,
        "voice_referral_number": None,
        "processor_settlement_response_code": record["settlement_code"],
        "processor_settlement_response_text": record["settlement_text"],
        "gateway_rejection_reason": record["rejection"],
        "merchant_advice_code": record["advice_code"],
        "merchant_advice_code_text": _ADVICE.get(record["advice_code"]),
        "network_transaction_id": record["network_transaction_id"],
        "network_response_code": "XX",
        "network_response_text": "sample network response text",
        "processor_authorization_code": record["id"][:6].upper(),
        "cvv_response_code": "I",
        "avs_postal_code_response_code": "I",
        "avs_street_address_response_code": "I",
        "avs_error_response_code": None,
    }


def _instrument(state: State, record: Record) -> Content:
    method = record["method"]
    if method["kind"] == PAYPAL:
        content = {"token": record["method_token"], **_paypal(method), "payer_email": PAYER_EMAIL}
        return {"payment_instrument_type": PAYPAL, "paypal": content, "credit_card": _no_card()}
    content = {"token": record["method_token"], **card(method, state.now().date())}
    return {"payment_instrument_type": CARD, CARD: content}


def _no_card() -> Content:
    names = ("token", "bin", "last_4", "card_type", "expiration_month", "expiration_year")
    return {**dict.fromkeys(names), "expired": False}


def _event(event: Record) -> Content:
    return {
        "status": event["status"],
        "timestamp": instant(event["at"]),
        "amount": dollars(event["amount_cents"]),
        "user": "sandbox",
        "transaction_source": "api",
    }


def _disputes(state: State, record: Record) -> list[Record]:
    return [each for each in state.store.all("dispute") if each["transaction_id"] == record["id"]]


def history(record: Record) -> list[dict[str, Any]]:
    """Return the statuses that a dispute has had, oldest first, each with its instant."""
    found: list[dict[str, Any]] = record.get("history") or [{"status": record["status"], "at": record["updated_at"]}]
    return found


def dispute(record: Record) -> Content:
    """Return a dispute."""
    sale: dict[str, Any] = record["transaction"]
    return {
        **{name: record[name] for name in ("id", "status", "kind", "reason", "reason_code", "case_number")},
        "amount": dollars(record["amount_cents"]),
        "amount_disputed": dollars(record["amount_cents"]),
        "amount_won": dollars(record["amount_cents"] if record["status"] == "won" else 0),
        "currency_iso_code": CURRENCY,
        "merchant_account_id": MERCHANT_ACCOUNT,
        "created_at": instant(record["created_at"]),
        "updated_at": instant(record["updated_at"]),
        "received_date": instant(record["created_at"]).date(),
        "status_history": Items(
            "status_history",
            [
                {
                    "status": each["status"],
                    "timestamp": instant(each["at"]),
                    "effective_date": instant(each["at"]).date(),
                    "disbursement_date": None,
                }
                for each in history(record)
            ],
        ),
        "reply_by_date": date.fromisoformat(record["reply_by"]),
        "transaction": {
            "id": sale["id"],
            "amount": dollars(sale["amount_cents"]),
            "order_id": sale["order_id"],
            "created_at": instant(sale["created_at"]),
            "payment_instrument_subtype": sale["brand"],
        },
    }
