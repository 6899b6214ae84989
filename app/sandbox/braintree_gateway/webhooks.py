"""Webhooks: written and signed when something happens, delivered to the address of the settings, and kept, so that
they can be sent again, twice, in another order or forged.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import queue
import threading
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

from app.sandbox.braintree_gateway import wire
from app.sandbox.braintree_gateway.codec import encode
from app.sandbox.braintree_gateway.state import MERCHANT_ID, PRIVATE_KEY, PUBLIC_KEY, stamp

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.answers import Content
    from app.sandbox.braintree_gateway.state import State
    from app.sandbox.braintree_gateway.store import Record

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
TIMEOUT_SECONDS = 10.0
RETRY_AFTER_SECONDS = (1.0, 2.0, 4.0, 8.0, 15.0)
REVOKED, UPDATED = "payment_method_revoked_by_customer", "account_updater_daily_report"


class DeliveryRefused(ValueError):
    """The address is not on this machine; nothing was sent."""


def signature_of(payload: str, *, key: str = PRIVATE_KEY) -> str:
    """Return what the SDK checks: our public key, and the keyed hash of the payload."""
    secret = hashlib.sha1(key.encode()).digest()  # noqa: S324  (the vendor's way)
    return f"{PUBLIC_KEY}|{hmac.new(secret, payload.encode(), hashlib.sha1).hexdigest()}"


class Webhooks:
    """Writes webhooks and delivers them in a thread of its own, in order, again when nobody takes them."""

    def __init__(self, state: State, stopping: threading.Event) -> None:
        self._state = state
        self._stopping = stopping
        self._waiting: queue.Queue[str] = queue.Queue()
        self._courier: threading.Thread | None = None

    def tell(self, kind: str, subject: Content) -> Record:
        """Write a webhook and, when an address is set, have it delivered. The caller holds the lock."""
        state = self._state
        webhook_id = state.new_id()
        content = {
            "kind": kind,
            "timestamp": state.now(),
            "source_merchant_id": MERCHANT_ID,
            "subject": subject,
        }
        payload = base64.encodebytes(encode("notification", content)).decode()
        record = {"id": webhook_id, "kind": kind, "at": stamp(state.now()), "payload": payload, "deliveries": []}
        state.store.put("webhook", webhook_id, record)
        if state.setting("webhook_url"):
            self._waiting.put(webhook_id)
            self._start_courier()
        return record

    def of_dispute(self, record: Record) -> Record:
        """Tell of a dispute as it now stands."""
        kind = {"open": "dispute_opened"}.get(record["status"], f"dispute_{record['status']}")
        return self.tell(kind, {"dispute": wire.dispute(record)})

    def of_transaction(self, kind: str, record: Record) -> Record:
        """Tell of a transaction."""
        return self.tell(kind, {"transaction": wire.transaction(self._state, record)})

    def of_revoked(self, method: Record) -> Record:
        """Tell that a payer has taken back their agreement."""
        return self.tell(REVOKED, {method["kind"]: wire.method_content(self._state, method)})

    def of_updated_cards(self) -> Record:
        """Tell that banks have changed cards: a report's date and address, as the gateway does it."""
        report = {"report_date": self._state.now().date(), "report_url": f"{self._state.base_url}/report.csv"}
        return self.tell(UPDATED, {UPDATED: report})

    def send(self, record: Record, url: str, tamper: str | None = None) -> int:
        """Deliver one webhook now and return the status of the answer, 0 when there was none.

        `tamper` spoils it on the way: its payload, its signature, or the key that it is signed with.

        :raises DeliveryRefused: when the address is not on this machine.
        """
        payload = record["payload"]
        signature = signature_of(payload, key="another_key" if tamper == "key" else PRIVATE_KEY)
        if tamper == "payload":
            payload = base64.encodebytes(base64.b64decode(payload).replace(b"<kind>", b"<kind>x")).decode()
        elif tamper == "signature":
            signature = signature[:-1] + ("0" if signature[-1] != "0" else "1")
        status = _post(url, urlencode({"bt_signature": signature, "bt_payload": payload}))
        with self._state.lock:
            record["deliveries"].append({"url": url, "status": status})
            self._state.store.put("webhook", record["id"], record)
            self._state.store.commit()
        return status

    def _start_courier(self) -> None:
        if self._courier is None:
            self._courier = threading.Thread(target=self._deliver_waiting, name="webhooks", daemon=True)
            self._courier.start()

    def _deliver_waiting(self) -> None:
        while not self._stopping.is_set():
            try:
                webhook_id = self._waiting.get(timeout=1.0)
            except queue.Empty:
                continue
            self._deliver(webhook_id)

    def _deliver(self, webhook_id: str) -> None:
        for pause in (0.0, *RETRY_AFTER_SECONDS):
            if self._stopping.wait(pause):
                return
            with self._state.lock:
                record, url = self._state.store.get("webhook", webhook_id), self._state.setting("webhook_url")
            if record is None or not url:
                return
            if 200 <= self.send(record, url) < 300:
                return


def _post(url: str, form: str) -> int:
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise DeliveryRefused(f"webhooks go to this machine alone, not to {parts.hostname}")
    connection = http.client.HTTPConnection(parts.hostname, parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        connection.request("POST", parts.path or "/", form, headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
