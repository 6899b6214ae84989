"""Sales, credits, voids and refunds, and how they settle as time goes by."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import declines, documented, wire
from app.sandbox.braintree_gateway.answers import NOT_FOUND, Answer, Content, invalid, unsuccessful
from app.sandbox.braintree_gateway.instruments import card_of, nonce_of, spend
from app.sandbox.braintree_gateway.state import instant, network_id, stamp

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.declines import Outcome
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

SUBMITTED, SETTLING, SETTLED, VOIDED = "submitted_for_settlement", "settling", "settled", "voided"
PENDING, SETTLEMENT_DECLINED = "settlement_pending", "settlement_declined"
VOIDABLE = frozenset({declines.AUTHORIZED, SUBMITTED, PENDING})
TAKEN = frozenset({SUBMITTED, SETTLING, SETTLED, PENDING})
"""The statuses in which money was taken, or given back."""

_AMOUNT = re.compile(r"-?\d{1,12}(?:\.\d{1,2})?", re.ASCII)
_LARGEST_CENTS = 99_999_999_99
_LONGEST_ORDER_ID = 255
_CENT_PLACES = 2


def create(state: State, params: Content) -> Answer:
    """Take money, or promise to; a credit gives it without a sale before it."""
    kind = params.get("type") or "sale"
    amount_cents = _amount(params)
    order_id = _order_id(params)
    method = _method(state, params)
    outcome = declines.APPROVED if kind == "credit" else _outcome(state, params, method, amount_cents, order_id)
    record = _new(state, kind, amount_cents, order_id, method, outcome)
    record["recurring"] = str(params.get("transaction_source") or "").startswith("recurring")
    submits = kind == "credit" or (params.get("options") or {}).get("submit_for_settlement")
    if outcome.status == declines.AUTHORIZED and submits:
        _submit(state, record)
    return _told(state, _put(state, record), params)


def _told(state: State, record: Record, params: Content, status: int = 201) -> Answer:
    content = wire.transaction(state, record)
    if record["status"] in {declines.DECLINED, declines.FAILED, declines.REJECTED}:
        message = record["text"] or f"Gateway Rejected: {record['rejection']}"
        return unsuccessful("transaction", content, message, params)
    return Answer(status, "transaction", content)


def tell(state: State, transaction_id: str) -> Answer:
    """Return a transaction as its creation would be answered now: what a repeated request key gets."""
    record = state.store.get("transaction", transaction_id)
    return NOT_FOUND if record is None else _told(state, record, {}, status=200)


def find(state: State, transaction_id: str) -> Answer:
    """Return a transaction, however it ended."""
    record = state.store.get("transaction", transaction_id)
    return NOT_FOUND if record is None else Answer(200, "transaction", wire.transaction(state, record))


def _amount(params: Content, *, default: int | None = None) -> int:
    text = params.get("amount")
    if text in {None, ""}:
        if default is None:
            raise invalid("transaction", "81502", "amount", "Amount is required.")
        return default
    if not _AMOUNT.fullmatch(str(text)):
        raise invalid("transaction", "81503", "amount", "Amount is an invalid format.")
    cents = int(Decimal(str(text)).scaleb(_CENT_PLACES))
    if cents < 0:
        raise invalid("transaction", "81501", "amount", "Amount cannot be negative.")
    if cents == 0:
        raise invalid("transaction", "81531", "amount", "Amount must be greater than zero.")
    if cents > _LARGEST_CENTS:
        raise invalid("transaction", "81528", "amount", "Amount is too large.")
    return cents


def _order_id(params: Content) -> str | None:
    order_id = params.get("order_id") or None
    if order_id is not None and len(order_id) > _LONGEST_ORDER_ID:
        raise invalid("transaction", "91501", "order_id", "Order ID is too long.")
    return order_id


def _method(state: State, params: Content) -> Record:
    """Return what is charged, with `token` and `customer_id` when it comes from the vault."""
    token, customer_id = params.get("payment_method_token"), params.get("customer_id")
    if token:
        record = state.store.get("method", token)
        if record is None:
            raise invalid("transaction", "91518", "payment_method_token", "Payment method token is invalid.")
        if customer_id and customer_id != record["customer_id"]:
            raise invalid("transaction", "91516", "base", "Cannot find payment method for this customer.")
        return record
    if params.get("payment_method_nonce"):
        nonce = nonce_of(state, params["payment_method_nonce"], where="transaction", unknown="91565", consumed="91564")
        spend(state, nonce)
        one_time = {"kind": wire.PAYPAL, "email": "jane.doe@paypal.com", "payer_id": "P", "billing_agreement_id": None}
        return nonce.get("card") or one_time
    if params.get("credit_card"):
        card = params["credit_card"]
        return card_of(state, str(card.get("number") or ""), card)
    if customer_id:
        customer = state.store.get("customer", customer_id)
        if customer is None:
            raise invalid("transaction", "91510", "customer_id", "Customer ID is invalid.")
        method = state.store.get("method", customer["default_token"])
        if method is not None:
            return method
        raise invalid("transaction", "91511", "customer_id", "Customer does not have any credit cards.")
    raise invalid("transaction", "91508", "base", "Cannot determine payment method.")


def _outcome(state: State, params: Content, method: Record, amount_cents: int, order_id: str | None) -> Outcome:
    if not params.get("api_request_key") and _is_duplicate(state, method, amount_cents, order_id):
        return declines.rejected("duplicate")
    force = _forced(state, method)
    return _by_rules(state, method, amount_cents) if force is None else declines.forced(force)


def _by_rules(state: State, method: Record, amount_cents: int) -> Outcome:
    if method["kind"] == wire.PAYPAL and method.get("revoked_at"):
        return declines.declined(declines.REVOKED_CODE)
    if method.get("verdict") == documented.FRAUD:
        return declines.rejected("fraud")
    is_card = method["kind"] == wire.CARD
    if is_card and state.setting("enforce_expiry") and wire.is_expired(method, state.now().date()):
        return declines.declined(declines.EXPIRED_CODE)
    if state.setting("amount_rules"):
        return declines.outcome_of_amount(amount_cents, is_paypal=not is_card)
    return declines.APPROVED


def _is_duplicate(state: State, method: Record, amount_cents: int, order_id: str | None) -> bool:
    """Tell whether the first of two equal sales went well a moment ago; one still under way is not seen."""
    window = timedelta(seconds=state.setting("duplicate_window_seconds"))
    if not window:
        return False
    since = state.now() - window
    same = _same_method(method)
    return any(
        each["amount_cents"] == amount_cents
        and each["type"] == "sale"
        and each["status"] in VOIDABLE | TAKEN
        and _same_method(each["method"]) == same
        and instant(each["created_at"]) > since
        for each in reversed(state.store.where("transaction", "order_id", order_id))
    )


def _same_method(method: Record) -> tuple[object, ...]:
    if method["kind"] == wire.PAYPAL:
        return (method["email"],)
    return (method["fingerprint"], method["expiration_month"], method["expiration_year"])


def _forced(state: State, method: Record) -> str | None:
    """Return the decline that staff of the sandbox asked for on a token or on a card's last digits, and count it."""
    for key in (method.get("token"), method.get("last_4"), "*"):
        record = state.store.get("force", key) if key else None
        if record is None:
            continue
        if record["times"] is not None:
            record["times"] -= 1
            if record["times"] <= 0:
                state.store.remove("force", record["id"])
            else:
                state.store.put("force", record["id"], record)
        return str(record["code"])
    return None


