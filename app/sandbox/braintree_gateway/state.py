"""One merchant's gateway: its memory, its clock, its settings, and the identifiers that it gives out."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from app.sandbox.braintree_gateway.codec import parse_time

if TYPE_CHECKING:
    from app.sandbox.braintree_gateway.store import Record, Store

MERCHANT_ID = "integration_merchant_id"
PUBLIC_KEY = "integration_public_key"
PRIVATE_KEY = "integration_private_key"
MERCHANT_ACCOUNT = "sandbox_credit_card"
CURRENCY = "USD"

DEFAULTS: dict[str, Any] = {
    "request_keys": True,
    "duplicate_window_seconds": 30,
    "amount_rules": True,
    "verify_all": False,
    "cvv_rules": False,
    "avs_rules": False,
    "enforce_expiry": False,
    "settle_after_seconds": 86_400,
    "webhook_url": None,
}
"""What staff of the sandbox can set; `amount_rules` are the sandbox's declines by amount."""

Now = Callable[[], datetime]


class State:
    """What every part of the gateway works on; `lock` is held by whoever does."""

    def __init__(self, store: Store, now: Now, base_url: str = "http://127.0.0.1") -> None:
        self.store = store
        self.lock = threading.RLock()
        self.base_url = base_url
        self._now = now

    def now(self) -> datetime:
        """Return the present instant of the sandbox, in whole seconds as the wire has them."""
        return self._now().astimezone(UTC).replace(microsecond=0)

    def setting(self, name: str) -> Any:
        """Return a setting as it was made, or its default."""
        return self.settings().get(name, DEFAULTS[name])

    def settings(self) -> Record:
        """Return every setting."""
        return {**DEFAULTS, **(self.store.get("settings", "all") or {})}

    def change_settings(self, changes: Record) -> Record:
        """Change settings and return all of them.

        :raises KeyError: when one is unknown; nothing is changed then.
        """
        for name in changes:
            DEFAULTS[name]
        return self.store.put("settings", "all", {**self.settings(), **changes})

    def new_id(self) -> str:
        """Return an identifier such as `k3v9q2mx`, the same again after the same history."""
        counter = self.store.get("counter", "ids") or {"last": 0}
        counter["last"] += 1
        self.store.put("counter", "ids", counter)
        digest = hashlib.sha256(f"flex-{counter['last']}".encode()).digest()
        letters = "bcdfghjkmnpqrstvwxyz23456789"
        return "".join(letters[byte % len(letters)] for byte in digest[:10])


def network_id(text: str) -> str:
    """Return fifteen digits as a card network gives them to what a bank has approved."""
    return str(int(hashlib.sha256(text.encode()).hexdigest(), 16))[-15:]


def stamp(instant: datetime) -> str:
    """Write an instant into a record."""
    return instant.astimezone(UTC).isoformat()


def instant(text: str) -> datetime:
    """Read an instant of a record."""
    return parse_time(text)


def dollars(cents: int) -> str:
    """Write cents as the wire has amounts."""
    return f"{cents // 100}.{cents % 100:02d}"
