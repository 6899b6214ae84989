"""Telling people: what is queued, delivered and unsubscribed, and the contacts and thresholds behind it."""
