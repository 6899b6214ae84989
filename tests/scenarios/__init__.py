"""Months of a customer's life, from the first call to the bill."""
