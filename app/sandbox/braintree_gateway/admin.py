"""What staff of the sandbox can do behind the merchant's back: faults, declines, disputes, webhooks and figures."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway import disputes, transactions, wire
from app.sandbox.braintree_gateway.instruments import expiry_of, mint_nonce
from app.sandbox.braintree_gateway.state import stamp
from app.sandbox.braintree_gateway.webhooks import signature_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.sandbox.braintree_gateway.answers import Content
    from app.sandbox.braintree_gateway.gateway import Gateway
    from app.sandbox.braintree_gateway.store import Record

PREFIX = "/__emulator/"


class NoSuchThing(LookupError):
    """What the request names is not here."""


def _get(gateway: Gateway, kind: str, record_id: object) -> Record:
    record = gateway.state.store.get(kind, record_id)
    if record is None:
        raise NoSuchThing(f"there is no {kind} {record_id!r}")
    return record


def health(gateway: Gateway, _body: Content) -> Content:
    """Say who answers and what time it is here."""
    return {"instance": gateway.instance, "now": stamp(gateway.state.now()), "users": gateway.users}


def reset(gateway: Gateway, _body: Content) -> Content:
    """Forget everything."""
    gateway.reset()
    return {}


def settings(gateway: Gateway, body: Content) -> Content:
    """Change settings, if any are given, and return all of them."""
    return gateway.state.change_settings(body) if body else gateway.state.settings()


def faults(gateway: Gateway, body: Content) -> Content:
    """Add the faults given, or none at all, and return those that are still to come."""
    wanted = body.get("faults")
    if wanted is not None:
        gateway.faults.clear()
        for each in wanted:
            gateway.faults.add(**each)
    return {"faults": gateway.faults.pending()}


def force(gateway: Gateway, body: Content) -> Content:
    """Decline sales on a token, on a card's last four digits or on everything (`*`) with a code; none lifts it."""
    store = gateway.state.store
    key, code = str(body["on"]), body.get("code")
    if code is None:
        store.remove("force", key)
    else:
        store.put("force", key, {"id": key, "code": str(code), "times": body.get("times")})
    return {"forces": store.all("force")}


def mint(gateway: Gateway, body: Content) -> Content:
    """Return a nonce for a documented test number."""
    return {"nonce": mint_nonce(gateway.state, body)["nonce"]}


def ledger(gateway: Gateway, _body: Content) -> Content:
    """Return the money by order id: taken, given back, and by which transactions."""
    orders: dict[str, Content] = defaultdict(
        lambda: {"captured_cents": 0, "refunded_cents": 0, "lost_cents": 0, "captures": 0, "transactions": []}
    )
    sale_orders = {each["id"]: str(each["order_id"]) for each in gateway.state.store.all("transaction")}
    for record in gateway.state.store.all("transaction"):
        own = sale_orders.get(record["refunded_transaction_id"] or "", str(record["order_id"]))
        order = orders[own]
        order["transactions"].append({name: record[name] for name in ("id", "type", "status", "amount_cents")})
        if record["status"] in transactions.TAKEN:
            taken = "captured_cents" if record["type"] == "sale" else "refunded_cents"
            order[taken] += record["amount_cents"]
            order["captures"] += record["type"] == "sale"
    for record in gateway.state.store.all("dispute"):
        if record["status"] == "lost":
            orders[sale_orders[record["transaction_id"]]]["lost_cents"] += record["amount_cents"]
    return {"orders": orders}


def settle(gateway: Gateway, body: Content) -> Content:
    """Settle a transaction, or everything that was submitted, now; `status` may be another end of settlement."""
    store, status = gateway.state.store, body.get("status", transactions.SETTLED)
    if "transaction_id" in body:
        chosen = [_get(gateway, "transaction", body["transaction_id"])]
    else:
        chosen = [each for each in store.all("transaction") if each["status"] == transactions.SUBMITTED]
    for record in chosen:
        transactions.finish(gateway.state, record, status)
        if body.get("tells"):
            kind = "transaction_settled" if status == transactions.SETTLED else f"transaction_{status}"
            gateway.webhooks.of_transaction(kind, record)
    return {"transactions": [each["id"] for each in chosen]}


