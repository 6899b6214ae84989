"""Storage, on real databases."""
