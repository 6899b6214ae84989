"""Endpoints and their edge."""