def _new(state: State, kind: str, amount_cents: int, order_id: str | None, method: Record, outcome: Outcome) -> Record:
    transaction_id, now = state.new_id(), stamp(state.now())
    is_mastercard = method.get("brand") == documented.MASTERCARD
    advice = declines.advice(outcome) if is_mastercard else None
    record: Record = {
        "id": transaction_id,
        "type": kind,
        "status": outcome.status,
        "amount_cents": amount_cents,
        "order_id": order_id,
        "customer_id": method.get("customer_id"),
        "method_token": method.get("token"),
        "method": {name: value for name, value in method.items() if name != "billing_address"},
        "created_at": now,
        "updated_at": now,
        "code": outcome.code,
        "text": outcome.text,
        "response_type": outcome.kind,
        "rejection": outcome.rejection,
        "advice_code": advice,
        "settles_as": outcome.settles_as,
        "settlement_code": None,
        "settlement_text": None,
        "network_transaction_id": network_id(transaction_id) if outcome.status == declines.AUTHORIZED else None,
        "refunded_transaction_id": None,
        "partials": [],
        "recurring": False,
        "history": [],
    }
    move(state, record, outcome.status)
    return record


def move(state: State, record: Record, status: str) -> None:
    """Bring a transaction into a status, and write that down."""
    now = stamp(state.now())
    record["status"], record["updated_at"] = status, now
    record["history"].append({"status": status, "at": now, "amount_cents": record["amount_cents"]})
    if status in {SUBMITTED, SETTLING}:
        due = instant(now) + timedelta(seconds=state.setting("settle_after_seconds"))
        state.store.put("unsettled", record["id"], {"due_at": stamp(due)})
    else:
        state.store.remove("unsettled", record["id"])


def _put(state: State, record: Record) -> Record:
    return state.store.put("transaction", record["id"], record)


def _submit(state: State, record: Record) -> None:
    """Take what is authorized. PayPal's money moves at once, so it cannot be voided any more."""
    move(state, record, SETTLING if record["method"]["kind"] == wire.PAYPAL else SUBMITTED)


