"""The repository as the architecture tests read it: its files, their syntax trees and their names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
TESTS = ROOT / "tests"
SCRIPTS = ROOT / "scripts"

# What tools leave beside the source: never committed, never evaluated.
LEFTOVERS = {"__pycache__", "node_modules", "build", "dist", "vendor"}


def files(*folders: Path, pattern: str = "*") -> list[Path]:
    """List the source files below the folders, without hidden ones and what tools leave behind."""
    return sorted(
        path
        for folder in folders
        for path in folder.rglob(pattern)
        if path.is_file() and not _is_left_over(path.relative_to(ROOT))
    )


def _is_left_over(path: Path) -> bool:
    return any(part in LEFTOVERS or part.startswith(".") or part.endswith(".egg-info") for part in path.parts)


def python_files(*folders: Path) -> list[Path]:
    """List the Python files below the folders."""
    return files(*folders, pattern="*.py")


@cache
def tree(path: Path) -> ast.Module:
    """Parse a file once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Every function of a file, methods and inner ones included."""
    return (node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def place(path: Path, node: ast.AST | None = None) -> str:
    """Name a spot as an editor opens it: `app/domain/money.py:12`."""
    line = getattr(node, "lineno", None)
    return str(path.relative_to(ROOT)) + (f":{line}" if line else "")


def last_name(node: ast.AST) -> str:
    """Give the last word of a name, an attribute or an item of one; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript):
        return last_name(node.value)
    return ""
