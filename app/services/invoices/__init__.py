"""Issuing invoices, applying credit to them, and what belongs to one: its documents and its underlying calls."""
