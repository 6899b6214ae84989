"""The tables: SQLModel rows, one file per noun; importing the room registers them all."""

from app.models import accounts, calls, cycles, events, invoices, ledger, plans

__all__ = ["accounts", "calls", "cycles", "events", "invoices", "ledger", "plans"]
