"""Use cases, each with its whole story."""
