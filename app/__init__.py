"""Billing backend of a telephone answering service: calls come in, are rated, become a bill, and a person reads it."""
