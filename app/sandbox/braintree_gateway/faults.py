"""Faults on demand: what can go wrong between an SDK and a gateway, before or after the gateway has done its part."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

from app.sandbox.braintree_gateway.codec import encode

BEFORE, AFTER, LATE = "before", "after", "late"
RESET, CLOSE, TRUNCATE, SEND = "reset", "close", "truncate", "send"
SLOW, HANG, TWICE = "slow", "hang", "twice"
ACTIONS = frozenset({RESET, CLOSE, TRUNCATE, SLOW, HANG, TWICE, "status", "empty", "garbage", "other", "unprocessable"})
LONGEST_HANG_SECONDS = 120.0


class FaultRefused(ValueError):
    """The fault asked for is none that we know."""


@dataclass(slots=True)
class Fault:
    """One fault: on which operation, when, what, and how often after how many that pass.

    `late` answers at once (by the action) and carries the request out `late_seconds` afterwards. `twice` is a request
    that was repeated on its way, without its key: only the answer to the second comes back.
    """

    match: str = "*"
    when: str = BEFORE
    action: str = RESET
    status: int = 500
    seconds: float | None = None
    late_seconds: float = 0.5
    times: int = 1
    skip: int = 0
    contains: str | None = None

    def __post_init__(self) -> None:
        if self.action not in ACTIONS or self.when not in {BEFORE, AFTER, LATE}:
            raise FaultRefused(f"no fault is called {self.when} {self.action}")


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back over the wire, and how the connection ends."""

    status: int = 200
    body: bytes = b""
    ending: str = SEND


_TO_BE_CUT = b"<?xml version='1.0'?><transaction><id>1</id></transaction>"
_NONSENSE = {
    "empty": Reply(201),
    "garbage": Reply(200, b"<transaction><id>1</transaction"),
    "other": Reply(200, b"<html><body>Welcome</body></html>"),
    "unprocessable": Reply(422, encode("unprocessable_entity", {"reason": "timeout"})),
}


class Faults:
    """The faults that are still to come, the first that fits first."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, **wanted: Any) -> None:
        """Add a fault.

        :raises FaultRefused: when it is none that we know.
        """
        try:
            fault = Fault(**wanted)
        except TypeError as error:
            raise FaultRefused(str(error)) from None
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Forget every fault."""
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        """Return the faults that are still to come."""
        with self._lock:
            return [asdict(each) for each in self._faults]

    def take(self, operation: str, body: bytes) -> Fault | None:
        """Return the fault that strikes this request, if one does, and count it."""
        with self._lock:
            for fault in self._faults:
                fits = fault.match in {"*", operation} and (fault.contains or "").encode() in body
                if fits and fault.skip > 0:
                    fault.skip -= 1
                elif fits:
                    fault.times -= 1
                    if fault.times <= 0:
                        self._faults.remove(fault)
                    return fault
        return None


def distorted(fault: Fault, answer: Reply, stopping: threading.Event) -> Reply:
    """Return what a fault makes of an answer; slow ones and hanging ones take their time."""
    if fault.action == SLOW:
        stopping.wait(fault.seconds or 1.0)
        return answer
    if fault.action == HANG:
        stopping.wait(fault.seconds or LONGEST_HANG_SECONDS)
        return Reply(ending=CLOSE)
    if fault.action == "status":
        return Reply(fault.status)
    if fault.action == TRUNCATE:
        return Reply(201, answer.body or _TO_BE_CUT, TRUNCATE)
    return _NONSENSE.get(fault.action) or Reply(ending=fault.action)
