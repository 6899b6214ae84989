"""Disputes of sales, and the outcome of cards and PayPal agreements outside our doing."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import wire
from app.sandbox.braintree_gateway.answers import NOT_FOUND, Answer
from app.sandbox.braintree_gateway.codec import Collection
from app.sandbox.braintree_gateway.search import DISPUTE_FIELDS, PAGE_SIZE
from app.sandbox.braintree_gateway.search import find as find_records
from app.sandbox.braintree_gateway.state import stamp

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.answers import Content
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

REPLY_WITHIN = timedelta(days=14)
STATUSES = frozenset({"open", "won", "lost", "disputed", "under_review", "accepted", "expired"})


def find(state: State, dispute_id: str) -> Answer:
    """Return a dispute."""
    record = state.store.get("dispute", dispute_id)
    return NOT_FOUND if record is None else Answer(200, "dispute", wire.dispute(record))


def search(state: State, criteria: Content, page: int) -> Answer:
    """Return a page of the disputes that meet every criterion, with how many there are in all."""
    found = find_records(state.store.all("dispute"), DISPUTE_FIELDS, criteria)
    head = {"current_page_number": page, "page_size": PAGE_SIZE, "total_items": len(found)}
    shown = [wire.dispute(each) for each in found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
    return Answer(200, "disputes", Collection("dispute", shown, head))


def open_dispute(state: State, sale: Record, amount_cents: int | None = None, reason: str = "fraud") -> Record:
    """Open a dispute of a sale, of its whole amount unless told, and return it."""
    dispute_id = state.new_id()
    now = state.now()
    record = {
        "id": dispute_id,
        "status": "open",
        "kind": "chargeback",
        "reason": reason,
        "reason_code": "83",
        "case_number": f"CB{dispute_id.upper()}",
        "amount_cents": amount_cents or sale["amount_cents"],
        "created_at": stamp(now),
        "updated_at": stamp(now),
        "history": [{"status": "open", "at": stamp(now)}],
        "reply_by": (now + REPLY_WITHIN).date().isoformat(),
        "transaction_id": sale["id"],
        "transaction": {
            **{name: sale[name] for name in ("id", "amount_cents", "order_id", "created_at")},
            "brand": sale["method"].get("brand"),
        },
    }
    return state.store.put("dispute", dispute_id, record)


def change(state: State, record: Record, status: str) -> Record:
    """Bring a dispute into another status and return it."""
    now = stamp(state.now())
    record |= {"status": status, "updated_at": now, "history": [*wire.history(record), {"status": status, "at": now}]}
    return state.store.put("dispute", record["id"], record)
