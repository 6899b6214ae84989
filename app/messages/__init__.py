"""Texts for people: templates and the one place that renders them."""