def dispute(gateway: Gateway, body: Content) -> Content:
    """Open a dispute of a transaction, or bring one into another status, and tell of it."""
    state = gateway.state
    if body.get("status", "open") not in disputes.STATUSES:
        raise NoSuchThing(f"no dispute is ever {body['status']!r}")
    if "dispute_id" in body:
        record = disputes.change(state, _get(gateway, "dispute", body["dispute_id"]), body["status"])
    else:
        sale = _get(gateway, "transaction", body["transaction_id"])
        record = disputes.open_dispute(state, sale, body.get("amount_cents"), body.get("reason", "fraud"))
        status = body.get("status", "open")
        record = record if status == "open" else disputes.change(state, record, status)
    webhook = gateway.webhooks.of_dispute(record)
    return {"dispute_id": record["id"], "webhook_id": webhook["id"]}


def revoke(gateway: Gateway, body: Content) -> Content:
    """Take back the agreement behind a PayPal account, as its payer would, and tell of it."""
    method = _get(gateway, "method", body["token"])
    if method["kind"] != wire.PAYPAL:
        raise NoSuchThing("only a PayPal account can be revoked")
    method["revoked_at"] = stamp(gateway.state.now())
    gateway.state.store.put("method", method["token"], method)
    return {"webhook_id": gateway.webhooks.of_revoked(method)["id"]}


def update_card(gateway: Gateway, body: Content) -> Content:
    """Change a card as its bank would: dates and last digits, or its closing; and tell of it, unless told not to."""
    method = _get(gateway, "method", body["token"])
    month, year = expiry_of(gateway.state, {**method, **body})
    method |= {"expiration_month": month, "expiration_year": year, "last_4": str(body.get("last_4", method["last_4"]))}
    method["updated_at"] = stamp(gateway.state.now())
    gateway.state.store.put("method", method["token"], method)
    if body.get("is_silent"):
        return {"webhook_id": None}
    return {"webhook_id": gateway.webhooks.of_updated_cards()["id"]}


def webhook(gateway: Gateway, body: Content) -> Content:
    """Write a webhook of any kind about a transaction, or about nothing; return one by `id`, or all."""
    if "id" in body:
        payload = _get(gateway, "webhook", body["id"])["payload"]
        return {"bt_signature": signature_of(payload), "bt_payload": payload}
    if "kind" not in body:
        return {"webhooks": gateway.state.store.all("webhook")}
    if "transaction_id" in body:
        record = _get(gateway, "transaction", body["transaction_id"])
        return {"webhook_id": gateway.webhooks.of_transaction(body["kind"], record)["id"]}
    return {"webhook_id": gateway.webhooks.tell(body["kind"], body.get("subject", {"check": True}))["id"]}


def deliver(gateway: Gateway, body: Content) -> Content:
    """Send webhooks now: `ids` in their order (all if left out), `copies` of each, `reversed`, `tamper` with them."""
    with gateway.state.lock:
        store = gateway.state.store
        ids = body.get("ids")
        records = store.all("webhook") if ids is None else [_get(gateway, "webhook", each) for each in ids]
        url = body.get("url") or gateway.state.setting("webhook_url")
    if not url:
        raise NoSuchThing("no address is set: give `url`, or set `webhook_url`")
    ordered = list(reversed(records)) if body.get("reversed") else records
    sends = [record for record in ordered for _ in range(body.get("copies", 1))]
    return {"statuses": [gateway.webhooks.send(record, url, body.get("tamper")) for record in sends]}


def stop(gateway: Gateway, _body: Content) -> Content:
    """End the gateway's process, once this is answered."""
    gateway.stopping.set()
    return {}


ROUTES: dict[str, Callable[[Gateway, Any], Content]] = {
    "health": health,
    "reset": reset,
    "settings": settings,
    "faults": faults,
    "force": force,
    "nonces": mint,
    "ledger": ledger,
    "settle": settle,
    "dispute": dispute,
    "revoke": revoke,
    "update-card": update_card,
    "webhooks": webhook,
    "stop": stop,
}
UNLOCKED_ROUTES: dict[str, Callable[[Gateway, Any], Content]] = {"deliver": deliver}
"""What waits for others, and so must not hold the lock: whoever gets a webhook asks us about its subject."""


def administer(gateway: Gateway, name: str, body: Content) -> Content:
    """Do what staff asks.

    :raises NoSuchThing: when it is nothing that we do, or about nothing that we have.
    """
    if name in UNLOCKED_ROUTES:
        return UNLOCKED_ROUTES[name](gateway, body)
    if name not in ROUTES:
        raise NoSuchThing(f"there is no {name!r}")
    with gateway.state.lock:
        gateway.settle_due()
        content = ROUTES[name](gateway, body)
        gateway.state.store.commit()
    return content
