"""Every kind of event by its stored name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.domain.events import (
    accounts,
    invoices,
    messages,
    operations,
    payment_methods,
    payments,
    plans,
    reversals,
)
from app.domain.events.event import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODULES = (accounts, plans, invoices, payments, reversals, payment_methods, messages, operations)

EVENTS: Mapping[str, type[Event]] = {
    each.kind: each
    for module in _MODULES
    for each in vars(module).values()
    if isinstance(each, type) and issubclass(each, Event) and "kind" in vars(each)
}
"""The classes of events, without the bases that several of them share."""
