"""Collecting invoices: attempts, retries, reversals, and paying now."""
