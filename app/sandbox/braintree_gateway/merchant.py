"""The routes of a merchant, and request keys: the same key with the same request changes nothing more."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from app.sandbox.braintree_gateway import disputes, search, tokens, transactions, vault, wire
from app.sandbox.braintree_gateway.answers import NOT_FOUND, Answer, Content, Invalid, invalid, refused, unsuccessful
from app.sandbox.braintree_gateway.instruments import card_of, nonce_of
from app.sandbox.braintree_gateway.state import instant, stamp

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.sandbox.braintree_gateway.state import State

KEYS_LIVE = timedelta(days=30)
LONGEST_KEY = 255


@dataclass(slots=True)
class Call:
    """One request of the SDK: what it does, on which id, with which parameters."""

    operation: str
    subject_id: str
    params: Content
    body: Content
    path: str
    page: int = 1
    claimed_key: str | None = None


def _by_subject(handle: Callable[[State, str], Answer]) -> Callable[[State, Call], Answer]:
    return lambda state, call: handle(state, call.subject_id)


def _by_params(handle: Callable[[State, Content], Answer]) -> Callable[[State, Call], Answer]:
    return lambda state, call: handle(state, call.params)


def _by_both(handle: Callable[[State, str, Content], Answer]) -> Callable[[State, Call], Answer]:
    return lambda state, call: handle(state, call.subject_id, call.params)


def _on_transaction(handle: Callable[[State, Any, Content], Answer]) -> Callable[[State, Call], Answer]:
    def find_and_handle(state: State, call: Call) -> Answer:
        record = state.store.get("transaction", call.subject_id)
        return NOT_FOUND if record is None else handle(state, record, call.params)

    return find_and_handle


def _settled_as(status: str) -> Callable[[State, Call], Answer]:
    return _on_transaction(lambda state, record, _params: transactions.settle(state, record, status))


def _verify(state: State, call: Call) -> Answer:
    nonce, card = call.params.get("payment_method_nonce"), call.params.get("credit_card") or {}
    where = "verification"
    found = nonce_of(state, nonce, where=where)["card"] if nonce else card_of(state, str(card.get("number")), card)
    record = vault.verify(state, found)
    content = wire.verification(record)
    if record["status"] == "verified":
        return Answer(201, "verification", content)
    return unsuccessful("verification", content, record["text"] or "Gateway Rejected", call.params)


_ID = r"(?P<id>[A-Za-z0-9_-]+)"
_KIND = "(?:any|credit_card|paypal_account)"

_ROUTES: list[tuple[str, str, str, Callable[[State, Call], Answer]]] = [
    ("client_token", "POST", "/client_token", _by_params(tokens.client_token)),
    ("create_customer", "POST", "/customers", _by_params(vault.create_customer)),
    ("find_customer", "GET", f"/customers/{_ID}", _by_subject(vault.find_customer)),
    ("update_customer", "PUT", f"/customers/{_ID}", _by_both(vault.update_customer)),
    ("delete_customer", "DELETE", f"/customers/{_ID}", _by_subject(vault.delete_customer)),
    ("vault", "POST", "/payment_methods", _by_params(vault.create_method)),
    (
        "find_method",
        "GET",
        f"/payment_methods/{_KIND}/{_ID}",
        _by_subject(vault.find_method),
    ),
    (
        "update_method",
        "PUT",
        f"/payment_methods/{_KIND}/{_ID}",
        _by_both(vault.update_method),
    ),
    (
        "delete_method",
        "DELETE",
        f"/payment_methods/{_KIND}/{_ID}",
        _by_subject(vault.delete_method),
    ),
    ("create_nonce", "POST", f"/payment_methods/{_ID}/nonces", _by_both(tokens.nonce_for_method)),
    ("find_nonce", "GET", f"/payment_method_nonces/{_ID}", _by_subject(tokens.find_nonce)),
    ("verify", "POST", "/verifications", _verify),
    ("find_verification", "GET", f"/verifications/{_ID}", _by_subject(vault.find_verification)),
    ("sale", "POST", "/transactions", _by_params(transactions.create)),
    ("find_transaction", "GET", f"/transactions/{_ID}", _by_subject(transactions.find)),
    ("void", "PUT", f"/transactions/{_ID}/void", _on_transaction(transactions.void)),
    ("refund", "POST", f"/transactions/{_ID}/refund", _on_transaction(transactions.refund)),
    ("reverse", "POST", f"/transactions/{_ID}/reverse", _on_transaction(transactions.reverse)),
    ("submit", "PUT", f"/transactions/{_ID}/submit_for_settlement", _on_transaction(transactions.submit)),
    ("submit", "POST", f"/transactions/{_ID}/submit_for_partial_settlement", _on_transaction(transactions.submit_part)),
    ("settle", "PUT", f"/transactions/{_ID}/settle", _settled_as(transactions.SETTLED)),
    ("settle", "PUT", f"/transactions/{_ID}/settlement_confirm", _settled_as("settlement_confirmed")),
    ("settle", "PUT", f"/transactions/{_ID}/settlement_decline", _settled_as(transactions.SETTLEMENT_DECLINED)),
    ("settle", "PUT", f"/transactions/{_ID}/settlement_pending", _settled_as(transactions.PENDING)),
    ("find_dispute", "GET", f"/disputes/{_ID}", _by_subject(disputes.find)),
    (
        "search_disputes",
        "POST",
        "/disputes/advanced_search",
        lambda state, call: disputes.search(state, call.params, call.page),
    ),
    (
        "search_ids",
        "POST",
        "/transactions/advanced_search_ids",
        lambda state, call: search.search_ids(search.find_transactions(state, call.params)),
    ),
    ("search", "POST", "/transactions/advanced_search", _by_params(search.transactions_page)),
    (
        "search_verification_ids",
        "POST",
        "/verifications/advanced_search_ids",
        lambda state, call: search.search_ids(
            search.find(state.store.all("verification"), search.VERIFICATION_FIELDS, call.params)
        ),
    ),
    ("search_verifications", "POST", "/verifications/advanced_search", _by_params(search.verifications_page)),
    (
        "search_customer_ids",
        "POST",
        "/customers/advanced_search_ids",
        lambda state, call: search.search_ids(
            search.find(state.store.all("customer"), search.CUSTOMER_FIELDS, call.params)
        ),
    ),
    ("search_customers", "POST", "/customers/advanced_search", _by_params(search.customers_page)),
]
_COMPILED = [(operation, verb, re.compile(path), handle) for operation, verb, path, handle in _ROUTES]
_KEYED = frozenset({"sale", "void", "refund", "reverse", "submit"})


def recognise(verb: str, path: str, body: Content) -> tuple[Call, Callable[[State, Call], Answer]] | None:
    """Return what a request asks for and who answers it, or None when no route is like it."""
    path, _, query = path.partition("?")
    for operation, wanted, pattern, handle in _COMPILED:
        found = pattern.fullmatch(path)
        if verb == wanted and found is not None:
            params = next(iter(body.values()), None)
            given = params if isinstance(params, dict) else {}
            return Call(operation, found.groupdict().get("id", ""), given, body, path, _page(query)), handle
    return None


def _page(query: str) -> int:
    """Return which page of a search is asked for, the first unless told."""
    asked = parse_qs(query).get("page", ["1"])[-1]
    return int(asked) if asked.isascii() and asked.isdigit() and int(asked) > 0 else 1


def claim_key(state: State, call: Call) -> Answer | None:
    """Take the request key for this call; returns what it gets instead of being carried out, if so."""
    key = call.params.get("api_request_key") if call.operation in _KEYED else None
    if not key:
        return None
    try:
        return _claim(state, call, str(key))
    except Invalid as error:
        return refused(error, call.params)


def _claim(state: State, call: Call, key: str) -> Answer | None:
    where, attribute = "transaction", "api_request_key"
    if not state.setting("request_keys"):
        raise invalid(where, "915231", attribute, "API request key is not allowed.")
    if len(key) > LONGEST_KEY:
        raise invalid(where, "915230", attribute, "API request key is too long.")
    known = state.store.get("request_key", key)
    if known is not None and instant(known["at"]) + KEYS_LIVE < state.now():
        known = None
    if known is None:
        state.store.put(
            "request_key", key, {"id": key, "print": _print(call), "at": stamp(state.now()), "transaction_id": None}
        )
        call.claimed_key = key
        return None
    if known["print"] != _print(call):
        raise invalid(where, "915232", attribute, "API request key can be reused only with the same request.")
    if known["transaction_id"] is None:
        raise invalid(where, "915233", attribute, "A request with this API request key is in flight.")
    return transactions.tell(state, known["transaction_id"])


def _print(call: Call) -> str:
    return hashlib.sha256(f"{call.path} {json.dumps(call.body, sort_keys=True, default=str)}".encode()).hexdigest()


def release_key(state: State, call: Call) -> None:
    """Give back the request key of a call that was never carried out."""
    if call.claimed_key is not None:
        state.store.remove("request_key", call.claimed_key)


def without_key(call: Call) -> Call:
    """Return the same call as it is when it carries no request key."""
    return replace(call, params={**call.params, "api_request_key": None}, claimed_key=None)


def carry_out(state: State, call: Call, handle: Callable[[State, Call], Answer]) -> Answer:
    """Do what is asked; what fails validation changes nothing and keeps no request key."""
    try:
        answer = handle(state, call)
    except Invalid as error:
        release_key(state, call)
        return refused(error, call.params)
    if call.claimed_key is not None:
        _keep_result(state, call.claimed_key, answer)
    return answer


def _keep_result(state: State, key: str, answer: Answer) -> None:
    content = answer.content if answer.root == "transaction" else (answer.content or {}).get("transaction")
    record = state.store.get("request_key", key)
    if content is None or record is None:
        state.store.remove("request_key", key)
    else:
        state.store.put("request_key", key, {**record, "transaction_id": content["id"]})
