"""Doubles for what leaves the machine or cannot be replayed."""
