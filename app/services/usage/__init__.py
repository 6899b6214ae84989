"""Calls coming in, the usage they add up to, and the accounts and people they belong to."""
