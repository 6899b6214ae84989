"""The gateway as one object: requests of the SDK in, replies out, with faults in between."""

from __future__ import annotations

import secrets
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from app.sandbox.braintree_gateway import transactions, vault
from app.sandbox.braintree_gateway.codec import BodyUnreadable, decode
from app.sandbox.braintree_gateway.faults import BEFORE, LATE, SLOW, TWICE, Faults, Reply, distorted
from app.sandbox.braintree_gateway.instruments import NONCE_LIFETIME
from app.sandbox.braintree_gateway.merchant import carry_out, claim_key, recognise, release_key, without_key
from app.sandbox.braintree_gateway.webhooks import Webhooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from app.sandbox.braintree_gateway.answers import Answer
    from app.sandbox.braintree_gateway.faults import Fault
    from app.sandbox.braintree_gateway.merchant import Call
    from app.sandbox.braintree_gateway.state import State


class Gateway:
    """State, faults and webhooks, and who uses them."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.faults = Faults()
        self.stopping = threading.Event()
        self.webhooks = Webhooks(state, self.stopping)
        self.instance = secrets.token_hex(8)
        self.used_at = time.monotonic()
        self.users = 0
        self._resets = 0
        self._under_way = 0
        self._idle = threading.Condition()
        with state.lock:
            self._start()

    def _start(self) -> None:
        """Give back request keys that a former process took and never used."""
        for record in self.state.store.all("request_key"):
            if record["transaction_id"] is None:
                self.state.store.remove("request_key", record["id"])
        vault.forget_old_nonces(self.state, NONCE_LIFETIME)
        self.state.store.commit()

    def count_user(self, step: int) -> None:
        """Count whoever holds on to the gateway, and who lets go of it."""
        with self.state.lock:
            self.users += step

    def exchange(self, verb: str, path: str, raw: bytes) -> Reply:
        """Answer one request of the SDK; `path` is what follows the merchant."""
        try:
            body = decode(raw)
            found = recognise(verb, path, body)
            if found is None:
                return Reply(404)
            call, handle = found
            with self._counted():
                return self._exchange(call, handle, self.faults.take(call.operation, raw))
        except BodyUnreadable:
            return Reply(400)

    def wait_until_idle(self, longest_seconds: float) -> bool:
        """Wait for every request to be over, those included that are carried out late or whose client has left."""
        with self._idle:
            return self._idle.wait_for(lambda: self._under_way == 0, longest_seconds)

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._count_request(1)
        try:
            yield
        finally:
            self._count_request(-1)

    def _count_request(self, step: int) -> None:
        with self._idle:
            self._under_way += step
            self._idle.notify_all()

    def _exchange(self, call: Call, handle: Callable[[State, Call], Answer], fault: Fault | None) -> Reply:
        with self.state.lock:
            self.settle_due()
            early = claim_key(self.state, call)
            if fault is None:
                return self._carry_out(call, handle, early)
        if fault.action == TWICE:
            self._carry_out(call, handle, early)
            return self._carry_out(without_key(call), handle, None)
        if fault.when == BEFORE and fault.action != SLOW:
            with self.state.lock:
                release_key(self.state, call)
            return distorted(fault, Reply(), self.stopping)
        if fault.when == BEFORE:
            self.stopping.wait(fault.seconds or 1.0)
            return self._carry_out(call, handle, early)
        if fault.when == LATE:
            late = threading.Timer(fault.late_seconds, self._carry_out_late, (call, handle, early, self._resets))
            late.daemon = True
            self._count_request(1)
            late.start()
            return distorted(fault, Reply(), self.stopping)
        return distorted(fault, self._carry_out(call, handle, early), self.stopping)

    def _carry_out(self, call: Call, handle: Callable[[State, Call], Answer], early: Answer | None) -> Reply:
        with self.state.lock:
            answer = early or carry_out(self.state, call, handle)
            self.state.store.commit()
            return Reply(answer.status, answer.body())

    def _carry_out_late(
        self, call: Call, handle: Callable[[State, Call], Answer], early: Answer | None, resets: int
    ) -> None:
        try:
            if not self.stopping.is_set() and resets == self._resets:
                self._carry_out(call, handle, early)
        finally:
            self._count_request(-1)

    def settle_due(self) -> None:
        """Settle what is due by the clock; the caller holds the lock."""
        if transactions.settle_due(self.state):
            self.state.store.commit()

    def reset(self) -> None:
        """Forget everything, faults included."""
        with self.state.lock:
            self._resets += 1
            self.faults.clear()
            self.state.store.clear()

    def close(self) -> None:
        """Let everything that waits go on, and write what is left."""
        self.stopping.set()
        with self.state.lock:
            self.state.store.close()
