"""Benchmarks: each sets the product beside a baseline that does the same work, and prints the ratio."""
