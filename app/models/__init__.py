"""The tables: SQLModel rows, one file per noun; importing the room registers them all."""

from app.models import (
    accounts,
    add_ons,
    calls,
    charges,
    collection,
    cycles,
    events,
    invoices,
    ledger,
    operations,
    payment_methods,
    plans,
    simulations,
    webhook_events,
)

__all__ = [
    "accounts",
    "add_ons",
    "calls",
    "charges",
    "collection",
    "cycles",
    "events",
    "invoices",
    "ledger",
    "operations",
    "payment_methods",
    "plans",
    "simulations",
    "webhook_events",
]
