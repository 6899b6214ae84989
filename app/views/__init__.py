"""Frozen read models, one per page query: what a page needs, no more."""
