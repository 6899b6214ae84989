"""Ids of things that no row stands for, derived from what they belong to, so that a client's cache can keep them."""

import strawberry


def derived_id(prefix: str, owner_id: str, *parts: str) -> strawberry.ID:
    """Return `prefix_` with the owner's id without its own prefix, then the parts: `usage_06cx…_2026-08`."""
    return strawberry.ID("_".join((prefix, owner_id.partition("_")[2], *parts)))