def submit(state: State, record: Record, params: Content) -> Answer:
    """Take what was only authorized, or a part of it."""
    if record["status"] != declines.AUTHORIZED:
        raise invalid("transaction", "91507", "base", "Cannot submit for settlement unless status is authorized.")
    amount_cents = _amount(params, default=record["amount_cents"])
    if amount_cents > record["amount_cents"]:
        raise invalid("transaction", "91522", "amount", "Settlement amount cannot be more than the authorized amount.")
    record["amount_cents"] = amount_cents
    record["order_id"] = _order_id(params) or record["order_id"]
    _submit(state, record)
    return _told(state, _put(state, record), params, 200)


def submit_part(state: State, record: Record, params: Content) -> Answer:
    """Take a part of what was authorized, as a transaction of its own."""
    if record["status"] not in {declines.AUTHORIZED, "settlement_pending"}:
        raise invalid("transaction", "91507", "base", "Cannot submit for settlement unless status is authorized.")
    amount_cents = _amount(params)
    part = _new(state, "sale", amount_cents, params.get("order_id") or record["order_id"], record["method"],
                declines.APPROVED)  # fmt: skip
    move(state, part, SUBMITTED)
    record["partials"] = [*record["partials"], part["id"]]
    _put(state, record)
    return _told(state, _put(state, part), params)


def void(state: State, record: Record, params: Content) -> Answer:
    """Take back what is not settled."""
    if record["status"] not in VOIDABLE:
        message = "Transaction can only be voided if status is authorized, submitted_for_settlement, or pending."
        raise invalid("transaction", "91504", "base", message)
    move(state, record, VOIDED)
    return _told(state, _put(state, record), params, 200)


def refund(state: State, record: Record, params: Content) -> Answer:
    """Give back a settled sale, the whole rest or a part of it."""
    if record["type"] == "credit":
        raise invalid("transaction", "91505", "base", "Cannot refund credit.")
    if record["status"] not in {SETTLED, SETTLING}:
        raise invalid("transaction", "91506", "base", "Cannot refund transaction unless it is settled.")
    left = record["amount_cents"] - refunded_cents(state, record)
    if left <= 0:
        raise invalid("transaction", "91512", "base", "Transaction has already been completely refunded.")
    amount_cents = _amount(params, default=left)
    if amount_cents > left:
        raise invalid("transaction", "91521", "amount", "Refund amount cannot be more than the authorized amount.")
    order_id = params.get("order_id") or record["order_id"]
    outcome = _outcome_of_refund(state, amount_cents)
    given = _new(state, "credit", amount_cents, order_id, record["method"], outcome)
    given["refunded_transaction_id"] = record["id"]
    if outcome.status == declines.AUTHORIZED:
        move(state, given, SUBMITTED)
    return _told(state, _put(state, given), params)


def _outcome_of_refund(state: State, amount_cents: int) -> Outcome:
    """Return how a refund ends: a bank that declines it for good is believed, any other is overruled."""
    outcome = declines.APPROVED
    if state.setting("amount_rules"):
        outcome = declines.outcome_of_amount(amount_cents, is_paypal=False)
    return outcome if outcome.kind == declines.HARD else declines.APPROVED


def reverse(state: State, record: Record, params: Content) -> Answer:
    """Void what can be voided, and refund what cannot."""
    return void(state, record, params) if record["status"] in VOIDABLE else refund(state, record, params)


def refunded_cents(state: State, record: Record) -> int:
    """Return how much of a sale was given back or is about to be."""
    refunds = state.store.where("transaction", "refunded_transaction_id", record["id"])
    return sum(each["amount_cents"] for each in refunds if each["status"] in TAKEN)


def settle(state: State, record: Record, status: str) -> Answer:
    """Bring a transaction to a status of settlement at once, as only a sandbox can."""
    if record["status"] not in {SUBMITTED, SETTLING, PENDING, SETTLED}:
        raise invalid("transaction", "91575", "base", "Cannot transition transaction to that status.")
    finish(state, record, status)
    return _told(state, record, {}, 200)


def finish(state: State, record: Record, status: str) -> None:
    """Settle a transaction, or let its settlement be declined or pending."""
    if status == SETTLED and record["status"] != SETTLING:
        move(state, record, SETTLING)
    if status == SETTLEMENT_DECLINED:
        record["settlement_code"], record["settlement_text"] = "4001", "Settlement Declined"
    elif status == PENDING:
        record["settlement_code"], record["settlement_text"] = "4002", "Settlement Pending"
    else:
        record["settlement_code"], record["settlement_text"] = "4000", "Confirmed"
    move(state, record, status)
    _put(state, record)


def settle_due(state: State) -> list[Record]:
    """Settle what was submitted long enough ago, and return it."""
    done = []
    for each, due_at in [(key, record["due_at"]) for key, record in state.store.items("unsettled")]:
        if instant(due_at) > state.now():
            continue
        record = state.store.get("transaction", each)
        state.store.remove("unsettled", each)
        if record is not None and record["status"] in {SUBMITTED, SETTLING}:
            finish(state, record, record["settles_as"])
            done.append(record)
    return done
