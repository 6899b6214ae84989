"""Alembic: the road from every released database to the present one."""
