"""The schema as a client sees it."""
