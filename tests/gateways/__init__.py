"""Adapters to the outside world, against local servers."""
