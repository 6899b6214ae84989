"""Builders of realistic values, one file per noun."""
