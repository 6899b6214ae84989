"""The command line: thin commands over services and jobs, pleasant to people and to scripts."""

from __future__ import annotations

from app.cli.application import main

__all__ = ["main"]
